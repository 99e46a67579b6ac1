package dev.heddle.kernels.cuda;

import dev.heddle.kernels.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The functions of cuBLASLt that matrix products need. Handles and descriptors are numbers here, as
 * they are opaque pointers there.
 *
 * @see <a href="https://docs.nvidia.com/cuda/cublas/#using-the-cublaslt-api">the interface</a>
 */
@SuppressWarnings("restricted") // calling native code is what this class is for
final class CublasLt {
  private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
  private static final MemoryLayout HANDLE = ValueLayout.JAVA_LONG;
  private static final MemoryLayout LONG = ValueLayout.JAVA_LONG;
  private static final MemoryLayout INT = ValueLayout.JAVA_INT;

  private final String name;
  private final SymbolLookup symbols;
  private final MethodHandle multiply;

  private CublasLt(String name, SymbolLookup symbols) {
    this.name = name;
    this.symbols = symbols;
    this.multiply =
        function(
            "cublasLtMatmul",
            HANDLE, // of the library
            HANDLE, // operation
            POINTER, // alpha
            HANDLE, // A
            HANDLE,
            HANDLE, // B
            HANDLE,
            POINTER, // beta
            HANDLE, // C
            HANDLE,
            HANDLE, // D
            HANDLE,
            POINTER, // algorithm
            HANDLE, // workspace
            LONG,
            HANDLE); // stream
  }

  /** The first of {@code files} that can be loaded, or nothing. It stays loaded. */
  static Optional<CublasLt> find(List<Path> files) {
    for (Path candidate : files) {
      Optional<CublasLt> loaded = load(candidate.toString());
      if (loaded.isPresent()) {
        return loaded;
      }
    }
    return Optional.empty();
  }

  static Optional<CublasLt> load(String file) {
    try {
      SymbolLookup symbols =
          file.contains("/")
              ? SymbolLookup.libraryLookup(Path.of(file), Arena.global())
              : SymbolLookup.libraryLookup(file, Arena.global());
      return Optional.of(new CublasLt(file, symbols));
    } catch (IllegalArgumentException | UnsatisfiedLinkError notUsable) {
      return Optional.empty();
    }
  }

  /** The library's name and version: {@code "libcublasLt.so.13 130100"}. */
  String describe() {
    MethodHandle version = handle("cublasLtGetVersion", FunctionDescriptor.of(LONG));
    return name + " " + call(() -> (long) version.invokeExact());
  }

  /** Opens the library for the current context. */
  long create() {
    return made("cublasLtCreate", List.of(), List.of());
  }

  void destroy(long handle) {
    destroy("cublasLtDestroy", handle);
  }

  long createOperation(int computeType, int scaleType) {
    return made("cublasLtMatmulDescCreate", List.of(INT, INT), List.of(computeType, scaleType));
  }

  void setOperation(long operation, int attribute, int value) {
    set("cublasLtMatmulDescSetAttribute", operation, attribute, value);
  }

  void destroyOperation(long operation) {
    destroy("cublasLtMatmulDescDestroy", operation);
  }

  /** A column-major matrix. */
  long createLayout(int type, long columnLength, long columnCount, long columnStride) {
    return made(
        "cublasLtMatrixLayoutCreate",
        List.of(INT, LONG, LONG, LONG),
        List.of(type, columnLength, columnCount, columnStride));
  }

  void destroyLayout(long layout) {
    destroy("cublasLtMatrixLayoutDestroy", layout);
  }

  long createPreference() {
    return made("cublasLtMatmulPreferenceCreate", List.of(), List.of());
  }

  void setPreference(long preference, int attribute, int value) {
    set("cublasLtMatmulPreferenceSetAttribute", preference, attribute, value);
  }

