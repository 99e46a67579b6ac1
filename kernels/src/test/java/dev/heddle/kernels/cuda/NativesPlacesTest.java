package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * JCuda's natives are found wherever Heddle's jars lie. Where they are missing nothing else is
 * asked, so any other answer about the machine has found them.
 */
class NativesPlacesTest {
  @Test
  void inTheModulePathOfAChildLayer() throws Exception {
    assertThat(answer("layer", path("")))
        .containsAnyOf("Refused", "Available")
        .doesNotContain("JCuda");
  }

  @Test
  void onAClassPath() throws Exception {
    assertThat(answer("classes", path("")))
        .containsAnyOf("Refused", "Available")
        .doesNotContain("JCuda");
  }

  @Test
  void butNotWhereTheyAreNot() throws Exception {
    assertThat(answer("classes", path("jcuda-natives")))
        .contains("JCuda's natives for")
        .contains("put jcuda-natives-12.6.0-linux-x86_64.jar beside jcuda-12.6.0.jar");
  }

  private static String answer(String way, String path) throws Exception {
    return ChildJava.run(
        List.of("-cp", ChildJava.testClasses(), NativesPlacesMain.class.getName(), way, path));
  }

  /** The jars and classes that the CUDA backend needs, but for those called {@code missing}. */
  private static String path(String missing) {
    return Stream.of(ChildJava.classPath().split(File.pathSeparator, -1))
        .filter(part ->
            part.equals(ChildJava.classes())
                || part.contains("jcuda")
                || part.contains("jspecify")
                || part.contains("heddle-api")
                || part.contains("api" + File.separator + "target"))
        .filter(part -> missing.isEmpty() || !part.contains(missing))
        .distinct()
        .collect(Collectors.joining(File.pathSeparator));
  }
}
