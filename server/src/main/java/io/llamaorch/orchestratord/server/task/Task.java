package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.ledger.EndedTask;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec;
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
    private final @Nullable EndedTask recoveredEnd;
    private final boolean recovered;
    private Submission submission;
    private @Nullable Reply reply;
    private @Nullable List<Consumer<Admission>> askers;
    private List<Consumer<@Nullable ApiError>> whenAccepted = List.of();
    private int reservedBytes = -1;
    private @Nullable ApiError notAccepted;
    private volatile boolean accepted;

    /** Who submitted the task waits for one of these. */
    public interface Reply {
        /** The task is in, or was before: the same request came again. */
        void admitted(Admission admission, boolean replay);

        /** The task is not in. */
        void refused(ApiError error, @Nullable Allowance allowance);
    }

    /** A task that somebody submits. */
    Task(TaskStream stream, TaskContext context, LoopContext home, Submission submission, Reply reply) {
        this(stream, context, home, submission, null, false);
        this.reply = reply;
    }

    private Task(
            TaskStream stream,
            TaskContext context,
            LoopContext home,
            Submission submission,
            @Nullable EndedTask recoveredEnd,
            boolean recovered) {
        this.stream = stream;
        this.context = context;
        this.home = home;
        this.submission = submission;
        this.recoveredEnd = recoveredEnd;
        this.recovered = recovered;
        this.accepted = recovered;
    }

    /** A task that was accepted before the daemon started; with how it ended, where it had. */
    static Task recovered(
            TaskStream stream, TaskContext context, LoopContext home, Submission submission, @Nullable EndedTask end) {
        return new Task(stream, context, home, submission, end, true);
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

    /** Whether it was accepted before the daemon started. */
    boolean isRecovered() {
        return recovered;
    }

    /** How it ended before the daemon started; null where it had not. */
    @Nullable
    EndedTask recoveredEnd() {
        return recoveredEnd;
    }

    /** The digest of its request. */
    TaskSpec.Digest digest() {
        return submission.digest();
    }

    // ---- the ledger ----

    /** What the ledger needs of its request. */
    Submission submission() {
        return submission;
    }

    /** The ledger has the request. */
    void dropBody() {
        submission = submission.withoutBody();
    }

    /** Room was taken in the ledger's queue. */
    void reserved(int bytes) {
        reservedBytes = bytes;
    }

    /** The room to give back; −1 where none was taken, or it was given back. */
    int takeReserved() {
        int bytes = reservedBytes;
        reservedBytes = -1;
        return bytes;
    }

    /** Any thread: whether it is on record, as far as it goes on record at all. */
    boolean isAccepted() {
        return accepted;
    }

    /** Tells, now or later, null once it is on record, or why it is not. */
    void whenAccepted(Consumer<@Nullable ApiError> waiter) {
        if (accepted || notAccepted != null) {
            waiter.accept(notAccepted);
            return;
        }
        if (whenAccepted.isEmpty()) {
            whenAccepted = new ArrayList<>(1);
        }
        whenAccepted.add(waiter);
    }

    /** It is on record, or why not. */
    void onAccepted(@Nullable ApiError error) {
        accepted = error == null;
        notAccepted = error;
        List<Consumer<@Nullable ApiError>> waiting = whenAccepted;
        whenAccepted = List.of();
        waiting.forEach(waiter -> waiter.accept(error));
    }

    // ---- answers ----

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
