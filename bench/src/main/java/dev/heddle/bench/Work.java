package dev.heddle.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts the operations that a benchmark has asked for; JMH divides them by the time. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Work {
  /** 10⁹ operations, additions and multiplications. */
  public double gigaflop;

  void add(double operations) {
    gigaflop += operations / 1e9;
  }
}
