package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A project in which somebody writes a pattern, made from the templates beside this class.
 *
 * @param name the pattern's name
 * @param packageName its Java package, also the name of its module
 */
record PatternProject(String name, String packageName) {
  private static final Pattern PATTERN_NAME = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");
  private static final Pattern PACKAGE_NAME =
      Pattern.compile("[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*");

  /** Words that no part of a package may be; names of types and modules may. */
  private static final Set<String> KEYWORDS =
      Set.of(
          ("abstract assert boolean break byte case catch char class const continue default do double"
                  + " else enum extends false final finally float for goto if implements import"
                  + " instanceof int interface long native new null package private protected public"
                  + " return short static strictfp super switch synchronized this throw throws"
                  + " transient true try void volatile while")
              .split(" "));

  /**
   * Checks the names.
   *
   * @param packageName made from the pattern's name when empty
   * @throws InvalidInputException if one is not allowed
   */
  static PatternProject of(String name, Optional<String> packageName) {
    if (!PATTERN_NAME.matcher(name).matches()) {
      throw new InvalidInputException(
          "the pattern's name is \""
              + name
              + "\"; allowed: lower-case words joined by dashes, such as dilated-window");
    }
    String home = packageName.orElse("com.example." + packageWord(name));
    if (!PACKAGE_NAME.matcher(home).matches()
        || Arrays.stream(home.split("\\.")).anyMatch(KEYWORDS::contains)) {
      throw new InvalidInputException(
          "the package is \""
              + home
              + "\"; allowed: lower-case Java names joined by dots, such as com.example.mine");
    }
    return new PatternProject(name, home);
  }

  /** The pattern's class: {@code DilatedWindowPattern}. */
  String className() {
    return Arrays.stream(name.split("-"))
        .map(word -> Character.toUpperCase(word.charAt(0)) + word.substring(1))
        .collect(Collectors.joining("", "", "Pattern"));
  }

  /**
   * Writes the project.
   *
   * @return the files, relative to {@code folder}
   * @throws InvalidInputException if there is something in the folder, or it cannot be made
   */
  List<String> write(Path folder) throws IOException {
    requireEmpty(folder);
    List<String> written = new ArrayList<>();
    for (Map.Entry<String, String> file : templates().entrySet()) {
      Path target = folder.resolve(file.getKey());
      Files.createDirectories(Objects.requireNonNull(target.getParent()));
      Files.writeString(target, filled(file.getValue()));
      written.add(file.getKey());
    }
    return written;
  }

  /** Each file with its template. */
  private Map<String, String> templates() {
    String home = packageName.replace('.', '/');
    String main = "src/main/java/";
    String test = "src/test/java/";
    Map<String, String> files = new LinkedHashMap<>();
    files.put("README.md", "README.md");
    files.put("pom.xml", "pom.xml");
    files.put("heads.json", "heads.json");
    files.put(".gitignore", "gitignore");
    files.put(main + "module-info.java", "module-info.java");
    files.put(main + home + "/" + className() + ".java", "Pattern.java");
    files.put(test + home + "/" + className() + "Test.java", "PatternTest.java");
    return files;
  }

  private String filled(String template) throws IOException {
    String resource = "new-pattern/" + template + ".txt";
    try (InputStream in =
        Objects.requireNonNull(PatternProject.class.getResourceAsStream(resource), resource)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .replace("@name@", name)
          .replace("@package@", packageName)
          .replace("@Class@", className())
          .replace("@version@", Version.number());
    }
  }

  private static void requireEmpty(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    if (!Files.isDirectory(folder)) {
      throw new InvalidInputException(folder + " is a file; allowed: an empty or a new folder");
    }
    try (Stream<Path> files = Files.list(folder)) {
      if (files.findAny().isPresent()) {
        throw new InvalidInputException(folder + " holds files; allowed: an empty or a new folder");
      }
    }
  }

  private static String packageWord(String name) {
    String word = name.replace("-", "");
    return KEYWORDS.contains(word) ? word + "pattern" : word;
  }
}
