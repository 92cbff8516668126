/**
 * llama-server's wire on Netty: health, properties, completions as server-sent events, slots, metrics, tokenizer.
 *
 * <p><b>Owner thread:</b> one event loop for all connections; bodies are read and tokenized by {@code prepare-0}. Tokens arrive on the decode thread and are written from
 * there; Netty takes them over to the loop. A connection that closes cancels what it asked for. <b>May import:</b>
 * {@code llamaworker.engine}, {@code llamaworker.binding}, {@code llamaworker.schema}, Netty, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.llamaworker.http;

import org.jspecify.annotations.NullMarked;
