#!/bin/sh
# Runs compute-sanitizer over all kernels with small shapes, those of attention and indices from Python, and with memcheck
# and racecheck those of the decoder from their JUnit tests: sanitize.sh [memcheck|racecheck|initcheck|synccheck]...
# Prints one line per tool with the number of errors, and one per process that was not clean. Exit status 0 if all were.
#
# Needs what pack.sh packed, compute-sanitizer, and python3 with PyTorch. The checks themselves compare with float64, so
# that a tool's silence about a kernel that did nothing would show.
#   HEDDLE_IMAGES     folder of *.fatbin (default: unpacked from the packed jars)
#   HEDDLE_GPU_OUT    where the whole logs go (default: OUT, then /tmp)
set -eu
home=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
pack=${HEDDLE_GPU_PACK:-$home/.gpu}
checks=${HEDDLE_GPU_CHECKS:-$home/kernels/src/test/cuda}
out=${HEDDLE_GPU_OUT:-${OUT:-/tmp}}
images=${HEDDLE_IMAGES:-$(mktemp -d)}

for candidate in compute-sanitizer /usr/local/cuda/bin/compute-sanitizer; do
  command -v "$candidate" >/dev/null 2>&1 && sanitizer=$candidate && break
done
[ -n "${sanitizer:-}" ] || { echo "no compute-sanitizer on the PATH or in /usr/local/cuda/bin" >&2; exit 2; }

if [ -z "${HEDDLE_IMAGES:-}" ]; then
  python3 - "$pack" "$images" <<'PYTHON'
import glob, os, sys, zipfile
pack, images = sys.argv[1:]
for jar in glob.glob(os.path.join(pack, "lib", "heddle-*.jar")):
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.endswith(".fatbin"):
                with open(os.path.join(images, os.path.basename(name)), "wb") as target:
                    target.write(archive.read(name))
PYTHON
  cp "$pack"/images/*.fatbin "$images" # of examples
fi
ls "$images"/*.fatbin >/dev/null 2>&1 || { echo "no kernel images in $images: run scripts/gpu/pack.sh first" >&2; exit 2; }

# What one process checks: TOOL SCRIPT TYPE [DIM] [portable], or TOOL decoder. Portable are the kernels that every device has, where this
# one has faster ones of its own. racecheck is slow, and gets a process for each head dim.
pieces() {
  # The longest first. The other tools say nothing about a kernel in Java's process that these do not.
  case $1 in memcheck | racecheck) echo "$1 decoder" ;; esac
  for type in f16 bf16 f32; do
    echo "$1 check_index $type"
    [ "$type" = f32 ] || echo "$1 check_index $type portable"
    if [ -f "$images/x_attention.fatbin" ]; then
      echo "$1 check_x_attention $type"
      [ "$type" = f32 ] || echo "$1 check_x_attention $type portable"
    fi
    if [ "$1" = racecheck ]; then
      for dim in 64 96 128 256; do
        echo "$1 check_attention $type $dim"
        [ "$type" = f32 ] || echo "$1 check_attention $type $dim portable"
      done
    else
      echo "$1 check_attention $type"
      [ "$type" = f32 ] || echo "$1 check_attention $type portable"
    fi
  done
}

# decoder TOOL: the decoder's kernels by the tests of their module. racecheck cannot follow cuBLASLt's kernels: it gets the
# tests without matrix products.
decoder() {
  logs=$out/decoder-$1
  mkdir -p "$logs"
  excluded=""
  [ "$1" != racecheck ] || excluded=products
  HEDDLE_GPU_PACK=$pack HEDDLE_GPU_OUT=$logs HEDDLE_GPU_EXCLUDE=$excluded \
    HEDDLE_GPU_WRAP="timeout ${HEDDLE_GPU_LIMIT:-120} $sanitizer --tool $1 --kernel-name kns=heddle --print-limit 20" \
    sh "$home/scripts/gpu/run.sh" GpuDecoderKernelsTest GpuCacheKernelsTest >"$logs/run.txt" 2>&1 || tail -n 5 "$logs/run.txt" | sed 's/^/status /'
  cat "$logs"/gpu-*.log
}

# piece TOOL SCRIPT TYPE [DIM] [portable]: its log, named after it
piece() {
  log=$out/sanitize-$(echo "$*" | tr ' ' '-').log
  tool=$1 script=$2
  shift 2
  if [ "$script" = decoder ]; then
    decoder "$tool" >"$log" 2>&1
    return 0
  fi
  # What our kernels read is copied from the host, so that initcheck need not see PyTorch's kernels, which are not clean.
  options="--kernel-name kns=heddle --print-limit 20"
  [ "$tool" != initcheck ] || options="$options --check-api-memory-access no"
  case " $* " in *" portable "*) export HEDDLE_PORTABLE=1 ;; esac
  # An example has its check with it, and uses the harness of the others.
  for file in "$checks/$script.py" "$home"/examples/*/src/test/cuda/"$script.py"; do
    [ ! -f "$file" ] || break
  done
  # PyTorch's cache would hide the bounds and the end of single tensors from the tool.
  # shellcheck disable=SC2086 # words are meant to be split
  PYTHONPATH=$checks PYTORCH_NO_CUDA_MEMORY_CACHING=1 HEDDLE_SYNCHRONOUS=1 OMP_NUM_THREADS=1 \
    timeout "${HEDDLE_GPU_LIMIT:-120}" "$sanitizer" --tool "$tool" $options python3 "$file" --tiny "$@" >"$log" 2>&1 || echo "status $?" >>"$log"
}

