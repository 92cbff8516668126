package io.llamaorch.orchestratord.adapters.triton;

import io.llamaorch.orchestratord.adapters.wire.JsonWalk;
import io.netty.buffer.ByteBuf;

/**
 * In-place reader of the common frame
 * {@code {"model_name":"ensemble","model_version":"1","sequence_end":false,…,"text_output":" Hel"}}, keys in any order
 * (Triton writes them in that of the alphabet).
 *
 * <p>It accepts only what it fully understands: {@code text_output} one string that goes on from the frame before,
 * {@code finish_reason}, where there, still {@code "None"}. All else is {@link #ODD} and goes to {@link TritonFrame},
 * which must find the same in whatever this accepts. Nothing is allocated. One a stream.
 */
final class TritonFrames {
    /** Not for this reader; nothing was noted of it. */
    static final int ODD = 0;
    /** A frame with new text: {@link #textFrom}, {@link #textTo}. */
    static final int TEXT = 1;
    /** A frame without. */
    static final int EMPTY = 2;

    /** What {@code finish_reason} says until there is one. */
    static final String NOT_FINISHED = "None";

    private final TritonText text;
    private int from;
    private int textFrom;
    private int textTo;
    private int inputTokens = -1;

    TritonFrames(TritonText text) {
        this.text = text;
    }

    /** Start of the new text, relative to the frame's first byte. */
    int textFrom() {
        return textFrom;
    }

    /** End of it, exclusive. */
    int textTo() {
        return textTo;
    }

    /** Tokens of the prompt as the frame read last said, −1 where none did. */
    int inputTokens() {
        return inputTokens;
    }

    /** Reads the frame {@code buf[offset, offset + length)}; {@link #ODD}, {@link #TEXT} or {@link #EMPTY}. */
    int scan(JsonWalk walk, ByteBuf buf, int offset, int length) {
        from = -1;
        int tokens = inputTokens;
        if (!walk.load(buf, offset, length) || !walk.beginObject()) {
            return ODD;
        }
        while (walk.nextKey()) {
            boolean good;
            if (walk.keyIs("text_output")) {
                good = from < 0 && text(walk);
            } else if (walk.keyIs("finish_reason")) {
                good = walk.string() && walk.stringIs(NOT_FINISHED);
            } else if (walk.keyIs("num_input_tokens")) {
                tokens = walk.integer();
                good = tokens >= 0;
            } else {
                good = !walk.keyIs("error") && walk.skipValue();
            }
            if (!good) {
                return ODD;
            }
        }
        if (!walk.isWhole() || from < 0) {
            return ODD;
        }
        inputTokens = tokens;
        textTo = text.took(walk.bytes(), from, textFrom, textTo);
        return textTo == textFrom ? EMPTY : TEXT;
    }

    private boolean text(JsonWalk walk) {
        from = walk.openString();
        textFrom = from < 0 ? -1 : text.begin(walk.bytes(), from, walk.end());
        if (textFrom < 0 || !walk.closeString(textFrom)) {
            return false;
        }
        textTo = walk.to();
        return true;
    }
}
