package io.llamaorch.orchestratord.artifacts.ledger;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.NullUnmarked;

/** A ledger, one lane, and what it said. */
@NullUnmarked
final class LedgerProbe implements AutoCloseable, LedgerEvents {
    static final LedgerSettings SMALL = new LedgerSettings(true, 10, 100, 100_000, 1_000, 8_000, 1_000);

    final Ledger ledger;
    final Recovery recovery;
    final LedgerLane lane;
    final List<Throwable> defects = Collections.synchronizedList(new ArrayList<>());
    final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());

    LedgerProbe(Disk disk, Path folder, LedgerSettings settings) throws FolderRefused {
        Random salts = new Random(5);
        ledger = Ledger.open(disk, folder, "ledger.root", settings, salts::nextLong, this);
        recovery = ledger.takeRecovery();
        lane = new LedgerLane(Runnable::run, defects::add);
        ledger.start();
    }

    static UUID id(long number) {
        return new UUID(7, number);
    }

    static AdmittedTask task(long number, int bytes) {
        byte[] request = new byte[bytes];
        Arrays.fill(request, (byte) ('a' + number % 26));
        return new AdmittedTask(
                id(number), number, 1_000, 9_000, 3, number, "default", "ann", "corr-" + number, null, request);
    }

    static EndedTask ended(long number, boolean failed) {
        EndedTask.Failure error =
                failed ? new EndedTask.Failure("WORKER_RESET", "broke — é", "mock", null, true, -1) : null;
        return new EndedTask(
                id(number),
                "ann",
                3,
                number,
                id(99),
                failed ? "failed" : "completed",
                "batch",
                "mock",
                "default",
                failed ? null : "r0",
                5,
                6,
                failed ? null : "stop",
                1,
                2,
                number,
                4,
                -1,
                6,
                8,
                "corr-" + number,
                error,
                failed,
                "ref".getBytes(StandardCharsets.US_ASCII));
    }

    /** Hands over, waits; null where it was acknowledged. */
    LedgerFailure say(Consumer<LedgerAck> call) {
        CompletableFuture<LedgerFailure> answer = new CompletableFuture<>();
        call.accept(answer::complete);
        ledger.wake();
        return answer.join();
    }

    LedgerFailure admit(AdmittedTask task) {
        LedgerFailure refused = ledger.reserve(task.request().length);
        if (refused != null) {
            return refused;
        }
        try {
            return say(ack -> ledger.admit(task, lane, ack));
        } finally {
            ledger.release(task.request().length);
        }
    }

    LedgerFailure expose(long number) {
        return say(ack -> ledger.expose(id(number), lane, ack));
    }

    LedgerFailure end(EndedTask task) {
        return say(ack -> ledger.end(task, lane, ack));
    }

    /** Has no acknowledgement of its own: what is handed over behind it has. */
    void forget(long number) {
        ledger.forget(id(number), lane);
    }

    /** One line a task. */
    static List<String> lines(Recovery recovery) {
        List<String> lines = new ArrayList<>();
        recovery.open().forEach(open -> lines.add(line(open.task(), open.exposed())));
        recovery.ended().forEach(task -> lines.add(line(task)));
        Collections.sort(lines);
        return lines;
    }

    static String line(AdmittedTask task, boolean exposed) {
        return task.id() + " open " + exposed + " " + task.ordinal() + task.poolId() + task.owner()
                + task.correlationId()
                + task.traceparent() + task.acceptedAtMs() + "-" + task.deadlineAtMs() + " " + task.digestHigh()
                + task.digestLow() + " " + task.request().length + Arrays.hashCode(task.request());
    }

    static String line(EndedTask task) {
        return task.id() + " over " + task.toString().replaceAll("transcript=.*", "")
                + Arrays.toString(task.transcript());
    }

    @Override
    public void onCommitted(int records, long bytes, long tookNs) {}

    @Override
    public void onRefused(Throwable cause) {}

    @Override
    public void onFailed(Throwable cause) {
        failures.add(cause);
    }

    @Override
    public void onDefect(Throwable defect) {
        defects.add(defect);
    }

    @Override
    public void close() {
        ledger.close();
    }
}
