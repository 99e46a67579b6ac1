package dev.heddle.kernels.cuda;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.GpuMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Matrix products by cuBLASLt. The algorithm for a shape is asked for once and kept.
 *
 * <p>Matrices are row-major here and column-major there: what cuBLASLt is asked for is the
 * transposed product {@code outᵀ = weight · inᵀ}, in which the weight's rows are columns to be
 * transposed back. Needs the context to be current; for one thread at a time.
 */
final class MatrixMultiplier implements AutoCloseable {
  /**
   * Device memory that algorithms may use, as much as NVIDIA advises for compute capability 9.0.
   */
  static final long WORKSPACE_BYTES = 64L << 20;

  /** Shapes that are kept: more than a model has, fewer than many prompts of all lengths make. */
  private static final int MOST_PLANS = 512;

  private static final int COMPUTE_32F = 68; // cublasComputeType_t
  private static final int TRANSPOSE_A = 3; // cublasLtMatmulDescAttributes_t
  private static final int TRANSPOSED = 1; // cublasOperation_t
  private static final int WORKSPACE = 1; // cublasLtMatmulPreferenceAttributes_t
  private static final int ALIGNMENT_OF_A = 5;
  private static final int ALIGNMENT_OF_B = 6;
  private static final int ALIGNMENT_OF_C = 7;
  private static final int ALIGNMENT_OF_D = 8;

  /** cublasLtMatmulHeuristicResult_t: algorithm, workspace, status, waves, 4 reserved ints. */
  private static final long RESULT_BYTES = 96;

  private static final long RESULT_WORKSPACE = 64;
  private static final long RESULT_STATUS = 72;

