package dev.heddle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

class GpuCallTest {
  private static final Options NONE = Options.defaults(List.of());

  @Test
  void theStructOfTheSharedHeadersIsFilledByteByByte() {
    GpuTensor q = new GpuTensor(0x1000, ElementType.BFLOAT16, 8, 300, 104, 40_000, 128);
    GpuTensor k = new GpuTensor(0x2000, ElementType.BFLOAT16, 2, 500, 104, 104, 208);
    GpuTensor v = new GpuTensor(0x3000, ElementType.BFLOAT16, 2, 500, 104, 60_000, 112);
    GpuTensor out = new GpuTensor(0x4000, ElementType.BFLOAT16, 8, 300, 104, 104, 832);
    List<GpuSequence> sequences =
        List.of(new GpuSequence(0, 100, 0, 200), new GpuSequence(100, 200, 200, 300));
    GpuLayer layer = new GpuLayer(q, k, v, out, 0x5000, 0.25f, BlockShape.DEFAULT, sequences);
    GpuCall call = new GpuCall(layer, List.of(new GpuHead(5, NONE), new GpuHead(0, NONE)));
    byte[] struct =
        AttentionParameters.pack(
                call,
                new GpuTables(0x6000, 0x7000, 0x8000, 3, 0xE000),
                new GpuIndex(0x9000, 0xA000, 0xB000, 0xC000),
                216)
            .putLong(208, -1)
            .toBytes();
    ByteBuffer bytes = ByteBuffer.wrap(struct).order(ByteOrder.nativeOrder());
    long[] longs = new long[21];
    bytes.asLongBuffer().get(longs);
    assertThat(longs)
        .containsExactly(
            0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 40_000, 128, 104, 208, 60_000, 112, 104, 832,
            300, 0x6000, 0x7000, 0x8000, 0x9000, 0xA000, 0xB000, 0xC000);
    int[] ints = {2, 2, 2, 4, 3, Float.floatToRawIntBits(0.25f), 104, 0};
    for (int i = 0; i < ints.length; i++) {
      assertThat(bytes.getInt(168 + 4 * i)).as("int at %d", 168 + 4 * i).isEqualTo(ints[i]);
    }
    assertThat(bytes.getLong(200)).isEqualTo(0xE000);
    assertThat(bytes.getLong(208)).isEqualTo(-1);
    assertThat(call.indexRows()).isEqualTo(2 * 2 * 2);
    assertThat(AttentionLaunch.kernel("heddle_x_attend", layer))
        .isEqualTo("heddle_x_attend_bf16_128");
  }

  @Test
  void parametersKeepTheirLimits() {
    assertThatThrownBy(() -> new KernelParameters(5000)).isInstanceOf(InvalidInputException.class);
    KernelParameters parameters = new KernelParameters(16);
    assertThatThrownBy(() -> parameters.putLong(4, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("offset 4");
    assertThatThrownBy(() -> parameters.putInt(16, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(parameters.putFloat(12, 0).toBytes()).containsOnly(0);
  }

  @Test
  void tensorsThatKernelsCannotReadAreRefused() {
    assertThatThrownBy(() -> GpuTensor.contiguous(0, ElementType.FLOAT32, 1, 1, 64))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("address 0x0");
    assertThatThrownBy(() -> GpuTensor.contiguous(0x1008, ElementType.FLOAT32, 1, 1, 64))
        .hasMessageContaining("multiples of 16");
    assertThatThrownBy(() -> new GpuTensor(0x1000, ElementType.FLOAT16, 1, 2, 64, 0, 68))
        .hasMessageContaining("token stride 68");
  }

  @Test
  void layersAndCallsNameWhatDoesNotFit() {
    GpuTensor q = GpuTensor.contiguous(0x1000, ElementType.FLOAT16, 4, 10, 64);
    GpuTensor k = GpuTensor.contiguous(0x2000, ElementType.FLOAT16, 2, 20, 64);
    GpuTensor three = GpuTensor.contiguous(0x2000, ElementType.FLOAT16, 3, 20, 64);
    GpuTensor wide = GpuTensor.contiguous(0x2000, ElementType.FLOAT32, 2, 20, 64);
    List<GpuSequence> whole = List.of(GpuSequence.whole(10, 20));
    assertThatThrownBy(() -> layer(q, three, whole)).hasMessageContaining("3 key/value heads");
    assertThatThrownBy(() -> layer(q, wide, whole)).hasMessageContaining("keys are FLOAT32");
    assertThatThrownBy(() -> layer(q, k, List.of(new GpuSequence(5, 6, 0, 20))))
        .hasMessageContaining("does not lie in the 10 rows of Q");
    assertThatThrownBy(() -> layer(q, k, List.of())).hasMessageContaining("at least one sequence");
    GpuLayer layer = layer(q, k, whole);
    assertThatThrownBy(() -> new GpuCall(layer, List.of(new GpuHead(4, NONE))))
        .hasMessage("head 4 is not among the query heads 0 to 3");
    assertThatThrownBy(() -> new GpuCall(layer, List.of()))
        .hasMessageContaining("at least one head");
    assertThat(layer.shape(0)).isEqualTo(new AttentionShape(4, 2, 10, 20, 64));
  }

  @Test
  void sizesWithoutKernelsAreRefused() {
    GpuTensor odd = GpuTensor.contiguous(0x1000, ElementType.FLOAT32, 1, 8, 4);
    assertThatThrownBy(() ->
            AttentionLaunch.requireSupported(layer(odd, odd, List.of(GpuSequence.whole(8, 8)))))
        .hasMessage("headDim is 4; the GPU kernels take 8 to 256 in steps of 8");
    GpuTensor q = GpuTensor.contiguous(0x1000, ElementType.FLOAT16, 1, 8, 64);
    GpuLayer blocks =
        new GpuLayer(q, q, q, q, 0, 1, new BlockShape(64, 64), List.of(GpuSequence.whole(8, 8)));
    assertThatThrownBy(() -> AttentionLaunch.requireSupported(blocks))
        .hasMessage("blocks are 64 x 64; the GPU kernels take 128 x 64");
    GpuLayer scale =
        new GpuLayer(q, q, q, q, 0, -1, BlockShape.DEFAULT, List.of(GpuSequence.whole(8, 8)));
    assertThatThrownBy(() -> AttentionLaunch.requireSupported(scale))
        .hasMessageContaining("softmaxScale is -1.0");
    int tooMany = (1 << 29) + 1;
    GpuTensor k = GpuTensor.contiguous(0x2000, ElementType.FLOAT16, 1, tooMany, 64);
    GpuLayer keys =
        new GpuLayer(q, k, k, q, 0, 1, BlockShape.DEFAULT, List.of(GpuSequence.whole(8, tooMany)));
    assertThatThrownBy(() -> AttentionLaunch.requireSupported(keys))
        .hasMessage("a sequence has 536870913 keys; the GPU kernels take up to 536870912");
  }

  @Test
  void launchesKeepTheDevicesLimits() {
    assertThatThrownBy(() -> KernelGrid.of(1, 70_000, 1, 128))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> KernelGrid.of(1, 1, 1, 2048))
        .isInstanceOf(InvalidInputException.class);
    assertThat(KernelGrid.of(1, 2, 3, 4)).isEqualTo(new KernelGrid(1, 2, 3, 4, 1, 0));
  }

  private static GpuLayer layer(GpuTensor q, GpuTensor kv, List<GpuSequence> sequences) {
    return new GpuLayer(q, kv, kv, q, 0, 0.125f, BlockShape.DEFAULT, sequences);
  }
}
