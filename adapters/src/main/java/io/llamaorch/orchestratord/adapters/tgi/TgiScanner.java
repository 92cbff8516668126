package io.llamaorch.orchestratord.adapters.tgi;

import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.netty.util.concurrent.FastThreadLocal;

/**
 * The common frame
 * {@code {"index":1,"token":{"id":42,"text":" Hel","logprob":-0.5,"special":false},"generated_text":null,"details":null}},
 * keys in any order: one {@code token} that is not special, {@code generated_text} null or not there.
 */
final class TgiScanner extends FrameScanner {
    private static final FastThreadLocal<TgiScanner> OF_THREAD = new FastThreadLocal<>() {
        @Override
        protected TgiScanner initialValue() {
            return new TgiScanner();
        }
    };

    /** The scanner of the calling thread. */
    static TgiScanner ofThread() {
        return OF_THREAD.get();
    }

    @Override
    protected boolean walk() {
        boolean tokenSeen = false;
        if (!take('{')) {
            return false;
        }
        do {
            if (!nextKey()) {
                return false;
            }
            boolean good;
            if (keyIs("token")) {
                good = !tokenSeen && token();
                tokenSeen = true;
            } else if (keyIs("generated_text")) {
                good = word("null");
            } else {
                good = !keyIs("error") && value();
            }
            if (!good) {
                return false;
            }
        } while (hasMore());
        return take('}') && tokenSeen;
    }

    private boolean token() {
        boolean specialSeen = false;
        if (!take('{')) {
            return false;
        }
        do {
            if (!nextKey()) {
                return false;
            }
            boolean good;
            if (keyIs("text")) {
                good = text();
            } else if (keyIs("special")) {
                good = !specialSeen && word("false");
                specialSeen = true;
            } else {
                good = value();
            }
            if (!good) {
                return false;
            }
        } while (hasMore());
        return take('}') && hasText() && specialSeen;
    }
}
