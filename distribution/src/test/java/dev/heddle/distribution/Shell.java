package dev.heddle.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Starts programs as a user would.
 *
 * @param folder the working folder
 * @param environment variables that differ from this process's
 */
record Shell(Path folder, Map<String, String> environment) {
  static Shell in(Path folder) {
    return new Shell(folder, Map.of());
  }

  Shell with(String variable, String value) {
    Map<String, String> more = new LinkedHashMap<>(environment);
    more.put(variable, value);
    return new Shell(folder, more);
  }

  /**
   * What a program did.
   *
   * @param command for messages
   */
  record Run(List<String> command, int status, String out, String err) {
    Run succeeded() {
      assertThat(status).as("%s%n%s%s", command, out, err).isZero();
      return this;
    }

    JsonNode json() {
      return JsonMapper.builder().build().readTree(succeeded().out);
    }
  }

  Run run(Object... command) throws IOException, InterruptedException {
    List<String> words = Arrays.stream(command).map(String::valueOf).toList();
    Path err = Files.createTempFile("err", ".txt");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(words).directory(folder.toFile()).redirectError(err.toFile());
      builder.environment().putAll(environment);
      Process process = builder.start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Run(words, process.waitFor(), out, Files.readString(err));
    } finally {
      Files.delete(err);
    }
  }
}
