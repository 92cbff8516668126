package io.llamaorch.orchestratord.adapters;

import io.netty.buffer.ByteBuf;

/**
 * Where an engine's answer goes. Called on the call's loop, in this order:
 *
 * <pre>
 *   accepted  (token* batchEnd)*  (end | failed)      text
 *   accepted  output? (end | failed)                  embedding, rerank
 * </pre>
 *
 * <p>{@code accepted} may be missing before {@code failed}; exactly one of {@code end} and {@code failed} comes, and
 * nothing after it, nor after {@link EngineCall#abort}.
 */
public interface EngineSink {

    /** The engine took the request: its slot is in use. Says nothing of the first token. */
    void accepted();

    /**
     * One piece of text. The bytes are read before this returns and may be overwritten after.
     *
     * @param text buffer that holds the bytes at absolute index {@code [offset, offset + length)}; its indices are not
     *     touched
     * @param offset first byte
     * @param length bytes, ≥ 1: valid UTF-8 that is the inside of a JSON string (quotes, backslashes and control
     *     characters are escaped), with no character cut
     * @return false where the hand-off has no more room: the piece was taken, but the caller stops reading from the
     *     engine after what it has already parsed, until {@link EngineCall#resume}
     */
    boolean token(ByteBuf text, int offset, int length);

    /** All that one read from the engine brought has been handed over. */
    void batchEnd();

    /** The result of a workload other than text; once, before {@code end}. */
    void output(EngineOutput output);

    /** The engine said that it is done: its terminal frame was seen. */
    void end(EngineUsage usage);

    /** The call failed; its slot is no longer in use. */
    void failed(EngineFailure failure);
}