  private final CublasLt library;
  private final long handle;
  private final long workspace;
  private final Arena arena = Arena.ofAuto();
  private final MemorySegment zero = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0);
  private final MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
  private final Map<Shape, Plan> plans = new HashMap<>();
  private final Deque<Shape> oldestFirst = new ArrayDeque<>();
  private final Releases owned = new Releases();

  /**
   * Opens the library.
   *
   * @param workspace device address of {@link #WORKSPACE_BYTES} bytes, which stay the caller's
   */
  MatrixMultiplier(CublasLt library, long workspace) {
    this.library = library;
    this.workspace = workspace;
    this.handle = library.create();
    owned.add(() -> library.destroy(handle));
  }

  /** What decides the algorithm. */
  private record Shape(Side in, Side weight, Side out) {
    static Shape of(GpuMatrix in, GpuMatrix weight, GpuMatrix out) {
      return new Shape(Side.of(in), Side.of(weight), Side.of(out));
    }

    String describe() {
      return "a product of %s and a weight %s to %s".formatted(in, weight, out);
    }
  }

  /** A matrix without its address, but for how well that is aligned. */
  private record Side(ElementType type, int rows, int columns, long rowStride, int alignment) {
    private static final int BEST_ALIGNMENT = 256;

    static Side of(GpuMatrix matrix) {
      int alignment = (int) Math.min(BEST_ALIGNMENT, Long.lowestOneBit(matrix.address()));
      return new Side(
          matrix.type(), matrix.rows(), matrix.columns(), matrix.rowStride(), alignment);
    }

    @Override
    public String toString() {
      return "%s[%d][%d] (rows %d apart, aligned to %d bytes)"
          .formatted(type, rows, columns, rowStride, alignment);
    }
  }

  /** A shape's descriptors and algorithm. */
  private record Plan(CublasLt.Operands layouts, MemorySegment algorithm, Releases owned) {}

  /** Queues {@code out = in · weightᵀ}, plus {@code out} itself if it {@code adds}. */
  void multiply(GpuMatrix in, GpuMatrix weight, GpuMatrix out, boolean adds, long stream) {
    requireFitting(in, weight, out);
    Shape shape = Shape.of(in, weight, out);
    Plan plan = plan(shape);
    int status =
        library.multiply(
            handle,
            plan.layouts(),
            new CublasLt.Addresses(
                weight.address(), in.address(), out.address(), one, adds ? one : zero),
            new CublasLt.Algorithm(plan.algorithm(), workspace, WORKSPACE_BYTES),
            stream);
    library.check(status, shape.describe());
  }

  @Override
  public void close() {
    try (Releases all = owned) {
      plans.values().forEach(plan -> all.add(() -> plan.owned().close()));
      plans.clear();
    }
  }

  private static void requireFitting(GpuMatrix in, GpuMatrix weight, GpuMatrix out) {
    boolean sizesFit =
        in.columns() == weight.columns()
            && in.rows() == out.rows()
            && weight.rows() == out.columns();
    boolean typesFit =
        in.type() != ElementType.FLOAT32
            && in.type() == weight.type()
            && (out.type() == in.type() || out.type() == ElementType.FLOAT32);
    if (!sizesFit || !typesFit) {
      throw new InvalidInputException(
          "no product has the shapes of " + Shape.of(in, weight, out).describe());
    }
  }

  private Plan plan(Shape shape) {
    Plan known = plans.get(shape);
    if (known != null) {
      return known;
    }
    if (plans.size() == MOST_PLANS) {
      Plan oldest = plans.remove(oldestFirst.remove());
      if (oldest != null) {
        oldest.owned().close();
      }
    }
    Plan made = make(shape);
    plans.put(shape, made);
    oldestFirst.add(shape);
    return made;
  }

  private Plan make(Shape shape) {
    Releases ofPlan = new Releases();
    try {
      long operation = library.createOperation(COMPUTE_32F, code(ElementType.FLOAT32));
      ofPlan.add(() -> library.destroyOperation(operation));
      library.setOperation(operation, TRANSPOSE_A, TRANSPOSED);
      CublasLt.Operands layouts =
          new CublasLt.Operands(
              operation,
              layout(shape.weight(), ofPlan),
              layout(shape.in(), ofPlan),
              layout(shape.out(), ofPlan));
      MemorySegment result = Arena.ofAuto().allocate(RESULT_BYTES, Long.BYTES);
      choose(shape, layouts, result);
      return new Plan(layouts, result, ofPlan);
    } catch (RuntimeException failure) {
      ofPlan.closeAfter(failure);
      throw failure;
    }
  }

  /** A row-major matrix is the column-major one of its rows. */
  private long layout(Side side, Releases ofPlan) {
    long layout =
        library.createLayout(code(side.type()), side.columns(), side.rows(), side.rowStride());
    ofPlan.add(() -> library.destroyLayout(layout));
    return layout;
  }

  private void choose(Shape shape, CublasLt.Operands layouts, MemorySegment result) {
    long preference = library.createPreference();
    try (Releases afterwards = new Releases()) {
      afterwards.add(() -> library.destroyPreference(preference));
      library.setPreference(preference, WORKSPACE, WORKSPACE_BYTES);
      library.setPreference(preference, ALIGNMENT_OF_A, shape.weight().alignment());
      library.setPreference(preference, ALIGNMENT_OF_B, shape.in().alignment());
      library.setPreference(preference, ALIGNMENT_OF_C, shape.out().alignment());
      library.setPreference(preference, ALIGNMENT_OF_D, shape.out().alignment());
      int found =
          library.algorithms(
              List.of(
                  handle,
                  layouts.operation(),
                  layouts.a(),
                  layouts.b(),
                  layouts.d(),
                  layouts.d(),
                  preference),
              1,
              result);
      if (found == 0) {
        throw new DeviceException("cuBLASLt knows no algorithm for " + shape.describe());
      }
      library.check(result.get(ValueLayout.JAVA_INT, RESULT_STATUS), shape.describe());
      long needed = result.get(ValueLayout.JAVA_LONG, RESULT_WORKSPACE);
      if (needed > WORKSPACE_BYTES) {
        throw new DeviceException(
            "cuBLASLt wants %d bytes for %s".formatted(needed, shape.describe()));
      }
    }
  }

  /** The type as cudaDataType_t numbers it. */
  private static int code(ElementType type) {
    return switch (type) {
      case FLOAT32 -> 0;
      case FLOAT16 -> 2;
      case BFLOAT16 -> 14;
    };
  }
}
