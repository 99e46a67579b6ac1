#!/bin/sh
# Compiles CUDA kernels for the Maven build: build-kernels.sh SOURCE_FOLDER TARGET_FOLDER
#
# Each SOURCE_FOLDER/NAME.cu becomes TARGET_FOLDER/NAME.fatbin with machine code for sm_80 and sm_90a and PTX for newer
# chips. Nothing is compiled that is newer than all it is made of. Warnings are errors, and so are register spills, unless
# SOURCE_FOLDER/spills.txt lists the kernel: "KERNEL ARCHITECTURE REASON...", where KERNEL may hold wildcards.
# Where there is no nvcc (CUDA 12.4 or later) this says so and leaves a CPU-only build; with HEDDLE_REQUIRE_NVCC=1 it fails.
set -eu

sources=$1
target=$2
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
headers=$root/kernels/src/main/cuda
script=$root/scripts/build-kernels.sh

find_nvcc() {
  for candidate in "${CUDA_HOME:-/nonexistent}/bin/nvcc" "$(command -v nvcc 2>/dev/null || true)" /usr/local/cuda/bin/nvcc; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# "13.0" of nvcc $1
nvcc_version() {
  "$1" --version | sed -n 's/.*release \([0-9]*\.[0-9]*\),.*/\1/p'
}

# True when nothing that image $2 of source $1 is made of is newer than it.
up_to_date() {
  [ -f "$2" ] || return 1
  newer=$(find "$1" "$headers" "$sources" "$script" \
    \( -name '*.cuh' -o -name spills.txt -o -path "$1" -o -path "$script" \) -newer "$2" 2>/dev/null | head -n 1)
  [ -z "$newer" ]
}

# Reads what ptxas says of each kernel and fails on spills that are not listed.
check_spills() {
  list=$sources/spills.txt
  [ -f "$list" ] || list=/dev/null
  awk -v list="$list" '
    function matches(text, glob,    pattern) {
      pattern = glob
      gsub(/[.+]/, "\\\\&", pattern)
      gsub(/\*/, ".*", pattern)
      return text ~ ("^" pattern "$")
    }
    BEGIN {
      while ((getline line < list) > 0) {
        if (line ~ /^[ \t]*(#|$)/) continue
        split(line, word, /[ \t]+/)
        if (word[3] == "") { print list ": no reason given: " line; failed = 1; continue }
        count++; kernel[count] = word[1]; architecture[count] = word[2]
      }
    }
    /Compiling entry function/ { split($0, quoted, "\047"); name = quoted[2]; arch = quoted[4] }
    / bytes spill stores/ {
      bytes = $0; sub(/ bytes spill stores.*/, "", bytes); sub(/.*[ ,]/, "", bytes)
      if (bytes + 0 == 0) next
      for (i = 1; i <= count; i++) if (matches(name, kernel[i]) && matches(arch, architecture[i])) next
      print "kernel " name " spills " bytes " bytes of registers on " arch "; spend fewer, or list it with a reason in spills.txt"
      failed = 1
    }
    END { exit failed }' "$1" >&2
}

compile() {
  log=$2.log
  part=$2.part
  echo "nvcc: $(basename "$1")"
  if ! "$nvcc" -fatbin -o "$part" "$1" -I "$headers" -I "$sources" -std=c++17 -O3 --threads 0 \
    --Werror all-warnings -Xptxas -v \
    -gencode arch=compute_80,code=sm_80 \
    -gencode arch=compute_90a,code=sm_90a \
    -gencode arch=compute_80,code=compute_80 >"$log" 2>&1; then
    grep -v '^ptxas info' "$log" >&2
    rm -f "$part"
    return 1
  fi
  if ! check_spills "$log"; then
    rm -f "$part"
    return 1
  fi
  mv -f "$part" "$2"
  rm -f "$log"
}

[ -d "$sources" ] || exit 0
stale=""
for source in "$sources"/*.cu; do
  [ -f "$source" ] || continue
  image=$target/$(basename "$source" .cu).fatbin
  up_to_date "$source" "$image" || stale="$stale $(basename "$source" .cu)"
done
[ -n "$stale" ] || exit 0

# Ends without the kernels, for reason $1.
without_kernels() {
  for name in $stale; do rm -f "$target/$name.fatbin"; done
  if [ "${HEDDLE_REQUIRE_NVCC:-0}" = 1 ]; then
    echo "$1, and HEDDLE_REQUIRE_NVCC=1 forbids a build without GPU kernels:$stale" >&2
    exit 1
  fi
  echo "$1: building without GPU kernels:$stale"
  exit 0
}

mkdir -p "$target"
nvcc=$(find_nvcc) || without_kernels "no nvcc found (CUDA_HOME, PATH, /usr/local/cuda)"
version=$(nvcc_version "$nvcc")
if [ "$(printf '12.4\n%s\n' "$version" | sort -V | head -n 1)" != 12.4 ]; then
  without_kernels "$nvcc is CUDA $version, and 12.4 or later is needed"
fi
failed=0
for name in $stale; do
  compile "$sources/$name.cu" "$target/$name.fatbin" || failed=1
done
exit "$failed"
