package io.llamaorch.orchestratord.adapters.triton;

import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.netty.util.concurrent.FastThreadLocal;

/**
 * The common frame
 * {@code {"model_name":"ensemble","model_version":"1","sequence_end":false,…,"text_output":" Hel"}}, keys in any order
 * (Triton writes them in that of the alphabet): {@code text_output} one string, {@code finish_reason}, where there, still
 * {@code "None"}.
 */
final class TritonScanner extends FrameScanner {
    /** Longest frame scanned: cumulative ones hold the whole text, of some 100,000 tokens here. */
    private static final int CUMULATIVE_MAX_BYTES = 1 << 20;

    private static final FastThreadLocal<TritonScanner> OF_THREAD = new FastThreadLocal<>() {
        @Override
        protected TritonScanner initialValue() {
            return new TritonScanner();
        }
    };

    private TritonScanner() {
        super(CUMULATIVE_MAX_BYTES);
    }

    /** The scanner of the calling thread. */
    static TritonScanner ofThread() {
        return OF_THREAD.get();
    }

    @Override
    protected boolean walk() {
        if (!take('{')) {
            return false;
        }
        boolean finishSeen = false;
        do {
            if (!nextKey()) {
                return false;
            }
            boolean good;
            if (keyIs("text_output")) {
                good = text();
            } else if (keyIs("finish_reason")) {
                good = !finishSeen && word("\"None\"");
                finishSeen = true;
            } else {
                good = !keyIs("error") && value();
            }
            if (!good) {
                return false;
            }
        } while (hasMore());
        return take('}') && hasText();
    }
}
