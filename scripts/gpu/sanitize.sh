#!/bin/sh
# Runs compute-sanitizer over all kernels with small shapes: sanitize.sh [memcheck|racecheck|initcheck|synccheck]...
# Prints one line per tool with the number of errors. Exit status 0 if there are none.
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
fi
ls "$images"/*.fatbin >/dev/null 2>&1 || { echo "no kernel images in $images: run scripts/gpu/pack.sh first" >&2; exit 2; }

# check TOOL SCRIPT [TYPE[-portable]]: writes one line about it, and fails where there are errors. Portable are the kernels
# that every device has, where this one has faster ones of its own.
check() {
  log=$out/sanitize-$1-$2${3:+-$3}.log
  # What our kernels read is copied from the host, so that initcheck need not see PyTorch's kernels, which are not clean.
  options="--kernel-name kns=heddle --print-limit 20"
  [ "$1" != initcheck ] || options="$options --check-api-memory-access no"
  type=${3:-}
  portable=""
  [ "$type" = "${type%-portable}" ] || portable="env HEDDLE_PORTABLE=1"
  status=0
  # PyTorch's cache would hide the bounds and the end of single tensors from the tool.
  # shellcheck disable=SC2086 # words are meant to be split
  PYTORCH_NO_CUDA_MEMORY_CACHING=1 OMP_NUM_THREADS=1 HEDDLE_IMAGES=$images timeout "${HEDDLE_GPU_LIMIT:-280}" \
    $portable "$sanitizer" --tool "$1" $options python3 "$checks/$2.py" --small ${type%-portable} >"$log" 2>&1 || status=$?
  summary=$(grep -E 'ERROR SUMMARY|RACECHECK SUMMARY' "$log" | tail -n 1 | sed 's/^=* *//')
  compared=$(grep -E "^$2:" "$log" | tail -n 1 || true)
  echo "${compared:-$2 did not end (status $status)}${3:+ ($3)}, ${summary:-no summary}" >"$log.line"
  case "$summary" in
    "ERROR SUMMARY: 0 errors"* | "RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)"*) return "$status" ;;
    *) return 1 ;;
  esac
}

# tool NAME: one line of all its checks. They spend their time on the processor, so they run side by side.
tool() {
  start=$(date +%s)
  failed=0
  pieces=""
  rm -f "$out/sanitize-$1"-*.line
  for kernels in f16 bf16 f32 f16-portable bf16-portable; do
    check "$1" check_attention "$kernels" &
    pieces="$pieces $!"
  done
  check "$1" check_index &
  for piece in $pieces $!; do wait "$piece" || failed=1; done
  echo "$1: $(cat "$out/sanitize-$1"-*.line | tr '\n' ';') $(($(date +%s) - start)) s"
  return "$failed"
}

[ "$#" -gt 0 ] || set -- memcheck racecheck initcheck synccheck
running=""
for name in "$@"; do
  tool "$name" &
  running="$running $!"
done
found=0
for process in $running; do wait "$process" || found=1; done
[ "$found" -eq 0 ] && echo "compute-sanitizer found nothing" || echo "compute-sanitizer found something; whole logs in $out"
exit "$found"
