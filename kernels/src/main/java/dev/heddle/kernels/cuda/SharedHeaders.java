package dev.heddle.kernels.cuda;

import dev.heddle.api.HeddleException;
import dev.heddle.api.KernelText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The headers that CUDA text of patterns may include: Heddle's own, as {@code "heddle/NAME.cuh"},
 * and the little of the host's that they need, because NVRTC knows no header of the host.
 */
final class SharedHeaders {
  private static final Pattern INCLUDE =
      Pattern.compile("#[ \\t]*include[ \\t]*[<\"]([^>\"]+)[>\"].*");

  private static final Pattern OWN = Pattern.compile("heddle/[a-z0-9_]+\\.cuh");
  private static final Pattern OF_THE_HOST = Pattern.compile("cmath|cstddef|cstdint");

  private SharedHeaders() {}

  /**
   * All headers that a text includes, directly or through others, by the names under which they are
   * included: the pattern's own and the shared ones. What is neither is left out, for the compiler
   * to complain about.
   */
  static Map<String, String> of(KernelText text) {
    Map<String, String> found = new TreeMap<>();
    Deque<String> unread = new ArrayDeque<>();
    unread.add(text.source());
    while (!unread.isEmpty()) {
      for (String name : included(unread.remove())) {
        if (!found.containsKey(name)) {
          find(name, text)
              .ifPresent(content -> {
                found.put(name, content);
                unread.add(content);
              });
        }
      }
    }
    return found;
  }

  private static List<String> included(String content) {
    return content
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("#"))
        .map(INCLUDE::matcher)
        .filter(Matcher::matches)
        .map(include -> include.group(1))
        .toList();
  }

  private static Optional<String> find(String name, KernelText text) {
    if (OWN.matcher(name).matches()) {
      return read("include/" + name);
    }
    if (OF_THE_HOST.matcher(name).matches()) {
      return read("include/nvrtc/" + name);
    }
    return Optional.ofNullable(text.headers().get(name));
  }

  private static Optional<String> read(String resource) {
    try (InputStream stream = SharedHeaders.class.getResourceAsStream(resource)) {
      return stream == null
          ? Optional.empty()
          : Optional.of(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException failure) {
      throw new HeddleException("header '" + resource + "' cannot be read", failure);
    }
  }
}
