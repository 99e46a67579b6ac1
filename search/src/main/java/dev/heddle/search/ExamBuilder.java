package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/** Makes the exams of each task but {@link EvalTask#TEXT}, from a seed. */
final class ExamBuilder {
  /** The bundled model finds facts best when the text is full of them. */
  private static final int TOKENS_PER_FACT = 128;

  private static final int CHAIN = 5;
  private static final int COMMON = 10;
  private static final int MOST_REPEATS = 30;
  private static final int RARE_REPEATS = 3;
  private static final int FREQUENT = 3;
  private static final int FREQUENT_VOCABULARY = 200;
  private static final double ZIPF = 2.0;

  private final Prose prose;

  ExamBuilder(Prose prose) {
    this.prose = prose;
  }

  /**
   * Which exam.
   *
   * @param tokens tokens of the prompt; lists of words may fall short of it by one word
   * @param depth where a needle lies, 0 for the start of the text to 1 for its end
   * @param questions most questions about facts
   */
  record Wanted(EvalTask task, int tokens, double depth, int questions, long seed) {}

  /**
   * Makes an exam.
   *
   * @throws InvalidInputException if the length is too short for the task
   */
  Exam build(Wanted wanted) {
    Random random = new Random(wanted.seed());
    return switch (wanted.task()) {
      case FACTS -> facts(wanted);
      case NEEDLE -> needle(wanted, random);
      case VARIABLES -> variables(wanted, random);
      case COMMON_WORDS -> commonWords(wanted, random);
      case FREQUENT_WORDS -> frequentWords(wanted, random);
      case TEXT -> throw new IllegalArgumentException("a text asks no questions");
    };
  }

  private Exam facts(Wanted wanted) {
    int facts = Math.max(1, wanted.tokens() / TOKENS_PER_FACT);
    int questions = Math.min(facts, wanted.questions());
    FactExamBuilder.Size size =
        new FactExamBuilder.Size(wanted.tokens(), facts, questions, wanted.seed());
    return new FactExamBuilder(prose).build(size).exam();
  }

  private Exam needle(Wanted wanted, Random random) {
    Fact fact = new FactGenerator(random).facts(1).getFirst();
    int[] statement = prose.encode(fact.statement());
    int[] question = prose.encode(fact.question());
    int[] window = window(wanted, statement.length + question.length, random);
    int place = (int) Math.round(wanted.depth() * (window.length - 1));
    TokenList prompt = prose.start(wanted.tokens());
    prose.plant(prompt, window, List.of(statement), new int[] {place});
    prompt.addAll(question);
    return new Exam(prompt.toArray(), List.of(fact.asQuestion()));
  }

  private Exam variables(Wanted wanted, Random random) {
    List<String> names = words(CHAIN, random).stream().map(ExamBuilder::upperCase).toList();
    String value = String.valueOf(random.nextInt(10_000, 100_000));
    List<int[]> statements = new ArrayList<>();
    for (int i = 0; i < CHAIN; i++) {
      String assigned = i == 0 ? value : "VAR " + names.get(i - 1);
      statements.add(prose.encode(" VAR " + names.get(i) + " = " + assigned + ". "));
    }
    int[] question =
        prose.encode(
            " Which %d variables have the value %s, directly or through another? They are VAR"
                .formatted(CHAIN, value));
    int planted = statements.stream().mapToInt(statement -> statement.length).sum();
    int[] window = window(wanted, planted + question.length, random);
    int[] places = random.ints(CHAIN, 0, window.length).sorted().toArray();
    TokenList prompt = prose.start(wanted.tokens());
    prose.plant(prompt, window, statements, places);
    prompt.addAll(question);
    return new Exam(prompt.toArray(), List.of(question(names)));
  }

