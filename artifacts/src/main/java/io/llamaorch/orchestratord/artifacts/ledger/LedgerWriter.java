package io.llamaorch.orchestratord.artifacts.ledger;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.ledger.LedgerState.Live;
import io.llamaorch.orchestratord.artifacts.segment.LogDamaged;
import io.llamaorch.orchestratord.artifacts.segment.LogFailed;
import io.llamaorch.orchestratord.artifacts.segment.SegmentLog;
import io.llamaorch.orchestratord.artifacts.segment.SegmentRecord;
import io.llamaorch.orchestratord.artifacts.segment.SegmentSettings;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The log and what is live in it: writes batches, replays, cleans. <b>Owner thread:</b> {@code ledger}; before it starts, the
 * one that opens; but for {@link #bytes}, {@link #segments} and {@link #failed}.
 */
final class LedgerWriter {
    private static final int EXTEND_BYTES = 1 << 20;
    private static final int CLEAN_RECORDS = 256;
    private static final long CLEAN_BYTES = 1 << 20;

    private final LedgerSettings settings;
    private final LedgerEvents events;
    private final LedgerState state = new LedgerState();
    private final Payload payload = new Payload();
    private final SegmentLog log;
    private final long openedInNs;
    private long recordsRead;
    private long lastBytes;

    private LedgerWriter(Disk disk, Path folder, LedgerSettings settings, LongSupplier salts, LedgerEvents events)
            throws IOException {
        this.settings = settings;
        this.events = events;
        long beganNs = System.nanoTime();
        SegmentSettings segments =
                new SegmentSettings(settings.segmentBytes(), Math.min(EXTEND_BYTES, settings.segmentBytes() / 4));
        log = SegmentLog.open(disk, folder, segments, salts, record -> replay(folder, record));
        openedInNs = System.nanoTime() - beganNs;
    }

    static LedgerWriter open(Disk disk, Path folder, LedgerSettings settings, LongSupplier salts, LedgerEvents events)
            throws IOException {
        return new LedgerWriter(disk, folder, settings, salts, events);
    }

    // ---- at open ----

    private void replay(Path folder, SegmentRecord record) throws LogDamaged {
        if (!LedgerCodec.isKnown(record)) {
            throw new LogDamaged(folder + " holds a record of type " + record.type() + ", version " + record.version()
                    + ", that this version cannot read; nothing was changed: start the version that wrote it");
        }
        recordsRead++;
        state.apply(record);
    }

    /** What the replay found, read in full. */
    Recovery recover() throws IOException {
        long beganNs = System.nanoTime();
        List<Recovery.OpenTask> open = new ArrayList<>();
        List<EndedTask> ended = new ArrayList<>();
        for (Live live : state.all()) {
            SegmentRecord record = log.read(live.position());
            try {
                if (live.open()) {
                    open.add(new Recovery.OpenTask(LedgerCodec.admitted(record.payload()), live.exposed()));
                } else {
                    ended.add(LedgerCodec.ended(record.payload()));
                }
            } catch (BufferUnderflowException e) {
                throw new LogDamaged("the record of task " + live.id() + " is shorter than it says");
            }
        }
        open.sort(Comparator.comparingLong(task -> task.task().ordinal()));
        ended.sort(Comparator.comparingLong(EndedTask::endedAtMs));
        int tooMany = Math.max(0, ended.size() - settings.endedMax());
        for (EndedTask task : ended.subList(0, tooMany)) {
            state.forget(task.id());
        }
        return new Recovery(
                List.copyOf(open),
                List.copyOf(ended.subList(tooMany, ended.size())),
                recordsRead,
                openedInNs + System.nanoTime() - beganNs);
    }

    // ---- writing ----

    /**
     * Writes the first of the requests: as many as the segment takes, one at least.
     *
     * @return how many; they are as safe as promised
     * @throws IOException where none of them is in the log
     */
    int write(List<LedgerRequest> requests, boolean sync) throws IOException {
        List<Live> written = new ArrayList<>(requests.size());
        try {
            for (LedgerRequest request : requests) {
                request.encode(payload);
                ByteBuffer bytes = payload.done();
                if (!log.hasRoom(bytes.remaining())) {
                    if (!written.isEmpty()) {
                        break;
                    }
                    log.roll();
                }
                long position = log.append(request.type(), LedgerCodec.VERSION, bytes);
                boolean open = request.type() == LedgerCodec.ADMITTED;
                written.add(new Live(request.id(), position, bytes.remaining(), open, false));
            }
        } catch (RuntimeException | Error e) {
            log.discard();
            throw e;
        }
        commit(sync);
        for (int i = 0; i < written.size(); i++) {
            apply(requests.get(i).type(), written.get(i));
        }
        return written.size();
    }

    private void commit(boolean sync) throws IOException {
        lastBytes = log.batchBytes();
        log.write();
        if (sync) {
            log.sync();
        }
    }

    private void apply(int type, Live live) {
        switch (type) {
            case LedgerCodec.ADMITTED, LedgerCodec.ENDED -> state.set(live);
            case LedgerCodec.EXPOSED -> state.expose(live.id());
            default -> state.forget(live.id());
        }
    }

    /** Bytes of the last batch. */
    long lastBytes() {
        return lastBytes;
    }

    void sync() throws LogFailed {
        log.sync();
    }

    // ---- cleaning ----

    /**
     * One slice: removes the oldest segment where nothing in it is live; where the log is too long, writes what is live
     * there again, at the head.
     *
     * @return whether there is more to do
     */
    boolean clean() throws IOException {
        long oldest = log.oldest();
        if (oldest == log.newest()) {
            return false;
        }
        Live first = state.oldest();
        if (first == null || SegmentLog.segmentOf(first.position()) > oldest) {
            log.sync(); // what made the last of it dead comes first
            log.removeOldest();
            return true;
        }
        if (log.bytes() <= settings.maxBytes()) {
            return false;
        }
        rewrite(oldest);
        return true;
    }

    private void rewrite(long segment) throws IOException {
        List<Live> written = new ArrayList<>();
        long bytes = 0;
        for (Live live : state.oldest(CLEAN_RECORDS)) {
            if (SegmentLog.segmentOf(live.position()) != segment || bytes >= CLEAN_BYTES) {
                break;
            }
            if (!log.hasRoom(live.bytes())) {
                if (!written.isEmpty()) {
                    break;
                }
                log.roll();
            }
            SegmentRecord record;
            try {
                record = log.read(live.position());
            } catch (IOException e) {
                log.discard();
                throw e;
            }
            ByteBuffer content = live.exposed() ? LedgerCodec.exposed(record.payload()) : record.payload();
            long position = log.append(record.type(), record.version(), content);
            written.add(new Live(live.id(), position, live.bytes(), live.open(), live.exposed()));
            bytes += live.bytes();
        }
        log.write();
        log.sync();
        written.forEach(state::set);
    }

    // ---- figures ----

    /** What the log holds that cannot be dropped; more than it may hold where cleaning does not keep up. */
    long liveBytes() {
        return log.bytes() > 2 * settings.maxBytes() ? settings.maxBytes() : state.bytes();
    }

    /** Any thread. */
    long bytes() {
        return log.bytes();
    }

    /** Any thread. */
    int segments() {
        return log.segments();
    }

    /** Any thread. */
    @Nullable
    LogFailed failed() {
        return log.failed();
    }

    void close() {
        try {
            log.close();
        } catch (IOException e) {
            events.onDefect(e);
        }
    }
}
