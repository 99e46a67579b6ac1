package com.example.library;

import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import java.nio.file.Path;
import java.util.Map;

/** Which head uses which pattern, said in two ways. */
final class Heads {
  /** Layers, query heads, key/value heads, head dim. */
  static final ModelShape MODEL = new ModelShape(2, 8, 2, 64);

  private Heads() {}

  static HeadsConfig inCode() {
    return HeadsConfig.builder(MODEL)
        .defaults("a-shape", Map.of("sink", 64, "local", 512))
        .assign("0-1", "4-7", "vertical-slash", Map.of("verticals", 200, "slashes", 256))
        .build();
  }

  static HeadsConfig fromFile(Path file) {
    return HeadsConfig.read(file);
  }
}
