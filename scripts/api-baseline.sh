#!/bin/sh
# Takes the present api as the baseline that later builds are compared with (see api/pom.xml). For a release, and for a change
# that is meant to break patterns: say so in CHANGELOG.md.
set -eu
cd "$(dirname -- "$0")/.."
./mvnw -q -B -Dmaven.test.skip=true -pl api -am package
mkdir -p api/src/baseline
cp api/target/heddle-api-*.jar api/src/baseline/heddle-api.jar
ls -l api/src/baseline/heddle-api.jar
