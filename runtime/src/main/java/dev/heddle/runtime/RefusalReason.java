package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import java.lang.module.FindException;
import java.lang.module.InvalidModuleDescriptorException;
import java.lang.module.ResolutionException;
import java.util.ServiceConfigurationError;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why a provider cannot be used, in one line, to a reader who has its jar and not its code. */
final class RefusalReason {
  /** Causes that are followed: chains may have loops. */
  private static final int MOST_CAUSES = 20;

  /** The version of a class file, as the JVM's messages have it. */
  private static final Pattern CLASS_VERSION = Pattern.compile("version (\\d+)\\.");

  /** Class files of JDK n have version n + 44. */
  private static final int CLASS_VERSION_OF_JDK_0 = 44;

  private RefusalReason() {}

  static String of(Throwable failure) {
    return switch (failure) {
      case InvalidInputException declaredBadly -> message(declaredBadly);
      case ServiceConfigurationError provider -> ofProvider(provider);
      case FindException modules -> ofModules(root(modules));
      case ResolutionException modules -> ofModules(root(modules));
      case LayerInstantiationException modules -> ofModules(root(modules));
      case ExceptionInInitializerError initializer -> line(root(initializer));
      case UnsupportedClassVersionError newer -> ofVersion(newer);
      case NoClassDefFoundError missing when missing.getCause() instanceof ClassNotFoundException ->
          ofMissing(missing);
      case LinkageError linkage ->
          "it does not fit this version of Heddle or of the JVM: " + line(root(linkage));
      default -> line(root(failure));
    };
  }

  private static String ofProvider(ServiceConfigurationError provider) {
    Throwable cause = provider.getCause();
    if (cause == null) {
      return message(provider);
    }
    return cause instanceof ServiceConfigurationError ? line(root(cause)) : of(cause);
  }

  private static String ofModules(Throwable root) {
    return root instanceof InvalidModuleDescriptorException descriptor
        ? ofVersion(descriptor)
        : message(root);
  }

  private static String ofVersion(Throwable failure) {
    Matcher version = CLASS_VERSION.matcher(message(failure));
    int here = Runtime.version().feature();
    int jdk = version.find() ? Integer.parseInt(version.group(1)) - CLASS_VERSION_OF_JDK_0 : here;
    return jdk > here
        ? "it was compiled for JDK %d, and this is JDK %d".formatted(jdk, here)
        : message(failure);
  }

  private static String ofMissing(NoClassDefFoundError missing) {
    return "the class "
        + message(missing).replace('/', '.')
        + ", which it needs, is not there; put the jar that holds it and the plugin's into one"
        + " folder, and that into the plugins' folder";
  }

  private static Throwable root(Throwable failure) {
    Throwable root = failure;
    for (int depth = 0; depth < MOST_CAUSES && root.getCause() != null; depth++) {
      root = root.getCause();
    }
    return root;
  }

  private static String message(Throwable failure) {
    String message = failure.getMessage();
    return message == null ? line(failure) : firstLine(message);
  }

  private static String line(Throwable failure) {
    String text = firstLine(String.valueOf(failure));
    return text.isEmpty() ? failure.getClass().getName() : text;
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }
}