  void setPreference(long preference, int attribute, long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment holder = arena.allocateFrom(ValueLayout.JAVA_LONG, value);
      set("cublasLtMatmulPreferenceSetAttribute", preference, attribute, holder);
    }
  }

  void destroyPreference(long preference) {
    destroy("cublasLtMatmulPreferenceDestroy", preference);
  }

  /**
   * Asks for algorithms, the fastest by the library's estimate first.
   *
   * @param product handle of the library, operation, layouts of A, B, C and D, and preference
   * @param results receives up to {@code most} results
   * @return how many there are
   */
  int algorithms(List<Long> product, int most, MemorySegment results) {
    MethodHandle ask =
        function(
            "cublasLtMatmulAlgoGetHeuristic",
            HANDLE,
            HANDLE,
            HANDLE,
            HANDLE,
            HANDLE,
            HANDLE,
            HANDLE,
            INT,
            POINTER,
            POINTER);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(ValueLayout.JAVA_INT);
      List<Object> arguments = new ArrayList<>(product);
      arguments.addAll(List.of(most, results, found));
      check(call(() -> (int) ask.invokeWithArguments(arguments)), "cublasLtMatmulAlgoGetHeuristic");
      return found.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** What one multiplication is given beside addresses. */
  record Operands(long operation, long a, long b, long d) {}

  /** Queues {@code D = alpha · op(A) op(B) + beta · D}; returns the library's status. */
  int multiply(long handle, Operands layouts, Addresses at, Algorithm algorithm, long stream) {
    return call(() ->
        (int)
            multiply.invokeExact(
                handle,
                layouts.operation(),
                at.alpha(),
                at.a(),
                layouts.a(),
                at.b(),
                layouts.b(),
                at.beta(),
                at.d(),
                layouts.d(),
                at.d(),
                layouts.d(),
                algorithm.algorithm(),
                algorithm.workspace(),
                algorithm.workspaceBytes(),
                stream));
  }

  /** Device addresses of A, B and D, which is C too; alpha and beta are float32 on the host. */
  record Addresses(long a, long b, long d, MemorySegment alpha, MemorySegment beta) {}

  /** An algorithm of {@link #algorithms} and the device memory that it may use. */
  record Algorithm(MemorySegment algorithm, long workspace, long workspaceBytes) {}

  /**
   * Passes if {@code status} is success.
   *
   * @throws DeviceException naming the operation and the library's reason
   */
  void check(int status, String operation) {
    if (status != 0) {
      throw new DeviceException(
          "%s failed: %s (%d) in %s".formatted(operation, statusName(status), status, name));
    }
  }

  private String statusName(int status) {
    if (symbols.find("cublasLtGetStatusName").isEmpty()) {
      return "status";
    }
    MethodHandle ask = handle("cublasLtGetStatusName", FunctionDescriptor.of(POINTER, INT));
    MemorySegment text = call(() -> (MemorySegment) ask.invokeExact(status));
    return text.address() == 0 ? "status" : text.reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** Calls a function that writes what it makes to its first argument. */
  private long made(String function, List<MemoryLayout> parameters, List<?> arguments) {
    List<MemoryLayout> layouts = new ArrayList<>(List.of(POINTER));
    layouts.addAll(parameters);
    MethodHandle create = function(function, layouts.toArray(MemoryLayout[]::new));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment made = arena.allocate(ValueLayout.JAVA_LONG);
      List<Object> all = new ArrayList<>(List.of(made));
      all.addAll(arguments);
      check(call(() -> (int) create.invokeWithArguments(all)), function);
      return made.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  private void set(String function, long owner, int attribute, int value) {
    try (Arena arena = Arena.ofConfined()) {
      set(function, owner, attribute, arena.allocateFrom(ValueLayout.JAVA_INT, value));
    }
  }

  private void set(String function, long owner, int attribute, MemorySegment value) {
    MethodHandle set = function(function, HANDLE, INT, POINTER, LONG);
    long bytes = value.byteSize();
    int status = call(() -> (int) set.invokeExact(owner, attribute, value, bytes));
    check(status, function + " of attribute " + attribute);
  }

  private void destroy(String function, long made) {
    MethodHandle destroy = function(function, HANDLE);
    check(call(() -> (int) destroy.invokeExact(made)), function);
  }

  private MethodHandle function(String function, MemoryLayout... parameters) {
    return handle(function, FunctionDescriptor.of(INT, parameters));
  }

  private MethodHandle handle(String function, FunctionDescriptor type) {
    MemorySegment symbol =
        symbols
            .find(function)
            .orElseThrow(() -> new UnsatisfiedLinkError(name + " has no function " + function));
    return Linker.nativeLinker().downcallHandle(symbol, type);
  }

  /** One call of a function of the library. */
  @FunctionalInterface
  private interface NativeCall<T> {
    T result() throws Throwable;
  }

  private static <T> T call(NativeCall<T> function) {
    try {
      return function.result();
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) { // C throws nothing
      throw new IllegalStateException(impossible);
    }
  }
}
