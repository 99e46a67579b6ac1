#!/bin/sh
# Links a JDK that holds what the program needs of one, after `mvn package`: target/jdk. Then `JAVA_HOME=target/jdk ./run.sh`.
# jlink refuses automatic modules, which JCuda and Dagger's javax.inject are, so only modules of the JDK are linked, and
# those of the program stay jars on the module path. java.logging and the Vector API are Heddle's need, java.xml is Jackson's.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
rm -rf "$here/target/jdk"
exec "${JAVA_HOME:?set JAVA_HOME to a JDK 25}/bin/jlink" --output "$here/target/jdk" \
  --add-modules java.logging,java.xml,jdk.incubator.vector \
  --strip-debug --no-header-files --no-man-pages
