package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.netty.util.concurrent.FastThreadLocal;

/**
 * The common partial frame {@code {"index":0,"content":"…","tokens":[9906],"stop":false,"id_slot":-1,…}}, keys in any
 * order: {@code stop} false, {@code content} well-formed, neither {@code error} nor {@code prompt_progress}.
 */
final class LlamaScanner extends FrameScanner {
    private static final FastThreadLocal<LlamaScanner> OF_THREAD = new FastThreadLocal<>() {
        @Override
        protected LlamaScanner initialValue() {
            return new LlamaScanner();
        }
    };

    private LlamaScanner() {}

    /** The scanner of the calling thread. */
    static LlamaScanner ofThread() {
        return OF_THREAD.get();
    }

    @Override
    protected boolean walk() {
        if (!take('{')) {
            return false;
        }
        boolean stopSeen = false;
        do {
            if (!nextKey() || keyIs("error") || keyIs("prompt_progress")) {
                return false;
            }
            boolean good;
            if (keyIs("content")) {
                good = text();
            } else if (keyIs("stop")) {
                good = !stopSeen && word("false");
                stopSeen = true;
            } else {
                good = value();
            }
            if (!good) {
                return false;
            }
        } while (hasMore());
        return take('}') && stopSeen && hasText();
    }
}
