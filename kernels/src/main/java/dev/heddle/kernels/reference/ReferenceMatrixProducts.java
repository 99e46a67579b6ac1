package dev.heddle.kernels.reference;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.MatrixProducts;
import java.lang.foreign.MemorySegment;

/** Matrix products from the definition, each sum in float64. */
final class ReferenceMatrixProducts implements MatrixProducts {
  @Override
  public void multiply(MemorySegment in, int tokens, Weight weight, MemorySegment out) {
    weight.requireOperands(in, tokens, out);
    for (int token = 0; token < tokens; token++) {
      for (int output = 0; output < weight.outputs(); output++) {
        double sum = 0;
        for (int input = 0; input < weight.inputs(); input++) {
          sum +=
              (double) ElementType.FLOAT32.load(in, (long) token * weight.inputs() + input)
                  * weight.type().load(weight.memory(), (long) output * weight.inputs() + input);
        }
        ElementType.FLOAT32.store(out, (long) token * weight.outputs() + output, (float) sum);
      }
    }
  }

  @Override
  public void close() {
    // holds nothing
  }
}
