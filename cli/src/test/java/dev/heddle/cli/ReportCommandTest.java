package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** The page, read without a browser: it is XML as well. */
class ReportCommandTest {
  /** All that a page may have; no script, nothing that fetches. */
  private static final Set<String> ELEMENTS =
      Set.of(
          "html",
          "head",
          "meta",
          "title",
          "style",
          "body",
          "main",
          "article",
          "h1",
          "h2",
          "p",
          "dl",
          "dt",
          "dd",
          "div",
          "table",
          "thead",
          "tbody",
          "tr",
          "th",
          "td",
          "details",
          "summary",
          "b",
          "figure",
          "figcaption",
          "ul",
          "li",
          "svg",
          "g",
          "rect",
          "text",
          "circle",
          "line",
          "polyline",
          "polygon");

  @TempDir private Path folder;

  @Test
  void aSearchBecomesAPage() throws Exception {
    Document page = page(ReportSamples.search("models/some-model", 3, 4));
    assertThat(texts(page, "h1")).containsExactly("Heads found for some-model");
    assertThat(texts(page, "p").getFirst())
        .contains("12 heads in 3 layers", "6.1 times as fast", "18.8 %", "0.0313 nats");
    assertThat(texts(page, "figcaption"))
        .containsExactly(
            "pattern",
            "density (% of cells)",
            "recall (% of attention mass)",
            "error of the output (% of dense)",
            "cost (% of dense)");
    // Each map has each head, and each layer's table has its heads.
    NodeList figures = page.getElementsByTagName("figure");
    for (int i = 0; i < figures.getLength(); i++) {
      NodeList cells = ((Element) figures.item(i)).getElementsByTagName("title");
      assertThat(cells.getLength()).isEqualTo(12);
    }
    assertThat(texts(page, "summary")).hasSize(3);
    List<String> row = texts(rows(page).get(4), "td"); // behind four patterns
    assertThat(row)
        .startsWith("0", "a-shape", "local 64", "0.0 %", "100.0 %", "75.0 %")
        .endsWith("1.25");
  }

  @Test
  void anEvaluationBecomesAPage() throws Exception {
    Document page = page(ReportSamples.eval("models/some-model", "a/found.json"));
    assertThat(texts(page, "h2"))
        .containsExactly(
            "Many facts planted in a text",
            "One fact planted at a certain depth of a text",
            "Bits per byte of a text",
            "Time against length");
    assertThat(texts(page, "td"))
        .contains("found.json", "9 of 12", "47–91 %", "4 of 6", "2.5250", "+1.00 %", "4.0x");
    assertThat(texts(page, "figcaption")).containsExactly("dense", "found.json", "Task facts");
    assertThat(texts(page, "dd")).contains("models/some-model", "a/found.json");
  }

  @Test
  void severalFilesBecomeOneReport() throws Exception {
    write("a.json", ReportSamples.search("m", 1, 2));
    write("b.json", ReportSamples.eval("m", "found.json"));
    run("@a.json @b.json --out @r.html").succeeded();
    Document page = parse(Files.readString(folder.resolve("r.html")));
    assertThat(texts(page, "h1")).containsExactly("Heads found for m", "Heads judged on m");
  }

  @Test
  void namesAreShownAsTheyAreAndDoNothing() throws Exception {
    String wicked = ReportSamples.WICKED;
    String shown = wicked.replace('\u0007', '\uFFFD');
    write("a.json", ReportSamples.search(wicked, 1, 2));
    write("b.json", ReportSamples.eval(wicked, wicked + "/" + wicked));
    String search = Files.readString(folder.resolve("a.json"));
    Files.writeString(
        folder.resolve("a.json"),
        search
            .replace("\"a-shape\"", "\"<img src=x onerror='1'>\"")
            .replace("\"local\"", "\"<b>\""));
    run("@a.json @b.json --out @r.html").succeeded();
    String html = Files.readString(folder.resolve("r.html"));
    assertThat(html).doesNotContain("<script", "<img", "<b>\"");
    Document page = parse(html);
    requireNothingForeign(page);
    assertThat(texts(page, "dd")).contains(shown, shown + "/" + shown);
    assertThat(texts(page, "td")).contains("<img src=x onerror='1'>", "<b> 64");
  }

  @Test
  void layersOfAManyHeadedModelAreOpenedOneByOne() throws Exception {
    Document page = page(ReportSamples.search("m", 32, 32));
    NodeList layers = page.getElementsByTagName("details");
    assertThat(layers.getLength()).isEqualTo(32);
    assertThat(((Element) layers.item(0)).hasAttribute("open")).isFalse();
    assertThat(Files.size(folder.resolve("r.html"))).isLessThan(ReportPage.MOST_BYTES);
  }

