package dev.heddle.kernels.cuda;

import dev.heddle.api.HeddleException;
import dev.heddle.api.KernelText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The headers that CUDA text of patterns may include: Heddle's own, as {@code "heddle/NAME.cuh"},
 * and the little of the host's that they need, because NVRTC knows no header of the host.
 */
final class SharedHeaders {
  private static final String INCLUDE = "include";
  private static final String OWN = "heddle/";
  private static final Set<String> OF_THE_HOST = Set.of("cmath", "cstddef", "cstdint");

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
        Optional<String> content = found.containsKey(name) ? Optional.empty() : find(name, text);
        if (content.isPresent()) {
          found.put(name, content.get());
          unread.add(content.get());
        }
      }
    }
    return found;
  }

  /**
   * What a text includes. By hand, because a JVM that has just started needs longer for streams of
   * lines and regular expressions than to load the kernels that an earlier process compiled.
   */
  private static List<String> included(String content) {
    List<String> names = new ArrayList<>();
    for (int sign = content.indexOf('#'); sign >= 0; sign = content.indexOf('#', sign + 1)) {
      int word = skipBlanks(content, sign + 1);
      if (content.startsWith(INCLUDE, word) && isFirstOfLine(content, sign)) {
        int open = skipBlanks(content, word + INCLUDE.length());
        int end = endOfName(content, open + 1);
        if (end > open + 1 && "<\"".indexOf(content.charAt(open)) >= 0) {
          names.add(content.substring(open + 1, end));
        }
      }
    }
    return names;
  }

  private static int skipBlanks(String content, int from) {
    int i = from;
    while (i < content.length() && isBlank(content.charAt(i))) {
      i++;
    }
    return i;
  }

  private static boolean isBlank(char letter) {
    return letter == ' ' || letter == '\t';
  }

  private static boolean isFirstOfLine(String content, int place) {
    int i = place - 1;
    while (i >= 0 && isBlank(content.charAt(i))) {
      i--;
    }
    return i < 0 || content.charAt(i) == '\n' || content.charAt(i) == '\r';
  }

  /** The place of the {@code >} or quote that ends a name in its line; -1 if there is none. */
  private static int endOfName(String content, int from) {
    for (int i = from; i < content.length(); i++) {
      switch (content.charAt(i)) {
        case '>', '"' -> {
          return i;
        }
        case '\n', '\r' -> {
          return -1;
        }
        default -> {}
      }
    }
    return -1;
  }

  private static Optional<String> find(String name, KernelText text) {
    if (name.startsWith(OWN) && name.endsWith(".cuh") && name.indexOf('/', OWN.length()) < 0) {
      return read("include/" + name);
    }
    if (OF_THE_HOST.contains(name)) {
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
