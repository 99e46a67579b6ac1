#!/bin/sh
# Runs all tests tagged "gpu" from what pack.sh packed, or those of the classes named: run.sh [CLASS]... Exit status 0 if
# all passed.
#   HEDDLE_GPU_PACK   what pack.sh packed (default: .gpu)
#   HEDDLE_GPU_EXCLUDE leaves out tests with this tag
#   HEDDLE_GPU_WRAP   put before java, such as "compute-sanitizer --tool memcheck --target-processes all"
#   HEDDLE_GPU_OUT    where the whole logs go (default: OUT, then /tmp)
set -eu
home=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
pack=$(cd "${HEDDLE_GPU_PACK:-$home/.gpu}" && pwd)
out=${HEDDLE_GPU_OUT:-${OUT:-/tmp}}
work=${HEDDLE_GPU_WORK:-/tmp/heddle-gpu}

[ -f "$pack/jdk.tar.xz" ] || { echo "nothing is packed: run scripts/gpu/pack.sh where Maven and nvcc are" >&2; exit 1; }
mkdir -p "$work"
[ -x "$work/jdk/bin/java" ] || xz -dc "$pack/jdk.tar.xz" | tar -C "$work" -x
java=$work/jdk/bin/java

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo "no nvidia-smi"

# tests FOLDER CLASS...: the module of that folder with its test classes, JUnit on the class path
tests() {
  folder=$1
  shift
  case $folder in
    kernels) module=dev.heddle.kernels package=dev.heddle.kernels.cuda ;;
    runtime) module=dev.heddle.runtime package=dev.heddle.runtime ;;
    llm) module=dev.heddle.llm package=dev.heddle.llm ;;
  esac
  classes=""
  for class in "$@"; do
    [ -z "$chosen" ] || case " $chosen " in *" $class "*) ;; *) continue ;; esac
    classes="$classes --select-class=$package.$class"
  done
  [ -n "$classes" ] || return 0
  # These are in the checkout already.
  resources=$home/$folder/src/test/resources
  [ -d "$resources" ] && resources=:$resources || resources=
  log=$out/gpu-$(echo $classes | sed "s/.*\.//").log
  start=$(date +%s)
  # runtime's tests read the memory pool's account; llm's look for ../models.
  # shellcheck disable=SC2086 # words are meant to be split
  (cd "$home/$folder" && ${HEDDLE_GPU_WRAP:-} "$java" -Xmx24g --enable-native-access="jcuda,dev.heddle.kernels,ai.djl.tokenizers,$module" \
    -Dheddle.gpu.images="$pack/images" \
    -p "$pack/lib" --add-modules "$module,dev.heddle.pattern.ashape,dev.heddle.pattern.verticalslash,dev.heddle.pattern.blocksparse" \
    --patch-module "$module=$pack/test/$folder$resources" \
    --add-reads "$module=ALL-UNNAMED" --add-opens "$module/$package=ALL-UNNAMED" \
    --add-opens "dev.heddle.kernels/dev.heddle.kernels.cuda=$module" \
    -cp "$(ls "$pack"/junit/*.jar | tr '\n' ':')" \
    org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
    --details=tree --details-theme=ascii --include-tag=gpu ${HEDDLE_GPU_EXCLUDE:+--exclude-tag=$HEDDLE_GPU_EXCLUDE} \
    $classes) >"$log" 2>&1 || status=1
  echo "==$(echo "$classes" | sed "s/--select-class=[a-z.]*//g") ($(($(date +%s) - start)) s)"
  grep -E "^[| '+-]*-- .*(\[OK\]|\[X\]|\[S\]|\[A\])" "$log" || tail -n 40 "$log"
  grep -E "tests (successful|failed|aborted)" "$log" || status=1
  # Tests that all found no device have shown nothing.
  ! grep -qE "\[ +0 tests successful" "$log" || status=1
}

# kit FOLDER: the test kit's part for a GPU on a pattern, on the class path
kit() {
  name=$(basename "$1")
  log=$out/gpu-kit-$name.log
  start=$(date +%s)
  "$java" -Xmx8g --enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector \
    -cp "$1/test:$1/main:$(ls "$pack"/lib/*.jar "$pack"/junit/*.jar | tr '\n' ':')" \
    org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
    --details=tree --details-theme=ascii --include-tag=gpu --scan-class-path="$1/test" >"$log" 2>&1 || status=1
  echo "== test kit, $name ($(($(date +%s) - start)) s)"
  grep -E "^[| '+-]*-- .*(\[OK\]|\[X\]|\[S\]|\[A\])" "$log" || tail -n 40 "$log"
  ! grep -qE "\[ +0 tests successful" "$log" || status=1
}

[ "$#" -gt 0 ] || "$java" --enable-native-access=jcuda,dev.heddle.kernels -p "$pack/lib" \
  -m dev.heddle.cli/dev.heddle.cli.Heddle info 2>/dev/null || echo "heddle info failed"

# Starts tests beside what runs already.
start() {
  text=$out/gpu-$(echo "$*" | tr ' ' '-').txt
  (
    status=0
    tests "$@" >"$text"
    exit "$status"
  ) &
  started="$started $!:$text"
}

# Waits for what was started, and shows it.
finish() {
  for job in $started; do
    wait "${job%%:*}" || status=1
    cat "${job#*:}"
  done
  started=""
}

status=0
chosen=$*
started=""
# Their time goes to oracles on the processor.
start kernels CudaAttentionTest PortableKernelsTest DeviceTensorsTest
start runtime GpuCoverageTest GpuDeviceMemoryTest GpuNotFiniteTest
start runtime GpuLongTest
start llm GpuDecoderKernelsTest
finish
tests llm GpuModelTest GpuLongPromptTest GpuChunkTest
# These take all of the device's memory, or count it: alone.
tests kernels CudaFaultTest RuntimeCompilationTest
for folder in "$pack"/kit/*/; do
  [ ! -d "$folder" ] || [ -n "$chosen" ] || kit "${folder%/}"
done
tests runtime GpuFaultTest GpuMemoryTest
tests runtime GpuSoakTest
# This ends with a device that is lost to its process.
tests kernels CudaLostDeviceTest
[ "$status" -eq 0 ] && echo "all GPU tests passed" || echo "GPU tests FAILED; whole logs in $out"
exit "$status"
