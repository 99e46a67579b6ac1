package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.HeddleException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.Reader;
import java.io.StringReader;
import org.junit.jupiter.api.Test;

class LineSourceTest {
  @Test
  void linesComeInTheirOrder() throws IOException {
    LineSource lines = new LineSource(new BufferedReader(new StringReader("one\n\ntwo")));
    assertThat(lines.next()).hasValue("one");
    assertThat(lines.next()).hasValue("");
    assertThat(lines.next()).hasValue("two");
    assertThat(lines.next()).isEmpty();
  }

  @Test
  void aReaderThatFailsIsHeardOf() {
    Reader broken =
        new Reader() {
          @Override
          public int read(char[] buffer, int offset, int count) throws IOException {
            throw new IOException("the line is dead");
          }

          @Override
          public void close() {
            // nothing is open
          }
        };
    LineSource lines = new LineSource(new BufferedReader(broken));
    assertThatThrownBy(lines::next).isInstanceOf(IOException.class).hasMessage("the line is dead");
  }

  @Test
  void waitingCanBeInterrupted() throws IOException {
    try (PipedWriter silent = new PipedWriter();
        BufferedReader reader = new BufferedReader(new PipedReader(silent))) {
      LineSource lines = new LineSource(reader);
      Thread.currentThread().interrupt();
      assertThatThrownBy(lines::next)
          .isInstanceOf(HeddleException.class)
          .hasMessageContaining("interrupted");
      assertThat(Thread.interrupted()).isTrue();
      silent.write("a line\n");
      silent.flush();
      assertThat(lines.next()).hasValue("a line");
    }
  }
}
