package dev.heddle.kernels.cuda;

import dev.heddle.kernels.DeviceException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * NVIDIA's run-time compiler: CUDA text to machine code. Needs no GPU. Safe for use by several
 * threads.
 */
@SuppressWarnings("restricted") // calling native code is what this class is for
final class Nvrtc {
  private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
  private static final MemoryLayout INT = ValueLayout.JAVA_INT;
  private static final int COMPILATION_FAILED = 6; // NVRTC_ERROR_COMPILATION

  private final Path file;
  private final SymbolLookup symbols;

  /**
   * What a compilation made.
   *
   * @param code machine code, or PTX; empty if the text is wrong
   * @param log what the compiler said
   */
  record Compiled(Optional<byte[]> code, String log) {}

  /**
   * What is compiled.
   *
   * @param fileName the name of the text in messages
   * @param source the text
   * @param headers texts by the names under which they are included
   * @param options the compiler's options
   */
  record Unit(String fileName, String source, Map<String, String> headers, List<String> options) {}

  private Nvrtc(Path file, SymbolLookup symbols) {
    this.file = file;
    this.symbols = symbols;
  }

  /**
   * Loads a library. It stays loaded.
   *
   * @param file the library, or a name alone for the system's loader to find
   * @return nothing if it cannot be loaded, or is not NVRTC
   */
  static Optional<Nvrtc> load(Path file) {
    try {
      loadBuiltins(file);
      SymbolLookup symbols =
          file.getParent() == null
              ? SymbolLookup.libraryLookup(file.toString(), Arena.global())
              : SymbolLookup.libraryLookup(file.toAbsolutePath(), Arena.global());
      Nvrtc loaded = new Nvrtc(file, symbols);
      loaded.version();
      return Optional.of(loaded);
    } catch (IllegalArgumentException | UnsatisfiedLinkError notUsable) {
      return Optional.empty();
    }
  }

  /**
   * The library loads a second one by its name when it first compiles, and does not look into its
   * own folder. What is loaded already it finds.
   */
  private static void loadBuiltins(Path file) {
    Path folder = file.getParent();
    if (folder == null) {
      return;
    }
    String major = file.getFileName().toString().replaceAll(".*\\.so\\.?", "");
    try (DirectoryStream<Path> builtins =
        Files.newDirectoryStream(folder, "libnvrtc-builtins.so." + major + "*")) {
      for (Path library : builtins) {
        SymbolLookup.libraryLookup(library.toAbsolutePath(), Arena.global());
      }
    } catch (IOException unreadable) {
      // The compiler says itself what it does not find.
    }
  }

  Path file() {
    return file;
  }

  /** Such as {@code "13.0"}. */
  String version() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment major = arena.allocate(INT);
      MemorySegment minor = arena.allocate(INT);
      check(call("nvrtcVersion", major, minor), "asking NVRTC for its version");
      return major.get(ValueLayout.JAVA_INT, 0) + "." + minor.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** The compute capabilities that it makes machine code for, 10 · major + minor, ascending. */
  List<Integer> computeCapabilities() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(INT);
      check(call("nvrtcGetNumSupportedArchs", count), "asking NVRTC for its architectures");
      int found = count.get(ValueLayout.JAVA_INT, 0);
      MemorySegment all = arena.allocate(INT, found);
      check(call("nvrtcGetSupportedArchs", all), "asking NVRTC for its architectures");
      List<Integer> capabilities = new ArrayList<>();
      for (int i = 0; i < found; i++) {
        capabilities.add(all.getAtIndex(ValueLayout.JAVA_INT, i));
      }
      return capabilities;
    }
  }

  /**
   * Compiles.
   *
   * @param toPtx whether PTX is wanted, for the driver to compile, and not machine code
   * @throws DeviceException if the compiler itself fails
   */
  Compiled compile(Unit unit, boolean toPtx) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = arena.allocate(POINTER);
      check(
          call(
              "nvrtcCreateProgram",
              handle,
              arena.allocateFrom(unit.source()),
              arena.allocateFrom(unit.fileName()),
              unit.headers().size(),
              strings(arena, List.copyOf(unit.headers().values())),
              strings(arena, List.copyOf(unit.headers().keySet()))),
          "handing the text to NVRTC");
      MemorySegment program = handle.get(ValueLayout.ADDRESS, 0);
      try {
        int result =
            call(
                "nvrtcCompileProgram",
                program,
                unit.options().size(),
                strings(arena, unit.options()));
        String log = text(bytes("ProgramLog", program, arena));
        if (result == COMPILATION_FAILED) {
          return new Compiled(Optional.empty(), log);
        }
        if (result != 0) {
          throw new DeviceException(describe(result, "compiling " + unit.fileName()) + ": " + log);
        }
        return new Compiled(Optional.of(bytes(toPtx ? "PTX" : "CUBIN", program, arena)), log);
      } finally {
        call("nvrtcDestroyProgram", handle);
      }
    }
  }

  private byte[] bytes(String what, MemorySegment program, Arena arena) {
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    check(call("nvrtcGet" + what + "Size", program, size), "reading from NVRTC");
    MemorySegment content = arena.allocate(Math.max(1, size.get(ValueLayout.JAVA_LONG, 0)));
    check(call("nvrtcGet" + what, program, content), "reading from NVRTC");
    return content.toArray(ValueLayout.JAVA_BYTE);
  }

  /** Without the 0 at its end. */
  private static String text(byte[] content) {
    int end = content.length;
    while (end > 0 && content[end - 1] == 0) {
      end--;
    }
    return new String(content, 0, end, StandardCharsets.UTF_8);
  }

  private static MemorySegment strings(Arena arena, List<String> texts) {
    MemorySegment pointers = arena.allocate(POINTER, Math.max(1, texts.size()));
    for (int i = 0; i < texts.size(); i++) {
      pointers.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(texts.get(i)));
    }
    return pointers;
  }

  private void check(int result, String operation) {
    if (result != 0) {
      throw new DeviceException(describe(result, operation));
    }
  }

  private static String describe(int result, String operation) {
    return operation + " failed: NVRTC error " + result;
  }

  /** Calls a function that returns NVRTC's result code; arguments are pointers and ints. */
  private int call(String name, Object... arguments) {
    MemoryLayout[] parameters = new MemoryLayout[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      parameters[i] = arguments[i] instanceof Integer ? INT : POINTER;
    }
    MethodHandle function =
        Linker.nativeLinker()
            .downcallHandle(
                symbols
                    .find(name)
                    .orElseThrow(() -> new UnsatisfiedLinkError(file + " has no function " + name)),
                FunctionDescriptor.of(INT, parameters));
    try {
      return (int) function.invokeWithArguments(arguments);
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) { // C throws nothing
      throw new IllegalStateException(impossible);
    }
  }
}
