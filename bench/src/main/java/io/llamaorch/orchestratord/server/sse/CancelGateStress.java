package io.llamaorch.orchestratord.server.sse;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** No token is written after a 204, and a stream ends in exactly one way, whatever the order of cancel and tokens. */
public final class CancelGateStress {
    private CancelGateStress() {}

    /**
     * One loop writes tokens, seals when it sees the request, and says so, as it does by the task that answers; another
     * asks for the cancel, and takes that word as the moment of its 204. {@code r1}: tokens written after that moment.
     */
    @JCStressTest
    @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "no 204 yet in this sample")
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "204, and no token after it")
    @State
    public static class NoTokenAfter204 {
        private final CancelGate gate = new CancelGate();
        private volatile boolean settled;
        private int written;
        private int writtenAt204 = -1;

        /** The home loop. */
        @Actor
        public void homeLoop() {
            for (int turn = 0; turn < 8; turn++) {
                if (gate.isOpen()) {
                    written++;
                } else if (gate.seal()) {
                    settled = true;
                }
            }
        }

        /** The canceling connection's loop. */
        @Actor
        public void canceler() {
            gate.request();
            for (int turn = 0; turn < 8; turn++) {
                if (settled) {
                    writtenAt204 = written;
                    return;
                }
            }
        }

        /** After both. */
        @Arbiter
        public void after(II_Result result) {
            result.r1 = writtenAt204 < 0 ? 0 : written - writtenAt204;
            result.r2 = writtenAt204 < 0 ? 0 : 1;
        }
    }

    /** The engine's end and a cancel race on the home loop's side; two cancelers ask. {@code r1}: how often it ended. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "ended once, settled")
    @State
    public static class EndsOnce {
        private final CancelGate gate = new CancelGate();
        private int endings;

        /** The home loop: the engine is done, then a cancel's task runs. */
        @Actor
        public void homeLoop() {
            if (gate.isOpen() && gate.end()) {
                endings++;
            }
            if (gate.seal()) {
                endings++;
            }
        }

        /** One client. */
        @Actor
        public void canceler() {
            gate.request();
        }

        /** Another. */
        @Actor
        public void other() {
            gate.request();
        }

        /** After all. */
        @Arbiter
        public void after(II_Result result) {
            result.r1 = endings;
            result.r2 = gate.seal() || gate.end() ? 0 : 1;
        }
    }
}
