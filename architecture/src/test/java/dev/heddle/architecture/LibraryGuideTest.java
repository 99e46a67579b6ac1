package dev.heddle.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * What docs/library.md shows stands in {@code examples/library} word for word, where it is compiled
 * and run.
 */
class LibraryGuideTest {
  private static final String GUIDE = Repository.read(Repository.path("docs/library.md"));
  private static final Pattern BLOCK =
      Pattern.compile("```(java|json|xml)\\n(.*?)```", Pattern.DOTALL);

  @Test
  void everySnippetIsOfTheExample() {
    List<String> snippets = snippets("java");
    assertThat(snippets).hasSizeGreaterThanOrEqualTo(8);
    String code =
        Repository.exampleSources().stream()
            .filter(file -> file.toString().contains("examples/library/src/main"))
            .map(Repository::read)
            .map(LibraryGuideTest::withoutIndentation)
            .collect(Collectors.joining("\n"));
    assertThat(snippets)
        .allSatisfy(snippet -> assertThat(code).contains(withoutIndentation(snippet)));
  }

  @Test
  void theHeadsFileIsTheExamples() {
    assertThat(snippets("json"))
        .containsExactly(Repository.read(Repository.path("examples/library/heads.json")));
  }

  @Test
  void theDependenciesAreOfThisVersion() {
    String version =
        Repository.read(Repository.path("pom.xml"))
            .replaceFirst("(?s).*?<artifactId>heddle</artifactId>\\s*<version>(.*?)<.*", "$1");
    assertThat(version).matches("\\d+\\.\\d+\\.\\d+");
    List<String> dependencies = snippets("xml").getFirst().lines().toList();
    assertThat(dependencies)
        .hasSizeGreaterThanOrEqualTo(4)
        .allSatisfy(line -> assertThat(line).contains("<version>" + version + "</version>"));
  }

  @Test
  void theLinkedModulesAreTheExamples() {
    Pattern modules = Pattern.compile("--add-modules (\\S+)");
    assertThat(found(modules, GUIDE))
        .isNotEmpty()
        .isEqualTo(found(modules, Repository.read(Repository.path("examples/library/link.sh"))));
  }

  private static List<String> found(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(match -> match.group(1)).toList();
  }

  private static List<String> snippets(String language) {
    return BLOCK
        .matcher(GUIDE)
        .results()
        .filter(block -> block.group(1).equals(language))
        .map(block -> block.group(2))
        .toList();
  }

  private static String withoutIndentation(String text) {
    return text.lines().map(String::strip).collect(Collectors.joining("\n"));
  }
}
