package dev.heddle.search;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** Invents facts about words that stand in no text: two or three syllables each. */
final class FactGenerator {
  private static final String CONSONANTS = "bcdfghjklmnprstvwz";
  private static final String VOWELS = "aeiou";
  private static final int DIGITS = 6;

  private final RandomGenerator random;

  FactGenerator(RandomGenerator random) {
    this.random = random;
  }

  /** Makes {@code count} facts about different words. */
  List<Fact> facts(int count) {
    Set<String> words = new HashSet<>();
    List<Fact> facts = new ArrayList<>();
    while (facts.size() < count) {
      String word = word();
      if (words.add(word)) {
        facts.add(new Fact(word, number()));
      }
    }
    return facts;
  }

  /** A word of two or three syllables. */
  String word() {
    StringBuilder word = new StringBuilder();
    for (int syllables = random.nextInt(2, 4); syllables > 0; syllables--) {
      word.append(CONSONANTS.charAt(random.nextInt(CONSONANTS.length())));
      word.append(VOWELS.charAt(random.nextInt(VOWELS.length())));
    }
    return word.toString();
  }

  private String number() {
    StringBuilder number = new StringBuilder();
    for (int digit = 0; digit < DIGITS; digit++) {
      number.append(random.nextInt(10));
    }
    return number.toString();
  }
}
