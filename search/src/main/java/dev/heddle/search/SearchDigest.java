package dev.heddle.search;

import dev.heddle.runtime.ModelShape;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * A digest of all that decides what a search measures, but for the model's weights and the costs,
 * which a state holds themselves.
 */
final class SearchDigest {
  private final String model;
  private final ModelShape shape;
  private final String backend;

  /**
   * Makes digests.
   *
   * @param model names the model's weights
   */
  SearchDigest(String model, ModelShape shape, String backend) {
    this.model = model;
    this.shape = shape;
    this.backend = backend;
  }

  String of(HeadSearch.Material material, SearchPlan plan, List<Candidate> candidates) {
    MessageDigest digest = sha256();
    add(digest, model, shape.toString(), backend);
    add(digest, plan.budgets().toString(), String.valueOf(plan.tailQueries()));
    candidates.forEach(candidate -> add(digest, candidate.toString()));
    material.samples().forEach(sample -> add(digest, sample));
    add(digest, material.weighing());
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void add(MessageDigest digest, String... parts) {
    for (String part : parts) {
      digest.update((part + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void add(MessageDigest digest, SearchSample sample) {
    add(digest, sample.prompt());
    sample.continuations().forEach(continuation -> add(digest, continuation.tokens()));
  }

  private static void add(MessageDigest digest, int[] tokens) {
    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (tokens.length + 1));
    bytes.asIntBuffer().put(tokens.length).put(tokens);
    digest.update(bytes);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
