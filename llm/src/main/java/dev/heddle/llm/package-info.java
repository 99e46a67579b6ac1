/** Model folders, tokenizer, decoder, generation. */
@NullMarked
package dev.heddle.llm;

import org.jspecify.annotations.NullMarked;
