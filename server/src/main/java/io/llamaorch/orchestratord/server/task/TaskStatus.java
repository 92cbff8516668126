package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.sse.Ending;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import org.jspecify.annotations.Nullable;

/**
 * What a stream looked like at one moment: taken on its home loop, written on the asker's.
 *
 * @param info what never changes
 * @param admission as at admission
 * @param now the scheduler's word of now; null for a task that is over
 * @param dispatch where it runs or ran
 * @param ending how it ended
 * @param tokens token events in the log
 * @param lastEventId id of the newest event
 * @param startedAtNs see {@link TaskStream#startedAtNs}
 * @param endedAtNs see {@link TaskStream#endedAtNs}
 * @param firstTokenMs from admission to the first token, ms; −1 without one
 * @param decodeMs from the first token to the end or now, ms
 */
record TaskStatus(
        TaskInfo info,
        @Nullable Admission admission,
        @Nullable Admission now,
        @Nullable Dispatch dispatch,
        @Nullable Ending ending,
        int tokens,
        int lastEventId,
        long startedAtNs,
        long endedAtNs,
        long firstTokenMs,
        long decodeMs) {

    static TaskStatus of(TaskStream stream, @Nullable Admission now) {
        return new TaskStatus(
                stream.info(),
                stream.admission(),
                stream.ending() == null ? now : null,
                stream.dispatch(),
                stream.ending(),
                stream.tokens(),
                stream.lastEventId(),
                stream.startedAtNs(),
                stream.endedAtNs(),
                stream.firstTokenAtNs() == 0 ? -1 : stream.firstTokenMs(),
                stream.decodeMs());
    }

    JsonWriter write(JsonWriter json) {
        return TaskJson.status(json, this);
    }
}
