package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.ledger.EndedTask;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import org.jspecify.annotations.Nullable;

/**
 * What a task looked like at one moment: taken on its home loop, written on the asker's.
 *
 * @param info what never changes
 * @param admission as at admission
 * @param now the scheduler's word of now; null for a task that is over
 * @param dispatch where it runs
 * @param ended how it ended, null while it is open; then nothing else here counts
 * @param tokens token events in the log
 * @param lastEventId id of the newest event
 * @param startedAtNs see {@link TaskStream#startedAtNs}
 * @param firstTokenMs from admission to the first token, ms; −1 without one
 * @param decodeMs from the first token to now, ms
 */
record TaskStatus(
        TaskInfo info,
        @Nullable Admission admission,
        @Nullable Admission now,
        @Nullable Dispatch dispatch,
        @Nullable EndedTask ended,
        int tokens,
        int lastEventId,
        long startedAtNs,
        long firstTokenMs,
        long decodeMs) {

    static TaskStatus of(Task task, @Nullable Admission now) {
        TaskStream stream = task.stream();
        return new TaskStatus(
                stream.info(),
                stream.admission(),
                now,
                stream.dispatch(),
                stream.ending() == null ? null : EndedTasks.of(task),
                stream.tokens(),
                stream.lastEventId(),
                stream.startedAtNs(),
                stream.firstTokenAtNs() == 0 ? -1 : stream.firstTokenMs(),
                stream.decodeMs());
    }

    JsonWriter write(JsonWriter json) {
        return ended != null ? TaskJson.ended(json, ended) : TaskJson.open(json, this);
    }
}
