package dev.heddle.kernels.vector;

/**
 * Queries that are computed together because they read the same keys: {@code queries} neighbouring
 * queries of {@code heads} neighbouring heads. As lanes of a panel they stand query by query, so
 * that positions never fall from lane to lane: {@code lane = query * heads + head}.
 */
record QueryRange(int firstHead, int heads, int firstQuery, int queries) {
  int lanes() {
    return heads * queries;
  }

  int head(int lane) {
    return firstHead + lane % heads;
  }

  int query(int lane) {
    return firstQuery + lane / heads;
  }

  /** The range's queries from number {@code from} on, at most {@code count} of them. */
  QueryRange part(int from, int count) {
    return new QueryRange(firstHead, heads, firstQuery + from, Math.min(count, queries - from));
  }
}
