# Sourced by mvnw and heddle: sets JAVA_HOME to a JDK 25 (25.0.3 or later, see docs/architecture.md) or fails with a remedy.

# Prints "FEATURE INTERIM UPDATE" of the JDK in folder $1, or nothing when there is no JDK.
jdk_version() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9][0-9.]*\).*/\1/p' "$1/release" | awk -F. '{ print $1, $2 + 0, $3 + 0 }'
}

# True when folder $1 holds a JDK 25 that is new enough: earlier updates have a G1 bug with pinned arrays.
jdk_fits() {
  set -- $(jdk_version "$1")
  [ "$#" -eq 3 ] && [ "$1" -eq 25 ] && { [ "$2" -gt 0 ] || [ "$3" -ge 3 ]; }
}

find_jdk() {
  path_java=$(command -v java 2>/dev/null || true)
  path_home=""
  if [ -n "$path_java" ]; then
    path_home=$(dirname "$(dirname "$(readlink -f "$path_java" 2>/dev/null || echo "$path_java")")")
  fi
  for folder in "${JAVA_HOME:-}" "$path_home" /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if [ -n "$folder" ] && jdk_fits "$folder"; then
      JAVA_HOME=$folder
      export JAVA_HOME
      return 0
    fi
  done
  echo "No JDK 25 (25.0.3 or later) found in JAVA_HOME, on the PATH or in the usual folders." >&2
  echo "Install one (for example Temurin 25) and set JAVA_HOME to its folder." >&2
  return 1
}
