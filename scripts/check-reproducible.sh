#!/bin/sh
# Builds the distribution of the last commit twice, in clones of different places, umasks and time zones, and compares the
# archives byte by byte: check-reproducible.sh [--with-jdk]. Where this checkout has kernel images that are up to date, both
# builds take them, since nvcc needs minutes; --kernels compiles them in both.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
profile=
kernels=false
for argument in "$@"; do
  case $argument in
    --with-jdk) profile=-Pwith-jdk ;;
    --kernels) kernels=true ;;
    *) echo "check-reproducible.sh: unknown argument $argument; allowed: --with-jdk, --kernels" >&2; exit 2 ;;
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

build "$work/first" 022 UTC
build "$work/second place/heddle" 077 Asia/Kathmandu

status=0
for archive in "$work"/first/distribution/target/*.tar.gz; do
  other="$work/second place/heddle/distribution/target/$(basename "$archive")"
  if cmp "$archive" "$other"; then
    echo "the same bytes: $(sha256sum "$archive" | cut -d ' ' -f 1)  $(basename "$archive")"
  else
    status=1
  fi
done
exit "$status"
