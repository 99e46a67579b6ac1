package dev.heddle.api;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * CUDA text that is compiled at run time.
 *
 * @param fileName the name by which the compiler's messages call the text, such as {@code
 *     "my_pattern.cu"}
 * @param source the text, in CUDA C++17
 * @param headers the pattern's own headers, by the names under which the text includes them
 */
public record KernelText(String fileName, String source, Map<String, String> headers) {
  /** Copies the headers. */
  public KernelText {
    headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
  }
}
