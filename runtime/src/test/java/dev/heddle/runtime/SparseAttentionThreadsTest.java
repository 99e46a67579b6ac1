package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.BlockIndex;
import dev.heddle.runtime.Tensors.Sizes;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several threads at one façade, and closing it. */
@Timeout(30)
class SparseAttentionThreadsTest {
  private static final ModelShape SHAPE = new ModelShape(1, 4, 2, Sizes.HEAD_DIM);

  @Test
  void severalThreadsMayCallAtOnce() throws Exception {
    List<Tensors> prompts =
        IntStream.range(0, 8).mapToObj(i -> Tensors.random(4, 2, 60 + i)).toList();
    try (SparseAttention attention = firstKeys().threads(2).build();
        ExecutorService callers = Executors.newFixedThreadPool(4)) {
      List<Future<PrefillReport>> reports =
          prompts.stream()
              .map(prompt -> callers.submit(() -> attention.prefill(0, prompt.prefill())))
              .toList();
      for (Future<PrefillReport> report : reports) {
        assertThat(report.get().density()).isLessThan(1);
      }
    }

    for (Tensors prompt : prompts) {
      byte[] together = prompt.out().memory().toArray(ValueLayout.JAVA_BYTE);
      prompt.out().memory().fill((byte) 0);
      try (SparseAttention alone = firstKeys().threads(1).build()) {
        alone.prefill(0, prompt.prefill());
      }
      assertThat(prompt.out().memory().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(together);
    }
  }

  @Test
  void indicesAreBuiltOnAsManyDaemonThreadsAsAskedFor() {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    CountDownLatch bothBusy = new CountDownLatch(2);
    FakePattern pattern =
        FakePattern.building((head, options) -> {
          threads.add(Thread.currentThread());
          bothBusy.countDown();
          await(bothBusy); // ends only if two heads are under way at once
          return BlockIndex.dense(head.shape(), head.blocks());
        });

    try (SparseAttention attention = with(pattern).threads(2).build()) {
      attention.prefill(0, Tensors.random(4, 2, 65).prefill());
    }

    assertThat(threads).hasSize(2).allMatch(Thread::isDaemon);
    assertThat(threads).allMatch(thread -> thread.getName().startsWith("heddle-index-"));
  }

  @Test
  void closingWaitsForTheCallThatRuns() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    RecordingBackend backend =
        new RecordingBackend(() -> {
          running.countDown();
          await(mayEnd);
        });
    SparseAttention attention = firstKeys().backends(backend.only()).backend("auto").build();

    CompletableFuture<PrefillReport> call =
        CompletableFuture.supplyAsync(
            () -> attention.prefill(0, Tensors.random(4, 2, 65).prefill()));
    await(running);
    CompletableFuture<Void> closing = CompletableFuture.runAsync(attention::close);
    assertThatThrownBy(() -> closing.get(100, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    assertThat(backend.closed()).as("closed under a running call").isZero();

    mayEnd.countDown();
    assertThat(call.get().heads()).hasSize(4);
    closing.get();
    assertThat(backend.closed()).isOne();
  }

  @Test
  void afterClosingEveryCallIsAnError() {
    SparseAttention attention = firstKeys().build();
    Prefill prefill = Tensors.random(4, 2, 65).prefill();
    attention.close();

    assertThatThrownBy(() -> attention.prefill(0, prefill))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this SparseAttention has been closed");
    assertThatThrownBy(() -> attention.decode(0, prefill))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> attention.indices(0, prefill))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void closingTwiceFreesOnce() {
    RecordingBackend backend = new RecordingBackend();
    SparseAttention attention = firstKeys().backends(backend.only()).backend("auto").build();

    attention.close();
    attention.close();

    assertThat(backend.closed()).isOne();
    assertThat(attention.backendName()).isEqualTo("recording");
    assertThat(attention.plan().shape()).isEqualTo(SHAPE);
  }

  @Test
  void anInterruptedCallerGetsItsResultAndStaysInterrupted() {
    try (SparseAttention attention = firstKeys().build()) {
      Thread.currentThread().interrupt();
      PrefillReport report = attention.prefill(0, Tensors.random(4, 2, 65).prefill());

      assertThat(report.heads()).hasSize(4);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  private static SparseAttention.Builder firstKeys() {
    return with(FakePattern.firstKeys());
  }

  private static SparseAttention.Builder with(FakePattern pattern) {
    return SparseAttention.builder()
        .registry(PatternRegistry.builder().add(pattern).build())
        .heads(HeadsConfig.uniform(SHAPE, pattern.name(), Map.of()))
        .backend("reference")
        .denseBelow(0);
  }
}
