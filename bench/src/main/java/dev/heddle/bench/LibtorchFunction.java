package dev.heddle.bench;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A function of q, k and v in libtorch, given by one expression. */
final class LibtorchFunction implements AutoCloseable {
  static final String ENGINE = "PyTorch";

  private final Model model;
  private final Predictor<NDList, NDList> predictor;

  /**
   * Makes the function.
   *
   * @param type the TorchScript type of its value
   * @param expression TorchScript, with the operators' positional arguments
   */
  LibtorchFunction(String type, String expression) throws IOException {
    model = Model.newInstance("function", Device.cpu(), ENGINE);
    Path folder = Files.createTempDirectory("heddle-libtorch");
    Path file = folder.resolve("function.pt");
    try {
      TorchScriptFile.write(file, type, expression);
      model.load(file);
    } catch (MalformedModelException malformed) {
      throw new IOException("libtorch refused the module that was written for it", malformed);
    } finally {
      Files.deleteIfExists(file);
      Files.delete(folder);
    }
    predictor = model.newPredictor(new NoopTranslator(null));
  }

  /** Whether libtorch was built in: Maven's profile {@code libtorch}. */
  static boolean isPresent() {
    return Engine.hasEngine(ENGINE);
  }

  /** To be called before libtorch is loaded: no network, no reports of usage, so many threads. */
  static void prepare(int threads) {
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(threads));
    System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
  }

  /** The value at the three tensors; the caller closes it. */
  NDList apply(NDList tensors) throws TranslateException {
    return predictor.predict(tensors);
  }

  @Override
  public void close() {
    predictor.close();
    model.close();
  }
}
