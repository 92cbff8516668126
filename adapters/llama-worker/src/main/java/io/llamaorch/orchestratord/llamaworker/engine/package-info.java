/**
 * The decode loop: one thread that decodes one batch after the other for all slots (continuous batching).
 *
 * <pre>
 *   HTTP loop ── offer(Completion) ──▶ waiting (bounded) ──▶ decode thread: slot, prompt in pieces, token by token
 *             ◀── CompletionListener ──────────────────────┘
 *   HTTP loop ── cancel() ──▶ flag, and the batch is broken off
 * </pre>
 *
 * <p><b>Owner thread:</b> {@code decode-0}, for slots, samplers and the key-value cache. <b>May import:</b>
 * {@code llamaworker.binding}.
 */
@NullMarked
package io.llamaorch.orchestratord.llamaworker.engine;

import org.jspecify.annotations.NullMarked;
