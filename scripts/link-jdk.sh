#!/bin/sh
# Makes a JDK that holds what Heddle needs of one: link-jdk.sh FOLDER. Only modules of the JDK are linked, because jlink refuses
# automatic modules, which JCuda is one of; Heddle's own stay jars on the module path.
set -eu
. "$(dirname -- "$0")/find-jdk.sh"
find_jdk || exit 1
rm -rf "$1"
# java.se, with java.desktop for pictures, and jdk.management for plugins as well; jdk.unsupported for the tokenizer's library;
# jdk.localedata is left out.
# Without the plugin system-modules, whose generated class hangs on the random order of Set.of: two builds must give the same
# bytes. Without it Java starts as fast, as far as can be seen.
exec "$JAVA_HOME/bin/jlink" --disable-plugin system-modules --output "$1" \
  --add-modules java.se,jdk.incubator.vector,jdk.management,jdk.unsupported,jdk.zipfs \
  --strip-debug --no-header-files --no-man-pages --compress zip-6
