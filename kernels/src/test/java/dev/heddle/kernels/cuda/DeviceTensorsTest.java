package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.GpuTensors;
import dev.heddle.kernels.HeadWork;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tensors that stay on the device give what tensors of the host give. */
class DeviceTensorsTest extends GpuTest {
  private static final AttentionShape SHAPE = new AttentionShape(8, 2, 257, 1023, 128);

  @AfterEach
  void everythingIsGivenBack() {
    if (backend != null) {
      assertThat(backend.pool().liveAllocations()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void everyRunEqualsTheHosts(ElementType type) {
    for (int headDim : new int[] {128, 50}) {
      AttentionShape shape = new AttentionShape(8, 2, 257, 1023, headDim);
      AttentionCases cases = new AttentionCases(headDim);
      List<BlockIndex> indices = cases.indices(shape, BlockShape.DEFAULT);
      AttentionCall call = cases.call(shape, type, indices);
      backend.attend(call);
      List<HeadWork> work =
          indices.stream().<HeadWork>map(index -> new HeadWork.Indexed(List.of(index))).toList();
      try (GpuTensors tensors = backend.allocate(shape, type, BlockShape.DEFAULT)) {
        tensors.upload(call.queries(), call.keys(), call.values());
        for (int run = 0; run < 3; run++) {
          GpuReport report = tensors.attend(work);
          assertThat(report.cells()).isEqualTo(indices.stream().map(BlockIndex::cells).toList());
          assertThat(report.attentionNanos()).isPositive();
          assertSame(tensors.layer().out(), call.out());
        }
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefusedWithBothNumbers() {
    AttentionShape huge = new AttentionShape(512, 512, 1 << 22, 1 << 22, 128);
    assertThatThrownBy(() -> backend.allocate(huge, ElementType.FLOAT32, BlockShape.DEFAULT))
        .isInstanceOf(DeviceMemoryException.class)
        .hasMessageContaining("a layer of 512 x 4,194,304 queries and 512 x 4,194,304 keys needs")
        .hasMessageContaining("are free");
  }

  @Test
  void wrongSizesAndUseAfterCloseAreRefused() {
    AttentionCases cases = new AttentionCases(1);
    AttentionCall call = cases.call(SHAPE, ElementType.FLOAT16, AttentionCases.dense(SHAPE));
    GpuTensors tensors = backend.allocate(SHAPE, ElementType.FLOAT16, BlockShape.DEFAULT);
    assertThatThrownBy(() -> tensors.upload(call.keys(), call.keys(), call.values()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("queries are FLOAT16 2 x 1023 x 128; allowed: FLOAT16 8 x 257 x 128");
    tensors.close();
    tensors.close();
    assertThatThrownBy(() -> tensors.upload(call.queries(), call.keys(), call.values()))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> tensors.attend(List.of())).isInstanceOf(IllegalStateException.class);
  }

  /** The same kernels on the same numbers: equal to the last bit. */
  private void assertSame(GpuTensor onDevice, HeadTensor host) {
    int rows = onDevice.heads() * onDevice.tokens();
    byte[] bytes = new byte[rows * onDevice.headDim() * onDevice.type().bytes()];
    device()
        .call(lane -> {
          try (WorkQueue queue = new WorkQueue(device(), lane)) {
            queue.download(onDevice.address(), MemorySegment.ofArray(bytes));
          }
          return true;
        });
    HeadTensor found =
        new HeadTensor(
            MemorySegment.ofArray(bytes),
            host.type(),
            host.heads(),
            host.tokens(),
            host.headDim(),
            (long) onDevice.tokens() * onDevice.headDim(),
            onDevice.headDim());
    for (int head = 0; head < host.heads(); head++) {
      for (int token = 0; token < host.tokens(); token++) {
        for (int dim = 0; dim < host.headDim(); dim++) {
          assertThat(found.head(head).get(token, dim)).isEqualTo(host.head(head).get(token, dim));
        }
      }
    }
  }
}
