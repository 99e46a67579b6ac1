#!/bin/sh
# Builds the distribution of the last commit twice, in clones of different places, umasks and time zones, and compares the
# archives byte by byte: check-reproducible.sh [--once] [--with-jdk] [--kernels].
#   --once      builds only the second, and compares it with what this checkout has built of that commit
#   --with-jdk  the archive with a JDK in it too
#   --kernels   compiles the kernels anew; else the builds take this checkout's images, since nvcc needs minutes
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
profile=
kernels=false
once=false
for argument in "$@"; do
  case $argument in
    --once) once=true ;;
    --with-jdk) profile=-Pwith-jdk ;;
    --kernels) kernels=true ;;
    *) echo "check-reproducible.sh: unknown argument $argument; allowed: --once, --with-jdk, --kernels" >&2; exit 2 ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # FOLDER UMASK TIME_ZONE
  git clone -q "$root" "$1"
  if [ "$kernels" = false ]; then
    (cd "$root" && find . -path ./distribution -prune -o -path '*/target/classes/*.fatbin' -print) | while read -r image; do
      mkdir -p "$1/$(dirname "$image")"
      cp "$root/$image" "$1/$image" # newer than the clone's sources
    done
  fi
  (umask "$2" && cd "$1" && TZ=$3 ./mvnw -q -B $profile -Dmaven.test.skip=true -DskipTests -pl distribution -am package)
}

if [ "$once" = true ]; then
  if [ -n "$(cd "$root" && git status --porcelain)" ]; then
    echo "check-reproducible.sh: --once needs a checkout without changes" >&2
    exit 2
  fi
  first=$root
else
  first=$work/first
  build "$first" 022 UTC
fi
build "$work/second place/heddle" 077 Asia/Kathmandu

status=0
for archive in "$first"/distribution/target/*.tar.gz; do
  other="$work/second place/heddle/distribution/target/$(basename "$archive")"
  if cmp "$archive" "$other"; then
    echo "the same bytes: $(sha256sum "$archive" | cut -d ' ' -f 1)  $(basename "$archive")"
  else
    status=1
  fi
done
exit "$status"
