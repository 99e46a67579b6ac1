package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KernelSourceTest {
  private static final String TEXT = "#include \"ümlaut.cuh\"";
  private static final Map<String, String> FILES = Map.of("mine.cu", TEXT, "ümlaut.cuh", "// ä");

  @Test
  void anImageIsNoText() {
    KernelSource image =
        new KernelSource("image", () -> Optional.of(new ByteArrayInputStream(new byte[] {7})));
    assertThat(image.isText()).isFalse();
    assertThat(image.isPresent()).isTrue();
    assertThat(image.read()).hasValue(new byte[] {7});
    assertThat(image.text()).isEmpty();
    assertThatThrownBy(() -> image.withHeader("mine.cuh"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("kernel image 'image' has no headers");
    assertThat(new KernelSource("image", Optional::empty).isPresent()).isFalse();
  }

  @Test
  void textComesWithItsHeaders() {
    KernelSource source = KernelSource.ofText("mine", KernelSourceTest::open);
    assertThat(source.isText()).isTrue();
    assertThat(source.isPresent()).isTrue();
    assertThat(source.read()).isEmpty();
    assertThat(source.text()).hasValue(new KernelText("mine.cu", TEXT, Map.of()));
    assertThat(source.withHeader("ümlaut.cuh").text().orElseThrow().headers())
        .containsExactly(Map.entry("ümlaut.cuh", "// ä"));
  }

  @Test
  void aFileThatIsMissingIsNamed() {
    KernelSource source =
        KernelSource.ofText("mine", KernelSourceTest::open).withHeader("none.cuh");
    assertThatThrownBy(source::text)
        .isInstanceOf(HeddleException.class)
        .hasMessage(
            "kernels 'mine' bring no file 'none.cuh'; is it beside the class that opens it?");
  }

  @Test
  void aFileThatCannotBeReadIsNamed() {
    KernelSource source = KernelSource.ofText("mine", file -> Optional.of(new UnreadableStream()));
    assertThatThrownBy(source::text)
        .isInstanceOf(HeddleException.class)
        .hasMessage("file 'mine.cu' of kernels 'mine' cannot be read")
        .hasRootCauseMessage("broken");
  }

  private static Optional<InputStream> open(String file) {
    return Optional.ofNullable(FILES.get(file))
        .map(text -> new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Fails at the first byte. */
  private static final class UnreadableStream extends InputStream {
    @Override
    public int read() throws IOException {
      throw new IOException("broken");
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      return read();
    }
  }
}
