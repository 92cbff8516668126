package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.server.log.TaskContext;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One task: its stream, and who waits for an answer about it. <b>Owner thread:</b> the stream's home loop, but for the
 * final fields.
 */
public final class Task {
    private final TaskStream stream;
    private final TaskContext context;
    private final LoopContext home;
    private @Nullable Reply reply;
    private @Nullable List<Consumer<Admission>> askers;

    /** Who submitted the task waits for one of these. */
    public interface Reply {
        /** The task is in, or was before: the same request came again. */
        void admitted(Admission admission, boolean replay);

        /** The task is not in. */
        void refused(ApiError error, @Nullable Allowance allowance);
    }

    Task(TaskStream stream, TaskContext context, LoopContext home, Reply reply) {
        this.stream = stream;
        this.context = context;
        this.home = home;
        this.reply = reply;
    }

    /** Its stream. */
    public TaskStream stream() {
        return stream;
    }

    /** What log lines say of it. */
    TaskContext context() {
        return context;
    }

    /** Its loop. */
    public LoopContext home() {
        return home;
    }

    /** Answers the submitter; the first call counts. */
    void replyAdmitted(Admission admission, boolean replay) {
        Reply waiting = reply;
        reply = null;
        if (waiting != null) {
            waiting.admitted(admission, replay);
        }
    }

    /** Answers the submitter; the first call counts. */
    void replyRefused(ApiError error, @Nullable Allowance allowance) {
        Reply waiting = reply;
        reply = null;
        if (waiting != null) {
            waiting.refused(error, allowance);
        }
    }

    /** Adds one who wants to know where the task stands; true where the scheduler has to be asked. */
    boolean ask(Consumer<Admission> asker) {
        boolean first = askers == null;
        if (askers == null) {
            askers = new ArrayList<>(1);
        }
        askers.add(asker);
        return first;
    }

    /**
     * The scheduler said where the task stands.
     *
     * @param onDefect told of an asker that threw: neither the others nor the stream are to feel it
     */
    void onAnswered(Admission now, Consumer<Throwable> onDefect) {
        List<Consumer<Admission>> waiting = askers;
        askers = null;
        if (waiting != null) {
            for (Consumer<Admission> asker : waiting) {
                try {
                    asker.accept(now);
                } catch (Throwable thrown) {
                    onDefect.accept(thrown);
                }
            }
        }
        stream.onAnswered(now);
    }
}
