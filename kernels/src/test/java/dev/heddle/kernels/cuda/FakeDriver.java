package dev.heddle.kernels.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.TreeMap;

/** The control of {@code fake_driver.c}, which must be this process's {@code libcuda.so.1}. */
@SuppressWarnings("restricted") // calls native code
final class FakeDriver {
  private static final String[] KINDS = {
    "context", "stream", "event", "pinned buffer", "pool", "device memory", "module"
  };
  private static final SymbolLookup SYMBOLS =
      SymbolLookup.libraryLookup("libcuda.so.1", Arena.global());

  private FakeDriver() {}

  /** Forgets failures and what was counted, but for what is still held. */
  static void reset() {
    call("heddle_fake_reset", FunctionDescriptor.ofVoid());
  }

  /**
   * Has the {@code nth} call from now on fail.
   *
   * @param forGood whether the device is lost with it: all later calls fail
   */
  static void fail(long nth, int code, boolean forGood) {
    call(
        "heddle_fake_fail",
        FunctionDescriptor.ofVoid(
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
        nth,
        code,
        forGood ? 1 : 0);
  }

  /** How much memory the device has. */
  static void memory(long bytes) {
    call("heddle_fake_memory", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG), bytes);
  }

  /** Calls since the last {@link #reset} or {@link #fail}. */
  static long calls() {
    return (long) call("heddle_fake_calls", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
  }

  static long launches() {
    return (long) call("heddle_fake_launches", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
  }

  /** What is held and not given back, and contexts that this thread has not left. */
  static Map<String, Long> held() {
    Map<String, Long> held = new TreeMap<>();
    MemoryLayout kindLayout = ValueLayout.JAVA_INT;
    for (int kind = 0; kind < KINDS.length; kind++) {
      long count =
          (long)
              call(
                  "heddle_fake_live",
                  FunctionDescriptor.of(ValueLayout.JAVA_LONG, kindLayout),
                  kind);
      if (count != 0) {
        held.put(KINDS[kind], count);
      }
    }
    int depth = (int) call("heddle_fake_depth", FunctionDescriptor.of(ValueLayout.JAVA_INT));
    if (depth != 0) {
      held.put("entered context", (long) depth);
    }
    return held;
  }

  private static Object call(String name, FunctionDescriptor type, Object... arguments) {
    try {
      Object result =
          Linker.nativeLinker()
              .downcallHandle(SYMBOLS.find(name).orElseThrow(), type)
              .invokeWithArguments(arguments);
      return result == null ? 0L : result;
    } catch (Throwable failure) {
      throw new AssertionError(name, failure);
    }
  }
}