  @Test
  void everyClassOfThePageHasAStyle() throws Exception {
    String both =
        html(ReportSamples.search("m", 2, 3)) + html(ReportSamples.eval("m", "found.json"));
    String sheet = both.substring(both.indexOf("<style>"), both.indexOf("</style>"));
    List<String> classes =
        Stream.of(both.split("class=\""))
            .skip(1)
            .flatMap(part -> Arrays.stream(part.substring(0, part.indexOf('"')).split(" ")))
            .filter(name -> !name.isEmpty())
            .distinct()
            .toList();
    assertThat(classes).hasSizeGreaterThan(20).allMatch(name -> sheet.contains("." + name));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "@none.json --out @o.html  | none.json: there is no such file",
        "@heads.json --out @o.html | heads.json: \"format\" is heddle-heads/1; allowed: heddle-eval/1",
        "@list.json --out @o.html  | list.json holds no JSON object",
        "@text.json --out @o.html  | text.json is not JSON",
        "@high.json --out @o.html  | high.json: results[0].right is 13; allowed: an integer from 0 to 12",
        "@depth.json --out @o.html | depth.json: results[2].depth is 5; allowed: 0 to 1",
        "@half.json --out @o.html  | half.json: \"chosen\" is missing in heads[0]",
        "@layer.json --out @o.html | layer.json: heads[1].layer is -1; allowed: an integer from 0",
        "@empty.json --out @o.html | empty.json: heads is []; allowed: at least one head",
        "@good.json --out @no/o.html | o.html cannot be written: the folder",
        "@good.json                | --out=FILE",
      })
  void refuses(String arguments, String message) throws IOException {
    write("good.json", ReportSamples.search("m", 1, 2));
    String search = Files.readString(folder.resolve("good.json"));
    String eval = ReportSamples.text(ReportSamples.eval("m", "h"));
    Files.writeString(folder.resolve("heads.json"), "{\"format\": \"heddle-heads/1\"}");
    Files.writeString(folder.resolve("list.json"), "[1]");
    Files.writeString(folder.resolve("text.json"), "words");
    Files.writeString(
        folder.resolve("high.json"), eval.replaceFirst("\"right\":10", "\"right\":13"));
    Files.writeString(
        folder.resolve("depth.json"), eval.replaceFirst("\"depth\":0.5", "\"depth\":5"));
    Files.writeString(folder.resolve("half.json"), search.replaceFirst("\"chosen\"", "\"chose\""));
    Files.writeString(
        folder.resolve("layer.json"),
        search.replace("\"layer\":0,\"head\":1", "\"layer\":-1,\"head\":1"));
    Map<String, Object> empty = ReportSamples.search("m", 1, 1);
    empty.put("heads", List.of());
    write("empty.json", empty);
    run(arguments).refused(message);
    assertThat(folder.resolve("o.html")).doesNotExist();
  }

  private void write(String name, Map<String, Object> object) throws IOException {
    Files.writeString(folder.resolve(name), ReportSamples.text(object));
  }

  private String html(Map<String, Object> object) throws IOException {
    write("f.json", object);
    run("@f.json --out @r.html").succeeded();
    return Files.readString(folder.resolve("r.html"));
  }

  private Document page(Map<String, Object> object) throws Exception {
    Document page = parse(html(object));
    requireNothingForeign(page);
    return page;
  }

  /** Fails where the page is not well-formed. */
  private static Document parse(String html) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
    return factory.newDocumentBuilder().parse(new InputSource(new StringReader(html)));
  }

  private static void requireNothingForeign(Document page) {
    NodeList all = page.getElementsByTagName("*");
    for (int i = 0; i < all.getLength(); i++) {
      Element element = (Element) all.item(i);
      assertThat(ELEMENTS).contains(element.getTagName());
      for (int a = 0; a < element.getAttributes().getLength(); a++) {
        assertThat(element.getAttributes().item(a).getNodeName())
            .isNotIn("src", "href", "srcset", "style", "xlink:href")
            .doesNotStartWith("on");
      }
    }
    assertThat(page.getElementsByTagName("style").item(0).getTextContent())
        .doesNotContain("url(", "@import", "http");
  }

  private static List<Element> rows(Document page) {
    NodeList bodies = page.getElementsByTagName("tbody");
    return IntStream.range(0, bodies.getLength())
        .mapToObj(i -> ((Element) bodies.item(i)).getElementsByTagName("tr"))
        .flatMap(rows -> IntStream.range(0, rows.getLength()).mapToObj(i -> (Element) rows.item(i)))
        .toList();
  }

  private static List<String> texts(Document page, String element) {
    return texts(page.getDocumentElement(), element);
  }

  private static List<String> texts(Element parent, String element) {
    NodeList found = parent.getElementsByTagName(element);
    return IntStream.range(0, found.getLength())
        .mapToObj(i -> found.item(i).getTextContent())
        .toList();
  }

  private CommandRun run(String arguments) {
    return CommandRun.heddle(
        Stream.concat(
                Stream.of("report"),
                Arrays.stream(arguments.replace("@", folder + "/").split(" +")))
            .toArray());
  }
}