  /** Ten words stand often in the list, all others three times. */
  private Exam commonWords(Wanted wanted, Random random) {
    String ask = " The %d most common words of the list are:".formatted(COMMON);
    int[] question = prose.encode(ask);
    int room = wanted.tokens() - prose.beginningTokens() - question.length;
    int repeats = Math.clamp(room / 256, RARE_REPEATS + 2, MOST_REPEATS);
    List<String> common = words(COMMON, random);
    List<String> list = new ArrayList<>();
    common.forEach(word -> list.addAll(Collections.nCopies(repeats, word)));
    int used = list.stream().mapToInt(word -> prose.encode(" " + word).length).sum();
    requireRoom(wanted, room - used);
    Set<String> taken = new HashSet<>(common);
    FactGenerator generator = new FactGenerator(random);
    while (true) {
      String word = generator.word();
      int tokens = RARE_REPEATS * prose.encode(" " + word).length;
      if (used + tokens > room) {
        break;
      }
      if (taken.add(word)) {
        list.addAll(Collections.nCopies(RARE_REPEATS, word));
        used += tokens;
      }
    }
    Collections.shuffle(list, random);
    return wordExam(wanted, list, question, common);
  }

  /** Words are drawn with frequencies that fall as 1 / rank². */
  private Exam frequentWords(Wanted wanted, Random random) {
    int[] question =
        prose.encode(" The %d most frequent words of the list are:".formatted(FREQUENT));
    int room = wanted.tokens() - prose.beginningTokens() - question.length;
    requireRoom(wanted, room);
    List<String> vocabulary = words(FREQUENT_VOCABULARY, random);
    double[] cumulative = new double[FREQUENT_VOCABULARY];
    double sum = 0;
    for (int rank = 0; rank < FREQUENT_VOCABULARY; rank++) {
      sum += Math.pow(rank + 1.0, -ZIPF);
      cumulative[rank] = sum;
    }
    List<String> list = new ArrayList<>();
    Map<String, Integer> counts = new HashMap<>();
    for (int used = 0; ; ) {
      double drawn = random.nextDouble() * sum;
      int rank = 0;
      while (cumulative[rank] < drawn) {
        rank++;
      }
      String word = vocabulary.get(rank);
      used += prose.encode(" " + word).length;
      if (used > room) {
        break;
      }
      list.add(word);
      counts.merge(word, 1, Integer::sum);
    }
    List<String> most =
        counts.entrySet().stream()
            .sorted(
                Comparator.comparing(Map.Entry<String, Integer>::getValue)
                    .reversed()
                    .thenComparing(Map.Entry::getKey))
            .limit(FREQUENT)
            .map(Map.Entry::getKey)
            .toList();
    return wordExam(wanted, list, question, most);
  }

  private Exam wordExam(Wanted wanted, List<String> list, int[] question, List<String> expected) {
    TokenList prompt = prose.start(wanted.tokens());
    list.forEach(word -> prompt.addAll(prose.encode(" " + word)));
    prompt.addAll(question);
    return new Exam(prompt.toArray(), List.of(question(expected)));
  }

  /** A question whose answer is a list, in any order, on one line. */
  private Question question(List<String> expected) {
    int tokens = prose.encode(" " + String.join(", ", expected)).length;
    return new Question("", expected, "\n", 2 * tokens);
  }

  private int[] window(Wanted wanted, int taken, Random random) {
    int tokens = wanted.tokens() - prose.beginningTokens() - taken;
    requireRoom(wanted, tokens);
    return prose.window(tokens, random);
  }

  private static void requireRoom(Wanted wanted, int tokens) {
    if (tokens < 1) {
      throw new InvalidInputException(
          "task %s does not fit a prompt of %d tokens; use more"
              .formatted(wanted.task().key(), wanted.tokens()));
    }
  }

  private static List<String> words(int count, Random random) {
    return new FactGenerator(random).facts(count).stream().map(Fact::word).toList();
  }

  private static String upperCase(String word) {
    return word.chars()
        .mapToObj(letter -> String.valueOf((char) (letter - 'a' + 'A')))
        .collect(Collectors.joining());
  }
}
