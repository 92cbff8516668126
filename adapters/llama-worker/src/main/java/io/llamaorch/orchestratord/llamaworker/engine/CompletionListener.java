package io.llamaorch.orchestratord.llamaworker.engine;

/**
 * Told how a completion goes, on the decode thread, which must not be held up: {@code started token* (end | failed)}, and
 * nothing after a cancel but what was on its way.
 */
public interface CompletionListener {

    /** A slot was taken: the prompt is being decoded. */
    void started();

    /**
     * One token was drawn.
     *
     * @param token its id
     * @param text whole characters, empty where they are withheld: a stop text may have begun
     * @param predicted tokens drawn so far, this one with them
     */
    void token(int token, String text, int predicted);

    /** Whether more would be taken now; where not, the slot waits until {@link DecodeLoop#wake}. Any state, no cost. */
    boolean hasRoom();

    /** It is done. */
    void end(CompletionEnd end);

    /** It failed; the message is for the client. */
    void failed(String message);
}
