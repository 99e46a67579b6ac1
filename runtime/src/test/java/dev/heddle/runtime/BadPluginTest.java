package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.runtime.PatternRegistry.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One folder of plugins that are bad in every way, each of which fails alone. */
class BadPluginTest {
  @TempDir private static Path folder;
  private static PatternRegistry registry = PatternRegistry.builder().build();

  @BeforeAll
  static void fillFolder() throws IOException {
    TestPlugin.ofPattern("good.one", "good-one").jar(at("good-one.jar"));
    TestPlugin.ofPattern("good.two", "good-two").jar(at("zgood-two.jar"));
    brokenJars();
    badProviders();
    badClasses();
    badNames();
    badDescriptors();
    otherVersionsOfTheApi();
    badNeighbours();
    registry = PatternRegistry.builder().discover().plugins(folder).build();
  }

  private static void brokenJars() throws IOException {
    byte[] whole = Files.readAllBytes(at("good-one.jar"));
    Files.write(at("truncated.jar"), Arrays.copyOf(whole, whole.length - 40));
    Files.writeString(at("text.jar"), "this is no jar");
    Files.write(at("empty.jar"), new byte[0]);
    Files.createSymbolicLink(at("dangling.jar"), at("nowhere"));
    Files.createDirectories(at("no-jars"));
    Files.writeString(at("notes.txt"), "not a plugin, and no reason to complain");
    TestPlugin.ofPattern("fine", "fine").jar(at("42.jar"));
    TestPlugin.plain("unnamed.P").jar(at("43.jar"));
  }

  private static void badProviders() {
    String name = "return \"bad\";";
    provider(
        "constructor",
        name,
        "return List.of();",
        "public P() { throw new IllegalStateException(\"no licence\"); }");
    provider(
        "initialiser",
        name,
        "return List.of();",
        "static { if (true) throw new IllegalStateException(\"no luck\"); }");
    provider(
        "naming",
        "throw new UnsupportedOperationException(\"nameless\");",
        "return List.of();",
        "");
    provider("nothing", "return null;", "return List.of();", "");
    provider("options", name, "throw new IllegalArgumentException(\"later\");", "");
    provider("nulls", name, "return null;", "");
    provider(
        "twice",
        name,
        "Option<?> o = Option.tokens(\"size\", 1, 1, \"A size.\"); return List.of(o, o);",
        "");
    provider("recursive", "return name();", "return List.of();", "");
    provider(
        "hidden",
        name,
        "return List.of();",
        "public P(int needed) {} public static SparsePattern provider() { return null; }");
  }

  private static void provider(String module, String naming, String options, String members) {
    TestPlugin.ofClass("bad." + module, TestPlugin.patternClass("", naming, options, members))
        .jar(at(module + ".jar"));
  }

  private static void badClasses() {
    TestPlugin.plain("corrupt.P")
        .resource("corrupt/P.class", "junk that is no class file")
        .jar(at("corrupt.jar"));
    TestPlugin.plain("absent.P").jar(at("absent.jar"));
    TestPlugin.plain("stranger.P")
        .source("stranger/P", "package stranger; public class P {}")
        .jar(at("stranger.jar"));
    TestPlugin.plain("needy.P")
        .source(
            "needy/P",
            "package needy; "
                + TestPlugin.patternClass(
                    "", "return helper.H.NAME.toString();", "helper.H h = new helper.H();"))
        .source(
            "helper/H", "package helper; public class H { public static Object NAME = \"needy\"; }")
        .without("helper/H.class")
        .jar(at("needy.jar"));
    TestPlugin.plain("newer.P")
        .source("newer/P", "package newer; " + TestPlugin.patternClass("", "return null;", ""))
        .compiledForLaterJdk(2)
        .jar(at("newer.jar"));
  }

  private static void badNames() {
    TestPlugin.ofPattern("name.shouting", "LOUD").jar(at("shouting.jar"));
    TestPlugin.ofPattern("name.reserved", "dense").jar(at("reserved.jar"));
    TestPlugin.ofPattern("name.taken", "a-shape").jar(at("taken.jar"));
    TestPlugin.ofPattern("name.first", "same").jar(at("same-1.jar"));
    TestPlugin.ofPattern("name.second", "same").jar(at("same-2.jar"));
  }

