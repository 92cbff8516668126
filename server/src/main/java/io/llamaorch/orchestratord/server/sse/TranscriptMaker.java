package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptHead;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptRef;

/** Says what is known of a task that is over, for its transcript. */
public interface TranscriptMaker {
    /** On the task's loop, at its end: looks at the stream, so that the rest can be done elsewhere. */
    Made of(TaskStream stream);

    /** Both methods on the transcripts' writer. */
    interface Made {
        /** The document that stands before the events. */
        TranscriptHead head();

        /** What is to be known of the task. */
        ArchivedTask archived(TranscriptRef ref);
    }
}
