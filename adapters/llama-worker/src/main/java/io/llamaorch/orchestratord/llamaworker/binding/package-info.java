/**
 * llama.cpp through its C interface, called by {@code java.lang.foreign}; no Java class of {@code de.kherud:llama} is used.
 *
 * <p>Why not its classes: an answer there is text alone (no stop reason, no token counts), a thread that waits for a
 * token can't be woken by a cancel, all processes share one file in the temporary folder, and a JSON schema that it
 * can't convert ends the process. The C interface has none of that.
 *
 * <p><b>Pinned:</b> structure layouts are those of the build in {@code de.kherud:llama} 4.2.0 (b4916);
 * {@code LlamaApi} compares the defaults that the library fills in with those known for it before it is used.
 * <b>Threads:</b> {@code LlamaModel} is immutable and may be asked by any; a {@code LlamaContext} and its samplers
 * belong to the decode thread. An error in C++ ends the process: that is why it is one of its own.
 */
@NullMarked
package io.llamaorch.orchestratord.llamaworker.binding;

import org.jspecify.annotations.NullMarked;
