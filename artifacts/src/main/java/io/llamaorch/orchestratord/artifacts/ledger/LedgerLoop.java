package io.llamaorch.orchestratord.artifacts.ledger;

import io.llamaorch.orchestratord.artifacts.segment.LogFailed;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the ledger's thread does, turn by turn: takes what there is, has it written, says what became of it, cleans.
 *
 * <p>Where the disk has no room, admissions are refused; all else is answered the same way, so that nobody is held up, and
 * kept for the next try. <b>Owner thread:</b> {@code ledger}.
 */
final class LedgerLoop {
    private static final int BATCH_MAX = 4096;
    private static final long BATCH_BYTES_MAX = 4 << 20;
    private static final long IDLE_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long RETRY_NS = TimeUnit.MILLISECONDS.toNanos(200);

    private final LedgerSettings settings;
    private final LedgerEvents events;
    private final LedgerWriter writer;
    private final LedgerRoom room;
    private final Queue<LedgerRequest> queue;

    /** What a full disk did not take and must have, in order. */
    private final List<LedgerRequest> backlog = new ArrayList<>();

    private final List<LedgerRequest> batch = new ArrayList<>();
    private final Set<LedgerLane> lanes = new LinkedHashSet<>();
    private long triedAtNs;
    private long syncedAtNs = System.nanoTime();

    LedgerLoop(
            LedgerSettings settings,
            LedgerEvents events,
            LedgerWriter writer,
            LedgerRoom room,
            Queue<LedgerRequest> queue) {
        this.settings = settings;
        this.events = events;
        this.writer = writer;
        this.room = room;
        this.queue = queue;
    }

    /** One turn; how long nothing is to be done unless something comes, ns; 0: there is more. */
    long turn() {
        long nowNs = System.nanoTime();
        take();
        boolean retry = !backlog.isEmpty() && nowNs - triedAtNs >= RETRY_NS;
        if (!batch.isEmpty() || retry) {
            try {
                commit(nowNs);
            } catch (RuntimeException | Error e) {
                events.onDefect(e);
                answerAll(batch, LedgerFailure.FAILED);
            }
            batch.clear();
            room.live(writer.liveBytes());
            lanes.forEach(LedgerLane::flush);
            lanes.clear();
        }
        return tidy(nowNs);
    }

    private void take() {
        long bytes = 0;
        while (batch.size() < BATCH_MAX && bytes < BATCH_BYTES_MAX) {
            LedgerRequest request = queue.poll();
            if (request == null) {
                return;
            }
            batch.add(request);
            lanes.add(request.lane());
            bytes += request.clientBytes();
        }
    }

    private void commit(long nowNs) {
        if (writer.failed() != null) {
            backlog.clear();
            answerAll(batch, LedgerFailure.FAILED);
            return;
        }
        List<LedgerRequest> all = new ArrayList<>(backlog);
        all.addAll(batch);
        backlog.clear();
        int done = write(all, settings.sync());
        answerAll(all.subList(0, done), null);
        if (done == all.size()) {
            return;
        }
        triedAtNs = nowNs;
        List<LedgerRequest> rest = all.subList(done, all.size());
        if (writer.failed() != null) {
            answerAll(rest, LedgerFailure.FAILED);
            return;
        }
        List<LedgerRequest> small = new ArrayList<>();
        for (LedgerRequest request : rest) {
            if (request.canWait()) {
                small.add(request);
            } else {
                request.answer(LedgerFailure.DISK);
            }
        }
        int kept = write(small, settings.sync());
        answerAll(small.subList(0, kept), null);
        LedgerFailure failure = writer.failed() != null ? LedgerFailure.FAILED : LedgerFailure.DISK;
        for (LedgerRequest request : small.subList(kept, small.size())) {
            request.answer(failure);
            if (failure == LedgerFailure.DISK) {
                backlog.add(request); // answered, and still to be written
            }
        }
    }

    private static void answerAll(List<LedgerRequest> requests, @Nullable LedgerFailure failure) {
        for (LedgerRequest request : requests) {
            request.answer(failure);
        }
    }

    /** Writes from the first on; how many are as safe as promised. */
    private int write(List<LedgerRequest> requests, boolean sync) {
        int done = 0;
        try {
            while (done < requests.size()) {
                long beganNs = System.nanoTime();
                int count = writer.write(requests.subList(done, requests.size()), sync);
                done += count;
                events.onCommitted(count, writer.lastBytes(), System.nanoTime() - beganNs);
            }
        } catch (LogFailed e) {
            events.onFailed(e);
        } catch (IOException e) {
            events.onRefused(e);
        }
        return done;
    }

    private long tidy(long nowNs) {
        if (writer.failed() != null) {
            return queue.isEmpty() ? IDLE_NS : 0;
        }
        long idleNs = IDLE_NS;
        try {
            if (!settings.sync()) {
                long periodNs = TimeUnit.MILLISECONDS.toNanos(settings.syncPeriodMs());
                if (nowNs - syncedAtNs >= periodNs) {
                    writer.sync();
                    syncedAtNs = nowNs;
                }
                idleNs = Math.min(idleNs, periodNs);
            }
            if (writer.clean()) {
                return 0; // a slice at a time: admissions wait meanwhile
            }
        } catch (LogFailed e) {
            events.onFailed(e);
        } catch (IOException e) {
            events.onRefused(e);
            idleNs = RETRY_NS;
        }
        if (!backlog.isEmpty()) {
            idleNs = RETRY_NS;
        }
        return queue.isEmpty() ? idleNs : 0;
    }

    /** The last of it: what a full disk did not take is tried once more, and all is synchronised. */
    void finish() {
        if (writer.failed() != null) {
            return;
        }
        write(List.copyOf(backlog), true);
        backlog.clear();
        try {
            writer.sync();
        } catch (LogFailed e) {
            events.onFailed(e);
        }
    }
}
