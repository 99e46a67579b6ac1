#!/bin/sh
# Runs the program on the module path, after `mvn package`. JAVA_HOME is a JDK 25; arguments are the program's.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
exec "${JAVA_HOME:?set JAVA_HOME to a JDK 25}/bin/java" \
  --enable-native-access=jcuda,dev.heddle.kernels,com.example.library \
  -p "$here/target/lib" -m com.example.library/com.example.library.Application "$@"
