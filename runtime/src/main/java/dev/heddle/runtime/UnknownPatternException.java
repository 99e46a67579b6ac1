package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.PatternRegistry.Entry;
import dev.heddle.runtime.PatternRegistry.Refusal;
import java.io.Serial;
import java.util.List;
import java.util.stream.Collectors;

/** A pattern was asked for by a name that no usable pattern has. */
public final class UnknownPatternException extends InvalidInputException {
  @Serial private static final long serialVersionUID = 1;

  private UnknownPatternException(String message) {
    super(message);
  }

  static UnknownPatternException missing(String name, List<Entry> entries, List<Refusal> refusals) {
    StringBuilder message = new StringBuilder();
    message.append("no pattern is called ").append(Quoted.text(name)).append("; there are: ");
    message.append(
        entries.stream()
            .map(entry -> entry.pattern().name() + " from " + entry.source())
            .collect(Collectors.joining("; ")));
    if (!refusals.isEmpty()) {
      message.append(". Refused: ");
      message.append(
          refusals.stream()
              .map(refusal -> refusal.source() + ": " + refusal.reason())
              .collect(Collectors.joining("; ")));
    }
    message.append(
        ". Correct the name, or put the module that provides it on the module path or into the"
            + " plugins' folder");
    return new UnknownPatternException(message.toString());
  }

  static UnknownPatternException contested(String name, List<String> sources) {
    return new UnknownPatternException(several(name, sources) + ". Remove all but one of them");
  }

  static String several(String name, List<String> sources) {
    return "several patterns are called \"" + name + "\": " + String.join("; ", sources);
  }
}
