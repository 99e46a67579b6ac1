#!/bin/sh
# Checks that the jars of a finished build hold an image of every kernel source: check-kernels.sh [ROOT]
# A build without nvcc passes every other test, and yields a command that cannot use a GPU.
set -eu
root=${1:-$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)}

found=0
missing=0
for source in "$root"/*/src/main/cuda/*.cu; do
  [ -f "$source" ] || continue
  folder=${source#"$root"/}
  folder=${folder%%/*}
  name=$(basename "$source" .cu).fatbin
  found=$((found + 1))
  for jar in "$root"/cli/target/heddle/lib/heddle-"$folder"-[0-9]*.jar; do
    if ! [ -f "$jar" ]; then
      echo "$source: there is no jar of $folder; run ./mvnw verify first" >&2
      missing=$((missing + 1))
    elif ! "${JAVA_HOME:+$JAVA_HOME/bin/}jar" tf "$jar" | grep -q "/$name\$"; then
      echo "$source: $jar holds no $name; build where nvcc (CUDA 12.4 or later) is found" >&2
      missing=$((missing + 1))
    fi
  done
done
if [ "$found" -eq 0 ]; then
  echo "$root: there are no kernel sources" >&2
  exit 1
fi
[ "$missing" -eq 0 ] || exit 1
echo "all $found kernel sources have their images"
