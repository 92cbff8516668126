package io.llamaorch.orchestratord.adapters.tgi;

import io.llamaorch.orchestratord.adapters.wire.JsonWalk;
import io.netty.buffer.ByteBuf;

/**
 * In-place reader of the common frame
 * {@code {"index":1,"token":{"id":42,"text":" Hel","logprob":-0.5,"special":false},"generated_text":null,"details":null}},
 * keys in any order.
 *
 * <p>It accepts only what it fully understands: one {@code token} object with text and {@code special},
 * {@code generated_text} null or not there. All else, last frames and errors among it, is {@link #ODD} and goes to
 * {@link TgiFrame}, which must find the same in whatever this accepts. Nothing is allocated. Stateless.
 */
final class TgiFrames {
    /** Not for this reader. */
    static final int ODD = 0;
    /** A token with text: the walk's {@code textFrom}, {@code textTo}. */
    static final int TEXT = 1;
    /** A token without text, or a special one. */
    static final int EMPTY = 2;

    private int textFrom;
    private int textTo;
    private boolean special;
    private boolean specialSeen;

    /** Start of the text, relative to the frame's first byte. */
    int textFrom() {
        return textFrom;
    }

    /** End of the text, exclusive, relative to the frame's first byte. */
    int textTo() {
        return textTo;
    }

    /** Reads the frame {@code buf[offset, offset + length)}; {@link #ODD}, {@link #TEXT} or {@link #EMPTY}. */
    int scan(JsonWalk walk, ByteBuf buf, int offset, int length) {
        textFrom = -1;
        boolean tokenSeen = false;
        if (!walk.load(buf, offset, length) || !walk.beginObject()) {
            return ODD;
        }
        while (walk.nextKey()) {
            boolean good;
            if (walk.keyIs("token")) {
                good = !tokenSeen && token(walk);
                tokenSeen = true;
            } else if (walk.keyIs("generated_text")) {
                good = walk.takeWord("null");
            } else {
                good = !walk.keyIs("error") && walk.skipValue();
            }
            if (!good) {
                return ODD;
            }
        }
        if (!walk.isWhole() || !tokenSeen) {
            return ODD;
        }
        return special || textFrom == textTo ? EMPTY : TEXT;
    }

    private boolean token(JsonWalk walk) {
        specialSeen = false;
        special = false;
        if (!walk.beginObject()) {
            return false;
        }
        while (walk.nextKey()) {
            boolean good;
            if (walk.keyIs("text")) {
                good = textFrom < 0 && walk.string();
                textFrom = walk.from();
                textTo = walk.to();
            } else if (walk.keyIs("special")) {
                good = !specialSeen && special(walk);
            } else {
                good = walk.skipValue();
            }
            if (!good) {
                return false;
            }
        }
        return textFrom >= 0 && specialSeen;
    }

    private boolean special(JsonWalk walk) {
        specialSeen = true;
        special = walk.takeWord("true");
        return special || walk.takeWord("false");
    }
}
