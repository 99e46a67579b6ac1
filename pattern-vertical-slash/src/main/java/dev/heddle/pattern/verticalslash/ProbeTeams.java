package dev.heddle.pattern.verticalslash;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuLayer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Which heads probe together: heads of one sequence that share a key/value head, and so each load
 * of its keys. Heads that keep every key are not probed.
 *
 * @param teams at most {@link #MOST_MEMBERS} head slots each
 */
record ProbeTeams(List<Team> teams) {
  /** {@code kMostMembers} of vertical_slash_params.cuh. */
  static final int MOST_MEMBERS = 4;

  private static final int TEAM_INTS = 2 + MOST_MEMBERS;

  /** The struct {@code ProbeTeam} of the kernels. */
  record Team(int sequence, List<Integer> slots) {}

  static ProbeTeams of(GpuCall call) {
    GpuLayer layer = call.layer();
    int most = mostMembers(layer);
    List<Team> teams = new ArrayList<>();
    for (int sequence = 0; sequence < layer.sequences().size(); sequence++) {
      int keyTokens = layer.sequences().get(sequence).keyTokens();
      TreeMap<Integer, List<Integer>> slotsByKeyValueHead = new TreeMap<>();
      for (int slot = 0; slot < call.heads().size(); slot++) {
        if (!VerticalSlashPattern.builder(call.heads().get(slot).options()).keepsAll(keyTokens)) {
          int keyValueHead = call.heads().get(slot).queryHead() / layer.groupSize();
          slotsByKeyValueHead.computeIfAbsent(keyValueHead, head -> new ArrayList<>()).add(slot);
        }
      }
      for (List<Integer> slots : slotsByKeyValueHead.values()) {
        split(sequence, slots, most, teams);
      }
    }
    return new ProbeTeams(List.copyOf(teams));
  }

  /** As many members as have their probes in shared memory: {@code ProbeShape::kTeam}. */
  static int mostMembers(GpuLayer layer) {
    int widest = AttentionLaunch.kernelHeadDim(layer) <= 128 ? MOST_MEMBERS : MOST_MEMBERS / 2;
    return layer.queries().type() == ElementType.FLOAT32 ? widest / 2 : widest;
  }

  private static void split(int sequence, List<Integer> slots, int most, List<Team> teams) {
    int count = Math.ceilDiv(slots.size(), most);
    for (int i = 0; i < count; i++) {
      int from = i * slots.size() / count;
      int to = (i + 1) * slots.size() / count;
      teams.add(new Team(sequence, List.copyOf(slots.subList(from, to))));
    }
  }

  boolean isEmpty() {
    return teams.isEmpty();
  }

  int size() {
    return teams.size();
  }

  /** Members of the largest team. */
  int mostMembers() {
    return teams.stream().mapToInt(team -> team.slots().size()).max().orElse(0);
  }

  long bytes() {
    return (long) Math.max(1, teams.size()) * TEAM_INTS * Integer.BYTES;
  }

  MemorySegment pack() {
    return MemorySegment.ofArray(
        teams.stream()
            .flatMapToInt(team ->
                IntStream.concat(
                    IntStream.of(team.sequence(), team.slots().size()),
                    IntStream.range(0, MOST_MEMBERS)
                        .map(i -> i < team.slots().size() ? team.slots().get(i) : 0)))
            .toArray());
  }
}
