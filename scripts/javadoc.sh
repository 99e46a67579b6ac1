#!/bin/sh
# Makes the Javadoc of what other programs compile against: javadoc.sh MODULE_PATH TARGET_FOLDER. Fails on whatever doclint
# finds: broken links and references, HTML that is none, tags for what is not there, public members without a comment. Two
# things are left: a tag for each parameter and result is not asked for, because here the sentence says what it is; and the
# checks of PatternContract, whose names are sentences, are described in docs/writing-a-pattern.md.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/find-jdk.sh"
find_jdk || exit 1
log=$2.log
rm -rf "$2"
status=0
"$JAVA_HOME/bin/javadoc" -quiet -d "$2" -encoding UTF-8 --release 25 -notimestamp \
  -windowtitle Heddle -doctitle Heddle -Xdoclint:all -Xmaxwarns 100000 \
  --module-path "$1" \
  --module-source-path "dev.heddle.api=$root/api/src/main/java" \
  --module-source-path "dev.heddle.kernels=$root/kernels/src/main/java" \
  --module-source-path "dev.heddle.runtime=$root/runtime/src/main/java:$root/runtime/target/generated-sources/annotations" \
  --module-source-path "dev.heddle.testkit=$root/testkit/src/main/java" \
  --module dev.heddle.api,dev.heddle.kernels,dev.heddle.runtime,dev.heddle.testkit >"$log" 2>&1 || status=$?
if grep -E '(warning|error):|^error|^warning' "$log" | grep -vE 'warning: no @(param|return|throws)|PatternContract\.java.*warning: no comment' ||
  [ "$status" -ne 0 ]; then
  echo "javadoc: see $log" >&2
  exit 1
fi
