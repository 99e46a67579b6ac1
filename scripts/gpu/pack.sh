#!/bin/sh
# Packs what the tests on a GPU need: pack.sh [FOLDER], by default .gpu/ (ignored by git). A JDK, the module path, test
# classes, the test kit on patterns, and JUnit. The machine with the GPU needs nothing but its driver and scripts/gpu/run.sh.
set -eu
home=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$home"
. scripts/find-jdk.sh
find_jdk || exit 1
mkdir -p "${1:-.gpu}"
pack=$(CDPATH= cd -- "${1:-.gpu}" && pwd)
most_mebibytes=60 # what the machine with the GPU takes
repository=${MAVEN_REPOSITORY:-$HOME/.m2/repository}
junit=1.14.4
assertj=3.27.7

command -v nvcc >/dev/null 2>&1 || { echo "pack.sh needs nvcc: without it there is nothing to test" >&2; exit 1; }

./mvnw -q -B -DskipTests package

# The JDK changes only with its version.
version=$("$JAVA_HOME/bin/java" --version | head -n 1)
if [ "$(cat "$pack/jdk.version" 2>/dev/null || true)" != "$version" ]; then
  rm -rf "$pack/jdk" "$pack/jdk.tar.xz"
  "$JAVA_HOME/bin/jlink" --strip-debug --no-header-files --no-man-pages --output "$pack/jdk" \
    --add-modules java.base,java.desktop,java.logging,jdk.incubator.vector,jdk.unsupported,jdk.management
  tar -C "$pack" -c jdk | xz -9 -T0 >"$pack/jdk.tar.xz"
  rm -rf "$pack/jdk"
  echo "$version" >"$pack/jdk.version"
fi

artifact() { # GROUP_PATH ARTIFACT VERSION: the jar, fetched if it is not there
  jar=$repository/$1/$2/$3/$2-$3.jar
  [ -f "$jar" ] || ./mvnw -q -B -N org.apache.maven.plugins:maven-dependency-plugin:3.9.0:get \
    -Dartifact="$(echo "$1" | tr / .):$2:$3" -Dtransitive=false
  cp "$jar" "$4"
}

rm -rf "$pack/lib" "$pack/test" "$pack/junit" "$pack/images" "$pack/kit"
mkdir -p "$pack/lib" "$pack/test" "$pack/junit" "$pack/images" "$pack/kit"
cp cli/target/heddle/lib/*.jar "$pack/lib"
# Natives of other platforms, and of JCuda's libraries that Heddle does not load, are half of the module path.
strip() { # JAR PREFIX...: without the entries that start so
  "$JAVA_HOME/bin/java" scripts/gpu/StripJar.java "$@"
}
strip "$pack"/lib/tokenizers-*.jar native/lib/osx- native/lib/win- native/lib/linux-aarch64/
strip "$pack"/lib/jcuda-natives-*.jar lib/libJNv lib/libJCudaRuntime
strip "$pack"/lib/jna-*.jar com/sun/jna/aix- com/sun/jna/darwin- com/sun/jna/dragonflybsd- com/sun/jna/freebsd- \
  com/sun/jna/linux-a com/sun/jna/linux-l com/sun/jna/linux-m com/sun/jna/linux-p com/sun/jna/linux-r com/sun/jna/linux-s \
  com/sun/jna/openbsd- com/sun/jna/sunos- com/sun/jna/win32-
cp -r kernels/target/test-classes "$pack/test/kernels"
cp -r runtime/target/test-classes "$pack/test/runtime"
cp -r llm/target/test-classes "$pack/test/llm"
rm -r "$pack/test/llm/golden" # run.sh has it from the checkout
cp testkit/target/heddle-testkit-*.jar "$pack/junit"
artifact org/junit/platform junit-platform-console-standalone "$junit" "$pack/junit"
artifact org/assertj assertj-core "$assertj" "$pack/junit"

# A test image for Hopper and one for nothing that run.sh meets.
single=kernels/src/test/cuda/single.cu
nvcc -fatbin --no-compress -gencode arch=compute_90a,code=sm_90a -o "$pack/images/right.fatbin" "$single"
nvcc -fatbin --no-compress -gencode arch=compute_120,code=sm_120 -o "$pack/images/wrong.fatbin" "$single"

# The test kit on the built-in patterns, whose classes are in lib.
for pattern in pattern-*/; do
  mkdir -p "$pack/kit/$(basename "$pattern")"
  cp -r "$pattern/target/test-classes" "$pack/kit/$(basename "$pattern")/test"
done

# Examples of patterns: the plugin, their tests, and CUDA text that they bring as an image for compute-sanitizer.
classes() { # CLASSES SOURCES CLASS_PATH
  # shellcheck disable=SC2046 # one argument for each file
  "$JAVA_HOME/bin/javac" -nowarn -d "$1" -cp "$3" $(find "$2" -name '*.java' ! -name module-info.java)
}
for example in examples/*/; do
  provides=$(sed -n '/provides dev.heddle.api.SparsePattern/,/;/s/^ *\(com\.[A-Za-z.]*\);$/\1/p' \
    "$example/src/main/java/module-info.java")
  [ -n "$provides" ] || continue
  name=$(basename "$example")
  target=$pack/kit/$name
  mkdir -p "$target/main/META-INF/services" "$target/plugin"
  jars=$(ls "$pack"/lib/*.jar "$pack"/junit/*.jar | tr '\n' ':')
  classes "$target/main" "$example/src/main/java" "$jars"
  classes "$target/test" "$example/src/test/java" "$target/main:$jars"
  [ ! -d "$example/src/main/resources" ] || cp -r "$example"/src/main/resources/. "$target/main"
  echo "$provides" >"$target/main/META-INF/services/dev.heddle.api.SparsePattern"
  "$JAVA_HOME/bin/jar" --create --file "$target/plugin/$name.jar" -C "$target/main" .
  for text in $(find "$example/src/main" -name '*.cu'); do
    nvcc -fatbin -std=c++17 -gencode arch=compute_90a,code=sm_90a -I kernels/src/main/cuda -I "$(dirname "$text")" \
      -o "$pack/images/$(basename "$text" .cu).fatbin" "$text"
  done
done

du -sh "$pack"/*
packed=$(du -sm "$pack" | cut -f1)
if [ "$packed" -ge "$most_mebibytes" ]; then
  echo "$pack has $packed MiB; allowed: less than $most_mebibytes" >&2
  exit 1
fi
echo "$pack: $packed MiB"