# Whether the check of log $1 ended, compared what it should, and the tool found nothing.
clean() {
  grep -qE '^check_[a-z_]*: [1-9][0-9]* heads compared, 0 failures|^\[ +[1-9][0-9]* tests successful' "$1" &&
    ! grep -qE '^status|^\[ +[1-9][0-9]* tests failed' "$1" &&
    grep -qE 'ERROR SUMMARY: 0 errors|RACECHECK SUMMARY: 0 hazards displayed \(0 errors, 0 warnings\)' "$1"
}

# One piece in a process of its own, for xargs below.
if [ "${1:-}" = piece ]; then
  shift
  # shellcheck disable=SC2086,SC2048 # words are meant to be split
  piece $*
  exit 0
fi

[ "$#" -gt 0 ] || set -- memcheck racecheck initcheck synccheck
rm -f "$out"/sanitize-*.log
# The tests in Java would all unpack it at once.
work=${HEDDLE_GPU_WORK:-/tmp/heddle-gpu}
mkdir -p "$work"
[ -x "$work/jdk/bin/java" ] || xz -dc "$pack/jdk.tar.xz" | tar -C "$work" -x
export sanitizer
# The tools spend their time on the processor: as many side by side as it has cores.
for tool in "$@"; do pieces "$tool"; done |
  HEDDLE_IMAGES=$images xargs -P "${HEDDLE_GPU_JOBS:-$(nproc)}" -I '{}' sh "$0" piece '{}'

found=0
for tool in "$@"; do
  count=0 good=0 heads=0 errors=0
  for log in "$out/sanitize-$tool"-*.log; do
    count=$((count + 1))
    ! clean "$log" || good=$((good + 1))
    heads=$((heads + $(awk '/^check_.* heads compared/ { n += $2 } END { print n + 0 }' "$log")))
    errors=$((errors + $(sed -n 's/.*SUMMARY: \([0-9]*\) .*/\1/p' "$log" | awk '{ n = $1 } END { print n + 0 }')))
  done
  tests=$(sed -n 's/^\[ *\([0-9]*\) tests successful.*/\1/p' "$out/sanitize-$tool"-decoder.log 2>/dev/null || true)
  echo "$tool: $errors errors; $good of $count processes clean, $heads heads compared${tests:+, $tests tests of the decoder}"
  for log in "$out/sanitize-$tool"-*.log; do
    clean "$log" || echo "  $(basename "$log"): $(grep -E '^check_|SUMMARY|Internal|^status|rror:' "$log" | cut -c1-140 | tr '\n' ' ')"
  done
  [ "$good" -eq "$count" ] || found=1
done
[ "$found" -eq 0 ] && echo "compute-sanitizer found nothing" || echo "compute-sanitizer found something; whole logs in $out"
exit "$found"
