package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.HeadWork;
import dev.heddle.kernels.PlainTypedAttention;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Attention against the float64 reference; cases run beside each other. */
class CudaAttentionTest extends GpuTest {
  private static final int[] HEAD_DIMS = {64, 96, 128, 256, 40, 50, 200};
  private static final int[] TOKENS = {1, 63, 64, 65, 113, 127, 128, 129, 300, 513};
  private static final int[] GROUPS = {1, 4, 8};

  @AfterEach
  void everythingIsGivenBack() {
    if (backend != null) {
      assertThat(backend.pool().liveAllocations()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void denseEqualsTheReference(ElementType type) {
    IntStream.range(0, 30)
        .parallel()
        .forEach(seed -> {
          AttentionShape shape = shape(seed);
          AttentionCases cases = new AttentionCases(seed);
          assertRight("seed " + seed, cases.call(shape, type, AttentionCases.dense(shape)));
        });
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void rowsEqualTheReference(ElementType type) {
    IntStream.range(0, 40)
        .parallel()
        .forEach(seed -> {
          AttentionShape shape = shape(seed);
          AttentionCases cases = new AttentionCases(seed);
          List<BlockIndex> indices = cases.indices(shape, BlockShape.DEFAULT);
          assertRight("seed " + seed, cases.call(shape, type, indices));
        });
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void denseHeadsAndOthersShareACall(ElementType type) {
    AttentionShape shape = new AttentionShape(8, 2, 140, 515, 128);
    AttentionCases cases = new AttentionCases(5);
    List<BlockIndex> sparse = cases.indices(shape, BlockShape.DEFAULT);
    BlockIndex dense = BlockIndex.dense(shape, BlockShape.DEFAULT);
    List<BlockIndex> indices =
        IntStream.range(0, 8).mapToObj(head -> head % 3 == 0 ? dense : sparse.get(head)).toList();
    assertRight(type.toString(), cases.call(shape, type, indices));
  }

  @Test
  void interleavedTensorsEqualTheReference() {
    AttentionShape shape = new AttentionShape(4, 2, 130, 200, 72);
    AttentionCases cases = new AttentionCases(11);
    AttentionCall contiguous = cases.call(shape, ElementType.BFLOAT16, AttentionCases.dense(shape));
    AttentionCall call =
        new AttentionCall(
            shape,
            interleave(contiguous.queries()),
            interleave(contiguous.keys()),
            interleave(contiguous.values()),
            interleave(contiguous.out()),
            contiguous.logSumExp(),
            contiguous.softmaxScale(),
            contiguous.indices());
    assertRight("interleaved", call);
  }

  @Test
  void aNaNStaysInTheRowsThatReadIt() {
    AttentionShape shape = new AttentionShape(2, 1, 300, 300, 64);
    AttentionCases cases = new AttentionCases(3);
    AttentionCall call = cases.call(shape, ElementType.FLOAT32, AttentionCases.dense(shape));
    call.queries()
        .type()
        .store(call.queries().memory(), call.queries().head(1).rowOffset(17), Float.NaN);
    backend.attend(call);
    for (int head = 0; head < 2; head++) {
      for (int query = 0; query < 300; query++) {
        assertThat(Float.isNaN(call.out().head(head).get(query, 0)))
            .as("head %d, query %d", head, query)
            .isEqualTo(head == 1 && query == 17);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void packedBatchesInDeviceMemoryEqualTheReference(ElementType type) {
    int[] queryTokens = {1, 200, 129};
    int[] keyTokens = {70, 200, 513};
    List<AttentionCall> calls =
        IntStream.range(0, 3)
            .mapToObj(i -> {
              AttentionShape shape = new AttentionShape(4, 1, queryTokens[i], keyTokens[i], 96);
              AttentionCases cases = new AttentionCases(i);
              return cases.call(shape, type, cases.indices(shape, BlockShape.DEFAULT));
            })
            .toList();
    PackedLayer packed = new PackedLayer(calls);
    device()
        .call(lane -> {
          try (WorkQueue queue = new WorkQueue(device(), lane)) {
            GpuLayer layer = packed.upload(queue);
            List<HeadWork> work =
                IntStream.range(0, 4)
                    .<HeadWork>mapToObj(head ->
                        new HeadWork.Indexed(
                            calls.stream().map(call -> call.indices().get(head)).toList()))
                    .toList();
            // The lane's own stream stands for the caller's.
            backend.attend(layer, work, lane.stream().handle());
            packed.download(layer, queue);
          }
          return true;
        });
    for (AttentionCall call : calls) {
      assertClose(type + " " + call.shape(), call, PlainTypedAttention.reference(call));
    }
  }

  @Test
  void otherTilesAndMixedTypesAreRefused() {
    AttentionShape shape = new AttentionShape(1, 1, 100, 100, 64);
    AttentionCases cases = new AttentionCases(1);
    AttentionCall tile =
        cases.call(shape, ElementType.FLOAT32, cases.indices(shape, new BlockShape(64, 32)));
    assertThatThrownBy(() -> backend.attend(tile))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("blocks are 64 x 32");
    AttentionCall wide =
        cases.call(
            new AttentionShape(1, 1, 4, 4, 264),
            ElementType.FLOAT32,
            AttentionCases.dense(new AttentionShape(1, 1, 4, 4, 264)));
    assertThatThrownBy(() -> backend.attend(wide))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("headDim is 264");
  }

  private static AttentionShape shape(int seed) {
    Random random = new Random(seed);
    int group = GROUPS[random.nextInt(GROUPS.length)];
    int keys = TOKENS[random.nextInt(TOKENS.length)];
    int queries = random.nextBoolean() ? keys : 1 + random.nextInt(keys);
    int headDim = HEAD_DIMS[random.nextInt(HEAD_DIMS.length)];
    return new AttentionShape(2 * group, 2, queries, keys, headDim);
  }

  private void assertRight(String name, AttentionCall call) {
    backend.attend(call);
    assertClose(
        name + " " + call.queries().type() + " " + call.shape(),
        call,
        PlainTypedAttention.reference(call));
  }

  private static void assertClose(String name, AttentionCall call, AttentionCall expected) {
    assertThat(PlainTypedAttention.outputError(call, expected))
        .as("output of " + name)
        .isLessThanOrEqualTo(PlainTypedAttention.allowedOutputError(call, expected));
    assertThat(PlainTypedAttention.logSumExpError(call, expected))
        .as("log-sum-exp of " + name)
        .isLessThanOrEqualTo(PlainTypedAttention.allowedLogSumExpError(call));
  }

  private static HeadTensor interleave(HeadTensor from) {
    HeadTensor to =
        HeadTensor.interleaved(
            Arena.ofAuto().allocate(from.memory().byteSize(), 64),
            from.type(),
            from.heads(),
            from.tokens(),
            from.headDim());
    for (int head = 0; head < from.heads(); head++) {
      for (int token = 0; token < from.tokens(); token++) {
        for (int dim = 0; dim < from.headDim(); dim++) {
          float value = from.head(head).get(token, dim);
          to.type().store(to.memory(), to.head(head).rowOffset(token) + dim, value);
        }
      }
    }
    return to;
  }

  /** Calls packed one behind the other along the token axis. */
  private record PackedLayer(List<AttentionCall> calls) {
    GpuLayer upload(WorkQueue queue) {
      HostTransfer transfer = new HostTransfer(queue);
      int headDim = calls.getFirst().shape().headDim();
      GpuTensor queries =
          transfer.upload(pack(calls.stream().map(AttentionCall::queries).toList()), headDim);
      GpuTensor keys =
          transfer.upload(pack(calls.stream().map(AttentionCall::keys).toList()), headDim);
      GpuTensor values =
          transfer.upload(pack(calls.stream().map(AttentionCall::values).toList()), headDim);
      GpuTensor out =
          transfer.allocate(pack(calls.stream().map(AttentionCall::out).toList()), headDim);
      long logSumExp = queue.allocate(4L * queries.heads() * queries.tokens());
      return new GpuLayer(
          queries,
          keys,
          values,
          out,
          logSumExp,
          calls.getFirst().softmaxScale(),
          BlockShape.DEFAULT,
          sequences());
    }

    void download(GpuLayer layer, WorkQueue queue) {
      HeadTensor out = pack(calls.stream().map(AttentionCall::out).toList());
      new HostTransfer(queue).download(layer.out(), out);
      float[] logSumExp = new float[layer.queries().heads() * layer.queries().tokens()];
      queue.download(layer.logSumExp(), MemorySegment.ofArray(logSumExp));
      for (int i = 0; i < calls.size(); i++) {
        int first = sequences().get(i).firstQuery();
        copy(out, first, calls.get(i).out(), 0);
        AttentionShape shape = calls.get(i).shape();
        for (int head = 0; head < shape.queryHeads(); head++) {
          for (int query = 0; query < shape.queryTokens(); query++) {
            ElementType.FLOAT32.store(
                calls.get(i).logSumExp(),
                (long) head * shape.queryTokens() + query,
                logSumExp[head * layer.queries().tokens() + first + query]);
          }
        }
      }
    }

    private List<GpuSequence> sequences() {
      GpuSequence[] sequences = new GpuSequence[calls.size()];
      int query = 0;
      int key = 0;
      for (int i = 0; i < sequences.length; i++) {
        AttentionShape shape = calls.get(i).shape();
        sequences[i] = new GpuSequence(query, shape.queryTokens(), key, shape.keyTokens());
        query += shape.queryTokens();
        key += shape.keyTokens();
      }
      return List.of(sequences);
    }

    private static HeadTensor pack(List<HeadTensor> tensors) {
      HeadTensor one = tensors.getFirst();
      int tokens = tensors.stream().mapToInt(HeadTensor::tokens).sum();
      HeadTensor packed = AttentionCases.zeros(one.type(), one.heads(), tokens, one.headDim());
      int first = 0;
      for (HeadTensor tensor : tensors) {
        copy(tensor, 0, packed, first);
        first += tensor.tokens();
      }
      return packed;
    }

    /** Copies as many rows as the smaller of the two has. */
    private static void copy(HeadTensor from, int firstFrom, HeadTensor to, int firstTo) {
      int tokens = Math.min(from.tokens(), to.tokens());
      for (int head = 0; head < from.heads(); head++) {
        for (int token = 0; token < tokens; token++) {
          for (int dim = 0; dim < from.headDim(); dim++) {
            float value = from.head(head).get(firstFrom + token, dim);
            long place = to.head(head).rowOffset(firstTo + token) + dim;
            to.type().store(to.memory(), place, value);
          }
        }
      }
    }
  }
}
