#!/bin/sh
# Runs all tests tagged "gpu" from what pack.sh packed. Exit status 0 if all passed.
#   HEDDLE_GPU_WRAP   put before java, such as "compute-sanitizer --tool memcheck --target-processes all"
#   HEDDLE_GPU_OUT    where the whole logs go (default: OUT, then /tmp)
set -eu
home=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
pack=$home/.gpu
out=${HEDDLE_GPU_OUT:-${OUT:-/tmp}}
work=${HEDDLE_GPU_WORK:-/tmp/heddle-gpu}

[ -f "$pack/jdk.tar.xz" ] || { echo "nothing is packed: run scripts/gpu/pack.sh where Maven and nvcc are" >&2; exit 1; }
mkdir -p "$work"
[ -x "$work/jdk/bin/java" ] || xz -dc "$pack/jdk.tar.xz" | tar -C "$work" -x
java=$work/jdk/bin/java

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo "no nvidia-smi"

# tests MODULE FOLDER PACKAGE CLASS...: the module with its test classes, JUnit on the class path
tests() {
  module=$1 folder=$2 package=$3
  shift 3
  classes=""
  for class in "$@"; do classes="$classes --select-class=$package.$class"; done
  # shellcheck disable=SC2086 # words are meant to be split
  ${HEDDLE_GPU_WRAP:-} "$java" -Xmx8g --enable-native-access=jcuda,dev.heddle.kernels \
    -Dheddle.gpu.images="$pack/images" \
    -p "$pack/lib" --add-modules "$module,dev.heddle.pattern.ashape,dev.heddle.pattern.verticalslash,dev.heddle.pattern.blocksparse" \
    --patch-module "$module=$pack/test/$folder" \
    --add-reads "$module=ALL-UNNAMED" --add-opens "$module/$package=ALL-UNNAMED" \
    -cp "$(ls "$pack"/junit/*.jar | tr '\n' ':')" \
    org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
    --details=tree --details-theme=ascii --include-tag=gpu $classes >"$out/gpu-$folder.log" 2>&1
}

"$java" --enable-native-access=jcuda,dev.heddle.kernels -p "$pack/lib" \
  -m dev.heddle.cli/dev.heddle.cli.Heddle info 2>/dev/null || echo "heddle info failed"

status=0
tests dev.heddle.kernels kernels dev.heddle.kernels.cuda CudaAttentionTest CudaFaultTest || status=1
tests dev.heddle.runtime runtime dev.heddle.runtime GpuPatternsTest || status=1

for folder in kernels runtime; do
  echo "== $folder"
  grep -E "^[| '+-]*-- .*(\[OK\]|\[X\]|\[S\]|\[A\])" "$out/gpu-$folder.log" || tail -n 40 "$out/gpu-$folder.log"
  grep -E "tests (successful|failed|aborted)" "$out/gpu-$folder.log" || status=1
  # Tests that all found no device have shown nothing.
  ! grep -qE "\[ +0 tests successful" "$out/gpu-$folder.log" || status=1
done
[ "$status" -eq 0 ] && echo "all GPU tests passed" || echo "GPU tests FAILED; whole logs in $out"
exit "$status"
