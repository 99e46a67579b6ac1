package dev.heddle.runtime;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.MatrixProducts;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A backend that computes nothing and counts what it is asked for. */
final class RecordingBackend implements BackendProvider, AttentionBackend {
  private final Availability availability;
  private final AtomicInteger opened = new AtomicInteger();
  private final AtomicInteger closed = new AtomicInteger();
  private final AtomicInteger calls = new AtomicInteger();
  private final Runnable duringCall;

  RecordingBackend() {
    this(() -> {});
  }

  RecordingBackend(Runnable duringCall) {
    this.availability = new Availability.Available("a test");
    this.duringCall = duringCall;
  }

  RecordingBackend(String reason, String remedy) {
    this.availability = new Availability.Refused(reason, remedy);
    this.duringCall = () -> {};
  }

  /** A choice of backends that holds this one. */
  Backends only() {
    return new Backends(List.of(this));
  }

  int opened() {
    return opened.get();
  }

  int closed() {
    return closed.get();
  }

  int calls() {
    return calls.get();
  }

  @Override
  public String name() {
    return "recording";
  }

  @Override
  public Availability availability() {
    return availability;
  }

  @Override
  public AttentionBackend open(int threads) {
    opened.incrementAndGet();
    return this;
  }

  @Override
  public MatrixProducts openMatrixProducts(int threads) {
    throw new UnsupportedOperationException("attention alone is tested");
  }

  @Override
  public void attend(AttentionCall call) {
    calls.incrementAndGet();
    duringCall.run();
  }

  @Override
  public void close() {
    closed.incrementAndGet();
  }
}
