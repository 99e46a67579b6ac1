package dev.heddle.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** The Java of a document. */
final class DocumentExamples {
  private static final Pattern JAVA_BLOCK = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);
  private static final Pattern CLASS_NAME = Pattern.compile("(?:final )?class (\\w+)");
  private static final Pattern MODULE = Pattern.compile("^module ", Pattern.MULTILINE);

  private DocumentExamples() {}

  /** Its classes; module descriptors are left out. */
  static List<JavaFileObject> of(String file) {
    return JAVA_BLOCK
        .matcher(Repository.read(Repository.path(file)))
        .results()
        .map(MatchResult.class::cast)
        .map(block -> block.group(1))
        .filter(text -> !MODULE.matcher(text).find())
        .<JavaFileObject>map(Source::new)
        .toList();
  }

  /** What the compiler says of them. */
  static List<Diagnostic<? extends JavaFileObject>> compile(
      List<JavaFileObject> sources, Path out) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
    List<String> options =
        List.of(
            "-d",
            out.toString(),
            "-classpath",
            System.getProperty("java.class.path"),
            "-proc:none",
            "-Xlint:all");
    compiler.getTask(null, null, diagnostics, options, null, sources).call();
    return diagnostics.getDiagnostics();
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String text) {
      super(URI.create("string:///" + className(text) + ".java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }

    private static String className(String text) {
      Matcher name = CLASS_NAME.matcher(text);
      assertThat(name.find()).as("a class in the example%n%s", text).isTrue();
      return name.group(1);
    }
  }
}
