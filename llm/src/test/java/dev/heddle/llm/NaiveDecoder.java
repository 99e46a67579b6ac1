package dev.heddle.llm;

import dev.heddle.api.ElementType;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;

/**
 * The decoder from its equations, in float64, one number at a time: the oracle. With {@code
 * (float)} as rounding every step is plain float32, which tells how far that may be from the truth;
 * with another type for what is stored, it is the plain arithmetic of that type with float32 sums.
 */
final class NaiveDecoder {
  private final Function<String, Optional<SafetensorsTensor>> tensors;
  private final ModelConfig config;
  private final DoubleUnaryOperator rounding;
  private final DoubleUnaryOperator storing;

  NaiveDecoder(SafetensorsFile file, ModelConfig config, DoubleUnaryOperator rounding) {
    this(file::find, config, rounding, rounding);
  }

  /**
   * A decoder with two roundings.
   *
   * @param tensors finds a weight by its name
   * @param rounding of sums and of what they are made of
   * @param storing of weights and of everything that a step hands to the next
   */
  NaiveDecoder(
      Function<String, Optional<SafetensorsTensor>> tensors,
      ModelConfig config,
      DoubleUnaryOperator rounding,
      DoubleUnaryOperator storing) {
    this.tensors = tensors;
    this.config = config;
    this.rounding = rounding;
    this.storing = storing;
  }

  /** What is computed with numbers of {@code type} and float32 sums. */
  static NaiveDecoder plain(WeightFiles files, ModelConfig config, ElementType type) {
    return new NaiveDecoder(files::find, config, x -> (float) x, x -> type.round((float) x));
  }

  /** The logits behind every token of {@code prompt}: {@code [token][vocabulary]}. */
  double[][] logits(int[] prompt) {
    double[][] hidden = new double[prompt.length][];
    for (int token = 0; token < prompt.length; token++) {
      hidden[token] = row("model.embed_tokens.weight", prompt[token], config.hiddenSize());
    }
    for (int layer = 0; layer < config.attention().layers(); layer++) {
      String prefix = "model.layers." + layer + ".";
      add(hidden, attention(prefix + "self_attn.", norm(hidden, prefix + "input_layernorm")));
      add(hidden, feedForward(prefix + "mlp.", norm(hidden, prefix + "post_attention_layernorm")));
    }
    String output = config.tiedEmbeddings() ? "model.embed_tokens" : "lm_head";
    return project(norm(hidden, "model.norm"), output, config.vocabularySize());
  }

  private double[][] attention(String prefix, double[][] in) {
    double[][] q = turned(project(in, prefix + "q_proj", config.queryWidth()), prefix + "q_norm");
    double[][] k =
        turned(project(in, prefix + "k_proj", config.keyValueWidth()), prefix + "k_norm");
    double[][] v = project(in, prefix + "v_proj", config.keyValueWidth());
    double[][] out = new double[in.length][config.queryWidth()];
    int group = config.attention().queryHeads() / config.attention().keyValueHeads();
    for (int query = 0; query < in.length; query++) {
      for (int head = 0; head < config.attention().queryHeads(); head++) {
        attendOne(q[query], k, v, out[query], new int[] {query, head, head / group});
      }
    }
    return project(out, prefix + "o_proj", config.hiddenSize());
  }

  private void attendOne(double[] q, double[][] k, double[][] v, double[] out, int[] place) {
    int dim = config.attention().headDim();
    int from = place[1] * dim;
    int shared = place[2] * dim;
    double[] scores = new double[place[0] + 1];
    double greatest = Double.NEGATIVE_INFINITY;
    for (int key = 0; key < scores.length; key++) {
      double sum = 0;
      for (int i = 0; i < dim; i++) {
        sum = round(sum + q[from + i] * k[key][shared + i]);
      }
      scores[key] = store(sum / Math.sqrt(dim));
      greatest = Math.max(greatest, scores[key]);
    }
    double total = 0;
    for (int key = 0; key < scores.length; key++) {
      scores[key] = round(Math.exp(scores[key] - greatest));
      total = round(total + scores[key]);
    }
    for (int key = 0; key < scores.length; key++) {
      double share = store(scores[key] / total);
      for (int i = 0; i < dim; i++) {
        out[from + i] = round(out[from + i] + share * v[key][shared + i]);
      }
    }
    for (int i = 0; i < dim; i++) {
      out[from + i] = store(out[from + i]);
    }
  }

