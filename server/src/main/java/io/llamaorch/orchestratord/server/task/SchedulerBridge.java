package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.Charge;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.scheduler.core.Effects;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec;
import io.llamaorch.orchestratord.server.sse.Ending.Outcome;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Takes the scheduler's effects to the loops that own the tasks. <b>Owner thread:</b> {@code scheduler-0}; what it posts
 * runs on the task's home loop.
 */
final class SchedulerBridge implements Effects<Task> {
    private final List<LoopContext> loops;
    private final TaskRegistry registry;
    private final TaskLifecycle lifecycle;
    private final ArchivedTasks archive;
    private long nextOrdinal;

    SchedulerBridge(List<LoopContext> loops, TaskRegistry registry, TaskLifecycle lifecycle, ArchivedTasks archive) {
        this.archive = archive;
        this.loops = loops;
        this.registry = registry;
        this.lifecycle = lifecycle;
    }

    /** Before the thread starts: admissions are counted from here on, as the ledger has them. */
    void countFrom(long ordinal) {
        nextOrdinal = ordinal;
    }

    /** The scheduler has handled all it had: the loops are woken, each once. */
    void flush() {
        for (int i = 0; i < loops.size(); i++) {
            loops.get(i).mailbox().flush();
        }
    }

    /** Answers a submit whose id is that of a task on disk, as the scheduler would if it had not forgotten that one. */
    boolean answeredFromDisk(TaskSpec spec, Task offered) {
        ArchivedTask known = archive.get(spec.id());
        if (known == null) {
            return false;
        }
        boolean same = known.owner().equals(spec.owner())
                && known.requestHigh() == spec.digest().high()
                && known.requestLow() == spec.digest().low();
        if (same) {
            Admission over = new Admission(known.poolId(), 0, 0, 0, 0, 0, 0, null);
            post(offered, () -> lifecycle.replayedFromDisk(offered, over));
        } else {
            refused(offered, Scheduler.idTaken(spec), null);
        }
        return true;
    }

    @Override
    public void admitted(Task task, Admission admission) {
        registry.add(task); // before anybody can have read the 202
        long ordinal = task.isRecovered() ? -1 : nextOrdinal++;
        post(task, () -> {
            task.stream().onAdmitted(admission);
            lifecycle.admitted(task, admission, ordinal);
        });
    }

    @Override
    public void replayed(Task offered, Task existing, Admission admission) {
        post(offered, () -> lifecycle.replayed(offered, existing, admission));
    }

    @Override
    public void refused(Task offered, ApiError error, @Nullable Allowance allowance) {
        post(offered, () -> {
            lifecycle.refused(offered, error);
            offered.replyRefused(error, allowance);
        });
    }

    @Override
    public void dispatched(Task task, Dispatch dispatch) {
        post(task, () -> lifecycle.dispatched(task, dispatch));
    }

    @Override
    public void evicted(Task task, ApiError error) {
        post(task, () -> lifecycle.dropped(task, error));
    }

    @Override
    public void moved(Task task, Admission admission) {
        post(task, () -> lifecycle.moved(task, admission));
    }

    @Override
    public void retryRefused(Task task) {
        post(task, () -> task.stream().onRetryRefused());
    }

    @Override
    public void aborted(Task task, ApiError error) {
        post(task, () -> task.stream().fail(Outcome.FAILED, error));
    }

    @Override
    public void settled(Task task, Charge charge) {
        post(task, () -> lifecycle.settled(task, charge));
    }

    @Override
    public void answered(Task task, Admission admission) {
        post(task, () -> lifecycle.answered(task, admission));
    }

    private static void post(Task task, Runnable message) {
        task.home().mailbox().post(task, message);
    }
}
