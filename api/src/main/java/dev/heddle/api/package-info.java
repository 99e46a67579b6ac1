/**
 * What a sparse attention pattern is: its options, what it is shown of a head, and the index that
 * it answers with.
 *
 * <p>Conventions of every type here:
 *
 * <ul>
 *   <li>Tokens are counted in {@code int} from 0; element and byte offsets into memory are {@code
 *       long}.
 *   <li>Queries may be the tail of the keys (a chunk, or a cached prefix before them): query {@code
 *       i} stands at position {@code i + (keyTokens - queryTokens)} and never sees a key behind its
 *       position.
 *   <li>Memory that is passed in stays the caller's; nothing here copies or frees it.
 *   <li>Values are immutable and safe to share between threads, as far as the memory they view is
 *       not written.
 *   <li>Errors are unchecked and extend {@link dev.heddle.api.HeddleException}; {@code null} is
 *       never accepted.
 * </ul>
 */
@NullMarked
package dev.heddle.api;

import org.jspecify.annotations.NullMarked;
