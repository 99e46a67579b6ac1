/**
 * Reads long prompts with models of the Llama family on the CPU: model folders in the Hugging Face
 * layout ({@link dev.heddle.llm.ModelFolder}, {@link dev.heddle.llm.SafetensorsFile}), text and
 * tokens ({@link dev.heddle.llm.TextTokenizer}), the decoder ({@link dev.heddle.llm.LlamaModel})
 * and answers ({@link dev.heddle.llm.Generator}).
 *
 * <p>Conventions of every type here:
 *
 * <ul>
 *   <li>Activations, keys and values are float32; weights keep the type of their file.
 *   <li>Matrices are row-major, {@code [token][number]}; a projection is {@code [outputs][inputs]}.
 *   <li>Tokens and positions are counted in {@code int} from 0, bytes in {@code long}.
 *   <li>Files are not trusted: what is wrong with one is an {@link
 *       dev.heddle.api.InvalidInputException} that names the file, the place in it, the value and
 *       what is allowed.
 * </ul>
 */
@NullMarked
package dev.heddle.llm;

import org.jspecify.annotations.NullMarked;