  private double[][] feedForward(String prefix, double[][] in) {
    double[][] gate = project(in, prefix + "gate_proj", config.intermediateSize());
    double[][] up = project(in, prefix + "up_proj", config.intermediateSize());
    for (int token = 0; token < in.length; token++) {
      for (int i = 0; i < gate[token].length; i++) {
        double x = gate[token][i];
        gate[token][i] = store(store(x / (1 + Math.exp(-x))) * up[token][i]);
      }
    }
    return project(gate, prefix + "down_proj", config.hiddenSize());
  }

  /** Heads normalised where the family does so, then turned as complex numbers. */
  private double[][] turned(double[][] rows, String normName) {
    int dim = config.attention().headDim();
    int half = dim / 2;
    for (int token = 0; token < rows.length; token++) {
      for (int from = 0; from < rows[token].length; from += dim) {
        if (config.normalisesHeads()) {
          double[] head = Arrays.copyOfRange(rows[token], from, from + dim);
          System.arraycopy(norm(new double[][] {head}, normName)[0], 0, rows[token], from, dim);
        }
        for (int i = 0; i < half; i++) {
          float frequency = frequency(i, dim);
          double angle = token * frequency; // float32, as where the models are trained
          double real = rows[token][from + i];
          double imaginary = rows[token][from + half + i];
          rows[token][from + i] = store(real * Math.cos(angle) - imaginary * Math.sin(angle));
          rows[token][from + half + i] =
              store(real * Math.sin(angle) + imaginary * Math.cos(angle));
        }
      }
    }
    return rows;
  }

  private double[][] norm(double[][] rows, String name) {
    double[][] out = new double[rows.length][];
    for (int token = 0; token < rows.length; token++) {
      double[] x = rows[token];
      double[] weight = row(name + ".weight", 0, x.length);
      double sum = 0;
      for (double number : x) {
        sum = round(sum + number * number);
      }
      double scale = round(1 / Math.sqrt(sum / x.length + config.normEpsilon()));
      out[token] = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        out[token][i] = store(weight[i] * store(x[i] * scale));
      }
    }
    return out;
  }

  private double[][] project(double[][] in, String name, int outputs) {
    double[] bias =
        tensors.apply(name + ".bias").isPresent()
            ? row(name + ".bias", 0, outputs)
            : new double[outputs];
    double[][] weight = new double[outputs][];
    for (int o = 0; o < outputs; o++) {
      weight[o] = row(name + ".weight", o, in[0].length);
    }
    double[][] out = new double[in.length][outputs];
    for (int token = 0; token < in.length; token++) {
      for (int o = 0; o < outputs; o++) {
        double sum = 0;
        for (int i = 0; i < weight[o].length; i++) {
          sum = round(sum + in[token][i] * weight[o][i]);
        }
        out[token][o] = store(sum + bias[o]);
      }
    }
    return out;
  }

  private void add(double[][] sum, double[][] added) {
    for (int token = 0; token < sum.length; token++) {
      for (int i = 0; i < sum[token].length; i++) {
        sum[token][i] = store(sum[token][i] + added[token][i]);
      }
    }
  }

  private double[] row(String name, int row, int width) {
    SafetensorsTensor tensor = tensors.apply(name).orElseThrow();
    double[] numbers = new double[width];
    for (int i = 0; i < width; i++) {
      numbers[i] = store(tensor.elementType().load(tensor.memory(), (long) row * width + i));
    }
    return numbers;
  }

  /** The scaled ones have tests of their own. */
  private float frequency(int pair, int dim) {
    return config.rotary().scaling() instanceof RotaryScaling.None
        ? (float) Math.pow(config.rotary().theta(), -2.0 * pair / dim)
        : new RotaryEmbedding(config.rotary(), dim).frequencies()[pair];
  }

  private double store(double number) {
    return storing.applyAsDouble(number);
  }

  private double round(double number) {
    return rounding.applyAsDouble(number);
  }
}
