package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.cuda.LibraryPlaces.Library;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Products through a cuBLASLt of the documentation, which multiplies in the host's memory. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("restricted") // looks into the fake library
class MatrixMultiplierTest {
  private static final long STREAM = 0x1234;
  private static final long WORKSPACE = 0x100;

  @TempDir private static Path folder;
  private final Arena arena = Arena.ofAuto();
  private CublasLt library;
  private Path file;

  @BeforeAll
  void compile() throws Exception {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "made for Linux alone");
    assumeTrue(
        Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
            .anyMatch(path -> Files.isExecutable(Path.of(path, "cc"))),
        "no C compiler (cc) to make the fake library with");
    file = folder.resolve("libcublasLt.so.13");
    compile(file);
    library = CublasLt.load(file.toString()).orElseThrow();
  }

  /** Makes the fake library. */
  static void compile(Path file) throws IOException, InterruptedException {
    ChildJava.runProgram(
        List.of(
            "cc",
            "-shared",
            "-fPIC",
            "-O2",
            "-o",
            file.toString(),
            ChildJava.module().resolve("src/test/c/fake_cublaslt.c").toString()),
        Map.of());
  }

  @AfterAll
  void everythingIsGivenBack() {
    if (library != null) {
      assertThat(counter("heddle_fake_lt_live")).isZero();
    }
  }

  @Test
  void itSaysWhatItIs() {
    assertThat(library.describe()).isEqualTo(file + " 130100");
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT16", "BFLOAT16"})
  void productsAreRowByRow(ElementType type) {
    try (MatrixMultiplier multiplier = new MatrixMultiplier(library, WORKSPACE)) {
      for (ElementType outType : List.of(type, ElementType.FLOAT32)) {
        for (boolean adds : new boolean[] {false, true}) {
          GpuMatrix in = random(type, 5, 24, 40, 1);
          GpuMatrix weight = random(type, 7, 24, 24, 2);
          GpuMatrix out = random(outType, 5, 7, 16, 3);
          float[] expected = product(in, weight, out, adds);
          multiplier.multiply(in, weight, out, adds, STREAM);
          for (int i = 0; i < expected.length; i++) {
            float found = at(out, i / 7, i % 7);
            assertThat(found)
                .isCloseTo(
                    expected[i],
                    org.assertj.core.data.Offset.offset(
                        (float) (outType.unitRoundoff() * 2 * Math.abs(expected[i]) + 1e-5)));
          }
        }
      }
    }
  }

  @Test
  void aShapeIsAskedForOnce() {
    try (MatrixMultiplier multiplier = new MatrixMultiplier(library, WORKSPACE)) {
      final long before = counter("heddle_fake_lt_asked");
      for (int run = 0; run < 3; run++) {
        for (int tokens = 1; tokens < 4; tokens++) {
          GpuMatrix in = random(ElementType.BFLOAT16, tokens, 8, 8, 1);
          GpuMatrix weight = random(ElementType.BFLOAT16, 8, 8, 8, 2);
          multiplier.multiply(
              in, weight, random(ElementType.BFLOAT16, tokens, 8, 8, 3), false, STREAM);
        }
      }
      assertThat(counter("heddle_fake_lt_asked") - before).isEqualTo(3);
      GpuMatrix weight = random(ElementType.BFLOAT16, 8, 8, 8, 2);
      for (int tokens = 1; tokens < 600; tokens++) { // more shapes than are kept
        GpuMatrix in = random(ElementType.BFLOAT16, tokens, 8, 8, 1);
        GpuMatrix out = random(ElementType.BFLOAT16, tokens, 8, 8, 3);
        multiplier.multiply(in, weight, out, false, STREAM);
      }
    }
  }

  @Test
  void whatCannotBeComputedIsSaid() {
    try (MatrixMultiplier multiplier = new MatrixMultiplier(library, WORKSPACE)) {
      GpuMatrix in = random(ElementType.FLOAT16, 3, 8, 8, 1);
      GpuMatrix weight = random(ElementType.FLOAT16, 8, 8, 8, 2);
      GpuMatrix out = random(ElementType.FLOAT16, 3, 8, 8, 3);
      assertThatThrownBy(() -> multiplier.multiply(in, in, out, false, STREAM))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("no product has the shapes of a product of FLOAT16[3][8]");
      assertThatThrownBy(() ->
              multiplier.multiply(
                  random(ElementType.FLOAT32, 3, 8, 8, 1), weight, out, false, STREAM))
          .isInstanceOf(InvalidInputException.class);
      assertThatThrownBy(() -> multiplier.multiply(in, weight, out, false, 0))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("a product of FLOAT16[3][8]")
          .hasMessageContaining("failed: CUBLAS_STATUS_NOT_SUPPORTED (15) in " + file);
      GpuMatrix unlucky = random(ElementType.FLOAT16, 13, 8, 8, 2);
      GpuMatrix wide = random(ElementType.FLOAT16, 3, 13, 13, 3);
      assertThatThrownBy(() -> multiplier.multiply(in, unlucky, wide, false, STREAM))
          .isInstanceOf(DeviceException.class)
          .hasMessageStartingWith("cuBLASLt knows no algorithm for a product of FLOAT16[3][8]");
    }
  }

  @Test
  void theLibraryIsLookedForWhereCudaIsInstalled() throws Exception {
    Path newer = Files.createDirectories(folder.resolve("cuda-13.0/targets/x86_64-linux/lib"));
    Path older = Files.createDirectories(folder.resolve("home/lib64"));
    Path both = Files.createFile(newer.resolve("libcublasLt.so.13"));
    Path twelve = Files.createFile(older.resolve("libcublasLt.so.12"));
    Map<String, String> home = Map.of("CUDA_HOME", folder.resolve("home").toString());
    LibraryPlaces places = new LibraryPlaces(Library.CUBLAS_LT, home, folder);
    assertThat(places.candidates(13))
        .containsExactly(both, Path.of("libcublasLt.so.13"), twelve, Path.of("libcublasLt.so.12"));
    assertThat(places.candidates(12)).containsExactly(twelve, Path.of("libcublasLt.so.12"));
    assertThat(CublasLt.find(List.of(both, twelve))).isEmpty(); // these files are no libraries
    assertThat(places.refusal(13_000).reason())
        .isEqualTo("no cuBLASLt library was found that suits a driver for CUDA 13.0");

    LibraryPlaces named =
        new LibraryPlaces(Library.CUBLAS_LT, Map.of("HEDDLE_CUBLASLT", file.toString()), folder);
    assertThat(named.candidates(13)).containsExactly(file);
    assertThat(CublasLt.find(named.candidates(13))).isPresent();
    assertThat(named.refusal(13_000).reason()).contains("HEDDLE_CUBLASLT=" + file);
  }

  private static float[] product(GpuMatrix in, GpuMatrix weight, GpuMatrix out, boolean adds) {
    float[] product = new float[in.rows() * weight.rows()];
    for (int token = 0; token < in.rows(); token++) {
      for (int output = 0; output < weight.rows(); output++) {
        double sum = adds ? at(out, token, output) : 0;
        for (int i = 0; i < in.columns(); i++) {
          sum += (double) at(in, token, i) * at(weight, output, i);
        }
        product[token * weight.rows() + output] = (float) sum;
      }
    }
    return product;
  }

  private static float at(GpuMatrix matrix, int row, int column) {
    MemorySegment memory = MemorySegment.ofAddress(matrix.address()).reinterpret(matrix.bytes());
    return matrix.type().load(memory, row * matrix.rowStride() + column);
  }

  private GpuMatrix random(ElementType type, int rows, int columns, long rowStride, long seed) {
    MemorySegment memory = arena.allocate(rows * rowStride * type.bytes(), 256);
    SplittableRandom random = new SplittableRandom(seed);
    for (long i = 0; i < rows * rowStride; i++) {
      type.store(memory, i, (float) random.nextGaussian());
    }
    return new GpuMatrix(memory.address(), type, rows, columns, rowStride);
  }

  private long counter(String name) {
    try {
      SymbolLookup symbols = SymbolLookup.libraryLookup(file, Arena.global());
      return (long)
          Linker.nativeLinker()
              .downcallHandle(
                  symbols.find(name).orElseThrow(), FunctionDescriptor.of(ValueLayout.JAVA_LONG))
              .invokeExact();
    } catch (Throwable failure) {
      throw new AssertionError(failure);
    }
  }
}
