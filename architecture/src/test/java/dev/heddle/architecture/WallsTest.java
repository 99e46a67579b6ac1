package dev.heddle.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What may depend on what. Each rule names the one place that may do a thing. */
class WallsTest {
  private static final JavaClasses HEDDLE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.heddle");

  @Test
  void thereIsSomethingToCheck() {
    assertThat(HEDDLE.size()).isGreaterThan(100);
  }

  @Test
  void apiNeedsOnlyTheJdk() {
    classes()
        .that()
        .resideInAPackage("dev.heddle.api..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", "dev.heddle.api..", "org.jspecify..")
        .check(HEDDLE);
  }

  @Test
  void patternsNeedOnlyTheApi() {
    classes()
        .that()
        .resideInAPackage("dev.heddle.pattern..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", "dev.heddle.api..", "dev.heddle.pattern..", "org.jspecify..")
        .check(HEDDLE);
  }

  @Test
  void patternsDoNotKnowEachOther() {
    for (String pattern : new String[] {"ashape", "verticalslash", "blocksparse"}) {
      String home = "dev.heddle.pattern." + pattern + "..";
      noClasses()
          .that()
          .resideInAPackage(home)
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.heddle.pattern..").and(resideOutsideOfPackages(home)))
          .check(HEDDLE);
      noClasses()
          .that()
          .resideOutsideOfPackage(home)
          .should()
          .dependOnClassesThat(resideInAPackage(home))
          .check(HEDDLE);
    }
  }

  @Test
  void onlyTheVectorBackendUsesTheVectorApi() {
    onlyIn("jdk.incubator.vector..", "dev.heddle.kernels.vector..");
  }

  @Test
  void backendsDoNotKnowEachOther() {
    onlyIn("dev.heddle.kernels.vector..", "dev.heddle.kernels", "dev.heddle.kernels.vector..");
    onlyIn(
        "dev.heddle.kernels.reference..", "dev.heddle.kernels", "dev.heddle.kernels.reference..");
    onlyIn("dev.heddle.kernels.cuda..", "dev.heddle.kernels", "dev.heddle.kernels.cuda..");
  }

  @Test
  void onlyTheCudaBackendUsesCudaBindings() {
    onlyIn("jcuda..", "dev.heddle.kernels.cuda..");
  }

  /** Tests, benchmarks and descriptors too, which the classes above leave out. */
  @Test
  void noOtherSourceNamesCudaBindings() {
    Pattern named =
        Pattern.compile("^\\s*(import (static )?|requires .*)jcuda\\b", Pattern.MULTILINE);
    List<Path> sources = Repository.allJavaSources();
    assertThat(sources.size()).isGreaterThan(300);
    Path home = Repository.path("kernels", "src");
    assertThat(
            sources.stream()
                .filter(file -> named.matcher(Repository.read(file)).find())
                .filter(file -> !(file.startsWith(home) && isCudaBackendOrDescriptor(file))))
        .isEmpty();
  }

  private static boolean isCudaBackendOrDescriptor(Path file) {
    return file.toString().contains("/java/dev/heddle/kernels/cuda/")
        || file.endsWith(Path.of("main", "java", "module-info.java"));
  }

  @Test
  void onlyTheRuntimeIsWired() {
    onlyIn("dagger..", "dev.heddle.runtime..", "dev.heddle.cli..");
  }

  @Test
  void librariesStayWhereTheyAreNeeded() {
    onlyIn("ai.djl..", "dev.heddle.llm..");
    onlyIn("picocli..", "dev.heddle.cli..");
    onlyIn("me.tongfei..", "dev.heddle.cli..");
    onlyIn("java.awt..", "dev.heddle.cli..");
    onlyIn("javax.imageio..", "dev.heddle.cli..");
    onlyIn(
        "tools.jackson..",
        "dev.heddle.runtime..",
        "dev.heddle.llm..",
        "dev.heddle.search..",
        "dev.heddle.cli..");
    onlyIn("org.junit..", "dev.heddle.testkit..");
  }

  @Test
  void theRuntimeDoesNotKnowItsCallers() {
    onlyIn("dev.heddle.cli..", "dev.heddle.cli..");
    onlyIn("dev.heddle.search..", "dev.heddle.search..", "dev.heddle.cli..");
    onlyIn("dev.heddle.llm..", "dev.heddle.llm..", "dev.heddle.search..", "dev.heddle.cli..");
    onlyIn(
        "dev.heddle.runtime..",
        "dev.heddle.runtime..",
        "dev.heddle.llm..",
        "dev.heddle.search..",
        "dev.heddle.cli..");
  }

  @Test
  void noStaticStateCanChange() {
    fields().that().areStatic().should().beFinal().check(HEDDLE);
  }

  private static void onlyIn(String used, String... homes) {
    noClasses()
        .that()
        .resideOutsideOfPackages(homes)
        .should()
        .dependOnClassesThat(resideInAPackage(used))
        .allowEmptyShould(false)
        .check(HEDDLE);
  }
}
