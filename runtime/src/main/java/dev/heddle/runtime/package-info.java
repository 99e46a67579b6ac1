/**
 * Pattern discovery, heads files, plans, and the {@link dev.heddle.runtime.SparseAttention} façade.
 *
 * <p>Conventions of every type here:
 *
 * <ul>
 *   <li>A {@link dev.heddle.runtime.HeadsConfig} says by name what each head uses, a {@link
 *       dev.heddle.runtime.PatternRegistry} knows what there is, and an {@link
 *       dev.heddle.runtime.AttentionPlan} is the one looked up in the other. What a file can say,
 *       code can say.
 *   <li>Layers and query heads are the model's global numbers, from 0, also in a tensor-parallel
 *       shard.
 *   <li>Values are immutable; a registry is an instance, so that two may live in one process.
 *   <li>Patterns are other people's code: what they throw or return is caught, checked, and named
 *       with the pattern and the head before any attention is computed.
 *   <li>Errors are unchecked and extend {@link dev.heddle.api.HeddleException}; {@code null} is
 *       never accepted.
 * </ul>
 */
@NullMarked
package dev.heddle.runtime;

import org.jspecify.annotations.NullMarked;