  private static void badDescriptors() {
    TestPlugin.module("mod.newer", "").compiledForLaterJdk(1).jar(at("newer-module.jar"));
    TestPlugin.module("mod.none", "requires dev.heddle.api;").jar(at("none.jar"));
    needing("mod.needy", "mod.lib").jar(at("lacking.jar"));
    TestPlugin.module(
            "mod.jdk",
            "requires dev.heddle.api; requires java.se;"
                + " provides dev.heddle.api.SparsePattern with p.P;")
        .source("p/P", "package p; " + TestPlugin.patternClass("", "return \"jdk\";", ""))
        .jar(at("jdk.jar"));
    TestPlugin.ofPattern("dev.heddle.pattern.ashape", "mine").jar(at("twin.jar"));
  }

  private static void otherVersionsOfTheApi() {
    Path api =
        TestPlugin.module("dev.heddle.api", "exports dev.heddle.api;")
            .source(
                "dev/heddle/api/SparsePattern",
                "package dev.heddle.api; public interface SparsePattern {}")
            .compiledWith("--module-version", "7.2.0")
            .jar(at(".built/api.jar"));
    TestPlugin.ofClass("mod.future", "public class P implements dev.heddle.api.SparsePattern {}")
        .againstOnly(api)
        .jar(at("future.jar"));
    TestPlugin.plain("mod.old.P")
        .source(
            "mod/old/P",
            "package mod.old; public class P implements dev.heddle.api.SparsePattern {}")
        .against(api)
        .jar(at("old.jar"));
    TestPlugin.plain("fat.P")
        .source("fat/P", "package fat; " + TestPlugin.patternClass("", "return \"fat\";", ""))
        .source("dev/heddle/api/Bundled", "package dev.heddle.api; public class Bundled {}")
        .jar(at("fat.jar"));
  }

  private static void badNeighbours() throws IOException {
    TestPlugin.ofPattern("mod.twofold", "twofold").jar(at("doubled/a.jar"));
    TestPlugin.ofPattern("mod.twofold", "twofold").jar(at("doubled/b.jar"));
    TestPlugin.ofPattern("mod.split", "split").jar(at("split/a.jar"));
    TestPlugin.module("mod.other", "")
        .source("mod/split/Q", "package mod.split; class Q {}")
        .jar(at("split/b.jar"));
    TestPlugin.ofPattern("mod.torn", "torn").jar(at("torn/a.jar"));
    Files.writeString(at("torn/b.jar"), "torn");
  }

  /** A module whose pattern requires a library that is not packed with it. */
  private static TestPlugin needing(String module, String library) {
    Path lib =
        TestPlugin.module(library, "exports lib;")
            .source("lib/L", "package lib; public class L {}")
            .jar(at(".built/lib.jar"));
    return TestPlugin.module(
            module,
            "requires dev.heddle.api; requires "
                + library
                + "; provides dev.heddle.api.SparsePattern with q.P;")
        .source("q/P", "package q; " + TestPlugin.patternClass("", "return \"needy\";", "lib.L l;"))
        .against(lib);
  }

  private static Path at(String name) {
    return folder.resolve(name);
  }

