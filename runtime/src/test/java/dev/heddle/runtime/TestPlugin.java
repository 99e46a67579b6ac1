package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A plugin in source, which {@link #jar} compiles against the API of this test and packs. */
final class TestPlugin {
  private static final String PROVIDED = "META-INF/services/dev.heddle.api.SparsePattern";

  private final Map<String, String> sources = new LinkedHashMap<>();
  private final Map<String, String> resources = new LinkedHashMap<>();
  private final List<String> arguments = new ArrayList<>();
  private String modulePath = System.getProperty("jdk.module.path");
  private int classVersionPlus;
  private String withoutClass = "";

  /** A plugin with a module descriptor that holds {@code directives}. */
  static TestPlugin module(String name, String directives) {
    return new TestPlugin().source("module-info", "module " + name + " { " + directives + " }");
  }

  /** A module that provides the class {@code name.P}, a pattern called {@code pattern}. */
  static TestPlugin ofPattern(String name, String pattern) {
    return ofClass(name, patternClass(pattern, "return \"" + pattern + "\";", ""));
  }

  /** A module that provides the class {@code name.P}, which is {@code body}. */
  static TestPlugin ofClass(String name, String body) {
    return module(
            name,
            "requires dev.heddle.api; provides dev.heddle.api.SparsePattern with " + name + ".P;")
        .source(name.replace('.', '/') + "/P", "package " + name + "; " + body);
  }

  /** A jar without a descriptor that names {@code provider} in {@code META-INF/services}. */
  static TestPlugin plain(String provider) {
    return new TestPlugin().resource(PROVIDED, provider + "\n");
  }

  /** The class {@code P}, a pattern whose {@code name()} does {@code naming}. */
  static String patternClass(String about, String naming, String members) {
    return patternClass(about, naming, "return List.of();", members);
  }

  static String patternClass(String about, String naming, String options, String members) {
    return """
    import dev.heddle.api.*;
    import java.util.List;
    public class P implements SparsePattern {
      %s
      public String name() { %s }
      public String description() { return "%s"; }
      public List<Option<?>> options() { %s }
      public BlockIndex index(HeadInputs head, Options options) {
        return BlockIndex.dense(head.shape(), head.blocks());
      }
    }
    """
        .formatted(members, naming, about, options);
  }

  TestPlugin source(String name, String text) {
    sources.put(name + ".java", text);
    return this;
  }

  TestPlugin resource(String name, String text) {
    resources.put(name, text);
    return this;
  }

  /** Compiles against {@code jars} before the modules of this test. */
  TestPlugin against(Path... jars) {
    modulePath =
        Stream.concat(Stream.of(jars).map(Path::toString), Stream.of(modulePath))
            .collect(Collectors.joining(File.pathSeparator));
    return this;
  }

  /** Compiles against {@code jars} alone. */
  TestPlugin againstOnly(Path... jars) {
    modulePath = "";
    against(jars);
    return this;
  }

  TestPlugin compiledWith(String... more) {
    arguments.addAll(List.of(more));
    return this;
  }

  /** Marks each class as compiled for a JDK that comes so many versions after this one. */
  TestPlugin compiledForLaterJdk(int versions) {
    classVersionPlus = versions;
    return this;
  }

  /** Leaves a class that was compiled out of the jar. */
  TestPlugin without(String classFile) {
    withoutClass = classFile;
    return this;
  }

  /** Compiles and packs it; returns {@code file}. */
  Path jar(Path file) {
    try {
      Path work = Files.createTempDirectory(Files.createDirectories(file.getParent()), ".build");
      Path classes = compile(work);
      for (Map.Entry<String, String> resource : resources.entrySet()) {
        write(classes.resolve(resource.getKey()), resource.getValue());
      }
      if (!withoutClass.isEmpty()) {
        Files.delete(classes.resolve(withoutClass));
      }
      age(classes);
      pack(classes, file);
      delete(work);
      return file;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private Path compile(Path work) throws IOException {
    Path classes = Files.createDirectories(work.resolve("classes"));
    List<String> command = new ArrayList<>(List.of("-d", classes.toString(), "-p", modulePath));
    if (!sources.containsKey("module-info.java")) {
      command.set(2, "-cp");
      command.set(3, modulePath);
    }
    command.addAll(arguments);
    for (Map.Entry<String, String> source : sources.entrySet()) {
      Path file = work.resolve("sources").resolve(source.getKey());
      write(file, source.getValue());
      command.add(file.toString());
    }
    if (!sources.isEmpty()) {
      compile(command);
    }
    return classes;
  }

  /** The major version is the big-endian number in bytes 6 and 7 of a class file. */
  private void age(Path classes) throws IOException {
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        bytes[7] += (byte) classVersionPlus;
        Files.write(file, bytes);
      }
    }
  }

  /** Not by the {@code jar} tool, which refuses some of what is to be refused here. */
  private static void pack(Path classes, Path file) throws IOException {
    try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file));
        Stream<Path> paths = Files.walk(classes)) {
      for (Path path : paths.filter(Files::isRegularFile).sorted().toList()) {
        jar.putNextEntry(new JarEntry(classes.relativize(path).toString()));
        Files.copy(path, jar);
      }
    }
  }

  private static void compile(List<String> command) {
    ToolProvider compiler = ToolProvider.findFirst("javac").orElseThrow();
    int status = compiler.run(System.out, System.err, command.toArray(String[]::new));
    assertThat(status).as("javac " + String.join(" ", command)).isZero();
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
