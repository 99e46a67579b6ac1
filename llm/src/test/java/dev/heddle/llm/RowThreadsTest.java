package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.HeddleException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowThreadsTest {
  @ParameterizedTest
  @CsvSource({"1,1", "4,1", "4,15", "4,16", "4,17", "3,63", "3,64", "3,65", "7,1023"})
  void everyRowIsDoneOnce(int threads, int rows) {
    AtomicIntegerArray done = new AtomicIntegerArray(rows);
    try (RowThreads pool = new RowThreads(threads)) {
      pool.forRows(
          rows, (first, end) -> IntStream.range(first, end).forEach(done::incrementAndGet));
    }
    assertThat(IntStream.range(0, rows).map(done::get)).containsOnly(1);
  }

  @Test
  void aFailureIsReportedWhenAllPartsHaveEnded() {
    AtomicInteger ended = new AtomicInteger();
    try (RowThreads pool = new RowThreads(4)) {
      assertThatThrownBy(() ->
              pool.forRows(
                  64,
                  (first, _) -> {
                    ended.incrementAndGet();
                    if (first == 0) {
                      throw new IllegalStateException("row 0");
                    }
                  }))
          .isInstanceOf(HeddleException.class)
          .hasMessageContaining("row 0");
      assertThat(ended).hasValue(4);
    }
  }

  @Test
  void memoryOfTheMachineIsKnown() {
    assertThat(MachineMemory.availableBytes()).isGreaterThan(1 << 20);
  }
}
