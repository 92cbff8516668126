package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.scheduler.core.TaskSpec.Digest;

/**
 * What the ledger needs of a request beside what the task's stream knows.
 *
 * @param body the request as it came; empty where nothing is kept of it
 * @param digest of the request
 * @param deadlineMs span from admission in which the task must end, ms
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Submission(byte[] body, Digest digest, long deadlineMs) {
    static final byte[] NO_BODY = {};

    /** The same without the body. */
    Submission withoutBody() {
        return new Submission(NO_BODY, digest, deadlineMs);
    }
}
