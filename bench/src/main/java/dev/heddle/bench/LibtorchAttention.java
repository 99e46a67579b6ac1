package dev.heddle.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.TranslateException;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.testkit.TestLayer;
import java.io.IOException;

/**
 * libtorch's {@code scaled_dot_product_attention}, causal, on a layer's inputs. The Java binding
 * has no method for it and cannot make bfloat16 tensors, so both are done by functions in
 * TorchScript.
 */
final class LibtorchAttention implements AutoCloseable {
  /** libtorch's numbers of the element types. */
  private static final int FLOAT32 = 6;

  private static final int BFLOAT16 = 15;

  private final NDManager manager = NDManager.newBaseManager(Device.cpu(), LibtorchFunction.ENGINE);
  private final LibtorchFunction attention;
  private final NDList inputs;

  /** Copies the inputs to libtorch as {@code type}; the layer is contiguous float32. */
  LibtorchAttention(TestLayer layer, ElementType type) throws IOException, TranslateException {
    attention =
        new LibtorchFunction(
            "Tensor", "torch.scaled_dot_product_attention(q, k, v, None, 0., True)");
    NDList tensors =
        new NDList(tensor(layer.queries()), tensor(layer.keys()), tensor(layer.values()));
    inputs = type == ElementType.BFLOAT16 ? convert(tensors, BFLOAT16) : tensors;
  }

  /** Attends once. */
  void attend() throws TranslateException {
    attention.apply(inputs).close();
  }

  /** Attends once and returns the output as float32, {@code [head][token][dim]}. */
  float[] output() throws TranslateException, IOException {
    try (NDList out = attention.apply(inputs)) {
      NDArray result = out.singletonOrThrow();
      return convert(new NDList(result, result, result), FLOAT32).get(0).toFloatArray();
    }
  }

  @Override
  public void close() {
    attention.close();
    manager.close();
  }

  private NDArray tensor(HeadTensor tensor) {
    int count = tensor.heads() * tensor.tokens() * tensor.headDim();
    float[] numbers = new float[count];
    ElementType.FLOAT32.load(tensor.memory(), 0, numbers, 0, count);
    return manager.create(numbers, new Shape(1, tensor.heads(), tensor.tokens(), tensor.headDim()));
  }

  private NDList convert(NDList tensors, int type) throws IOException, TranslateException {
    String to = "torch.to(%s, " + type + ", False, False, None)";
    String all =
        "(" + to.formatted("q") + ", " + to.formatted("k") + ", " + to.formatted("v") + ")";
    try (LibtorchFunction convert = new LibtorchFunction("Tuple[Tensor, Tensor, Tensor]", all)) {
      NDList converted = convert.apply(tensors);
      converted.attach(manager);
      return converted;
    }
  }
}
