package io.llamaorch.orchestratord.adapters.openai;

import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.netty.util.concurrent.FastThreadLocal;

/**
 * The common chunk {@code {"id":"…","choices":[{"index":0,"text":"…","finish_reason":null,…}],…}}, keys in any order: one
 * choice, which is not finished ({@code finish_reason} null, {@code ""} or absent). Nulls and whole objects beside it,
 * such as {@code usage}, are passed over: what matters of them comes with the last frames, which are not for this scanner.
 */
public final class OpenAiScanner extends FrameScanner {
    private static final FastThreadLocal<OpenAiScanner> OF_THREAD = new FastThreadLocal<>() {
        @Override
        protected OpenAiScanner initialValue() {
            return new OpenAiScanner();
        }
    };

    private OpenAiScanner() {}

    /** The scanner of the calling thread. */
    public static OpenAiScanner ofThread() {
        return OF_THREAD.get();
    }

    @Override
    protected boolean walk() {
        if (!take('{')) {
            return false;
        }
        boolean choicesSeen = false;
        do {
            if (!nextKey() || keyIs("error")) {
                return false;
            }
            boolean good;
            if (keyIs("choices")) {
                good = !choicesSeen && choices();
                choicesSeen = true;
            } else {
                good = value();
            }
            if (!good) {
                return false;
            }
        } while (hasMore());
        return take('}') && choicesSeen;
    }

    private boolean choices() {
        if (!take('[')) {
            return false;
        }
        skipSpace();
        if (!choice()) {
            return false;
        }
        skipSpace();
        return take(']');
    }

    private boolean choice() {
        if (!take('{')) {
            return false;
        }
        boolean textSeen = false;
        do {
            if (!nextKey() || keyIs("delta")) {
                return false;
            }
            boolean good;
            if (keyIs("text")) {
                good = !textSeen && text();
                textSeen = true;
            } else if (keyIs("finish_reason")) {
                good = word("null") || word("\"\"");
            } else {
                good = value();
            }
            if (!good) {
                return false;
            }
        } while (hasMore());
        return take('}') && textSeen;
    }
}
