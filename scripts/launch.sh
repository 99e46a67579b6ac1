# Sourced by the heddle command, in a checkout and in a distribution: starts Java. Wants $home (Heddle's folder), $lib (the
# module path) and JAVA_HOME; takes the command's arguments.
launch() {
  terminal=false
  if [ -t 2 ]; then terminal=true; fi

  # The native tokenizer is loaded by ai.djl.tokenizers, which asks com.sun.jna about the processor; jcuda and
  # dev.heddle.kernels call the CUDA driver.
  exec "$JAVA_HOME/bin/java" \
    --enable-native-access=ai.djl.tokenizers,com.sun.jna,jcuda,dev.heddle.kernels \
    -Dheddle.home="$home" \
    -Dheddle.terminal="$terminal" \
    -p "$lib" -m dev.heddle.cli/dev.heddle.cli.Heddle "$@"
}