  /** Each plugin with the whole reason; {@code *} stands for what lies where it is built. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "truncated.jar | truncated.jar is no usable jar: zip END header not found",
        "text.jar | text.jar is no usable jar: zip END header not found",
        "empty.jar | empty.jar is no usable jar: zip file is empty",
        "dangling.jar | dangling.jar is a link that leads nowhere",
        "torn | b.jar is no usable jar: zip END header not found",
        "no-jars | the folder holds no jar",
        "43.jar | 43.jar is no usable jar: 43: Invalid module name: '43' is not a Java identifier",
        "constructor.jar | java.lang.IllegalStateException: no licence",
        "initialiser.jar | java.lang.IllegalStateException: no luck",
        "naming.jar | java.lang.UnsupportedOperationException: nameless",
        "options.jar | java.lang.IllegalArgumentException: later",
        "recursive.jar | java.lang.StackOverflowError",
        "nothing.jar | java.lang.NullPointerException: the pattern has no name",
        "nulls.jar | java.lang.NullPointerException: the pattern's options are null",
        "twice.jar | option 'size' is declared twice",
        "hidden.jar | dev.heddle.api.SparsePattern: public static dev.heddle.api.SparsePattern"
            + " bad.hidden.P.provider() returned null",
        "absent.jar | absent.jar is no usable jar: Provider class absent.P not in JAR file"
            + " absent.jar",
        "stranger.jar | dev.heddle.api.SparsePattern: stranger.P not a subtype",
        "corrupt.jar | it does not fit this version of Heddle or of the JVM:"
            + " java.lang.ClassFormatError: Incompatible magic value *",
        "needy.jar | the class helper.H, which it needs, is not there; put the jar that holds it and"
            + " the plugin's into one folder, and that into the plugins' folder",
        "old.jar | it does not fit this version of Heddle or of the JVM:"
            + " java.lang.AbstractMethodError: * is abstract",
        "newer.jar | it was compiled for JDK *, and this is JDK *",
        "newer-module.jar | newer-module.jar is no usable jar: it was compiled for JDK *, and this"
            + " is JDK *",
        "shouting.jar | the pattern's name is \"LOUD\"; allowed: lower-case words joined by dashes",
        "reserved.jar | the name \"dense\" is reserved for the built-in pattern",
        "taken.jar | there is a pattern called \"a-shape\" already, which no plugin replaces:"
            + " dev.heddle.pattern.ashape (*)",
        "same-1.jar | several patterns are called \"same\": name.first (*same-1.jar); name.second"
            + " (*same-2.jar)",
        "same-2.jar | several patterns are called \"same\": name.first (*same-1.jar); name.second"
            + " (*same-2.jar)",
        "none.jar | it provides no pattern: no module descriptor and no file in META-INF/services"
            + " names a dev.heddle.api.SparsePattern",
        "lacking.jar | its module mod.needy requires the module mod.lib, which is not there; put its"
            + " jar and the plugin's into one folder, and that into the plugins' folder",
        "jdk.jar | its module mod.jdk requires the module java.se, which is not there; it belongs to"
            + " the JDK; start with JDK_JAVA_OPTIONS=--add-modules=java.se",
        "future.jar | it was built for version 7.2.0 of dev.heddle.api, and this is version *; get a"
            + " build of it for *.x",
        "fat.jar | Module fat contains package dev.heddle.api, module dev.heddle.api exports package"
            + " dev.heddle.api to fat",
        "doubled | both a.jar and b.jar hold the module mod.twofold",
        "split | Package mod.split in more than one module",
        "twin.jar | its module has the name of one that Heddle has and other patterns:"
            + " dev.heddle.pattern.ashape (*)",
      })
  void isRefusedWithItsJarAndTheReason(String plugin, String reason) {
    assertThat(registry.refusals())
        .filteredOn(refusal -> isFrom(plugin, refusal))
        .extracting(Refusal::reason)
        .singleElement()
        .asString()
        .matches(Pattern.quote(reason).replace("*", "\\E.*\\Q"));
  }

  @Test
  void nothingElseIsRefused() {
    assertThat(registry.refusals()).hasSize(36);
  }

  @Test
  void theOthersWork() {
    assertThat(registry.entries())
        .extracting(entry -> entry.pattern().name())
        .containsExactly(
            "a-shape", "block-sparse", "dense", "fine", "good-one", "good-two", "vertical-slash");
  }

  @Test
  void aContestedNameIsAnErrorThatNamesBothJars() {
    assertThatThrownBy(() -> registry.get("same"))
        .isInstanceOf(UnknownPatternException.class)
        .hasMessageContainingAll(at("same-1.jar").toString(), at("same-2.jar").toString());
  }

  @Test
  void anUnknownNameBringsTheRefusals() {
    assertThatThrownBy(() -> registry.get("torn"))
        .isInstanceOf(UnknownPatternException.class)
        .hasMessageContaining(at("torn") + ": b.jar is no usable jar: zip END header not found");
  }

  /** A refusal is of a place, or of a module and its place. */
  private static boolean isFrom(String plugin, Refusal refusal) {
    String place = at(plugin).toString();
    return refusal.source().equals(place) || refusal.source().endsWith(" (" + place + ")");
  }
}
