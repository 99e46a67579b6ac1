#!/bin/sh
# Prints registers, stack and spills of every kernel: compiles for each architecture named (default: 80
# and 90a). Exit status 1 if a kernel spills that no line of a spills.txt beside its source explains:
# "<kernel name pattern> <architecture> <reason>".
set -u
root=$(cd "$(dirname "$0")/../../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
for source in "$root"/*/src/main/cuda/*.cu; do
  folder=$(dirname "$source")
  for arch in ${*:-80 90a}; do
    if ! nvcc -std=c++17 -Xptxas -v -Werror all-warnings -I "$root/kernels/src/main/cuda" -cubin -o "$work/cubin" \
      -gencode="arch=compute_$arch,code=sm_$arch" "$source" >"$work/log" 2>&1; then
      cat "$work/log"
      exit 1
    fi
    awk -v arch="sm_$arch" '
      /Compiling entry function/ { split($0, quoted, "\047"); name = quoted[2] }
      /bytes spill stores/ { stack = $1; stores = $5; loads = $9 }
      /Used [0-9]+ registers/ { match($0, /Used [0-9]+/); print name, arch, substr($0, RSTART + 5, RLENGTH - 5), stack, stores, loads }
    ' "$work/log" | sort >"$work/table"
    while read -r name architecture registers stack stores loads; do
      note=
      if [ "$stores" != 0 ] || [ "$loads" != 0 ]; then
        note=unexplained
        [ -f "$folder/spills.txt" ] && while read -r pattern listed _; do
          # shellcheck disable=SC2254 # the line holds a pattern
          case $name in $pattern) [ "$listed" = "$architecture" ] && note=explained ;; esac
        done <"$folder/spills.txt"
        [ $note = unexplained ] && status=1
      fi
      printf '%-55s %-7s %3d registers, stack %3d, spill stores %3d, loads %3d %s\n' \
        "$name" "$architecture" "$registers" "$stack" "$stores" "$loads" "$note"
    done <"$work/table"
  done
done
exit $status
