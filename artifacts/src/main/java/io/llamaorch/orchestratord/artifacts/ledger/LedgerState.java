package io.llamaorch.orchestratord.artifacts.ledger;

import io.llamaorch.orchestratord.artifacts.segment.SegmentRecord;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which record tells of each task: its admission while it is open, how it ended from then on. In the order in which they
 * stand in the log, so that what keeps the oldest segment alive comes first. <b>Owner thread:</b> {@code ledger}.
 */
final class LedgerState {
    private final Map<UUID, Live> tasks = new LinkedHashMap<>();
    private long bytes;

    /**
     * The record that tells of a task.
     *
     * @param position in the log
     * @param bytes of its payload
     * @param open whether it is an admission
     * @param exposed whether something of the open task was shown; may be told by a record behind it
     */
    record Live(UUID id, long position, int bytes, boolean open, boolean exposed) {}

    /** A record was written. */
    void apply(SegmentRecord record) {
        UUID id = LedgerCodec.id(record.payload());
        int length = record.payload().remaining();
        switch (record.type()) {
            case LedgerCodec.ADMITTED ->
                set(new Live(id, record.position(), length, true, LedgerCodec.isExposed(record.payload())));
            case LedgerCodec.ENDED -> set(new Live(id, record.position(), length, false, false));
            case LedgerCodec.EXPOSED -> expose(id);
            default -> forget(id);
        }
    }

    /** A task's record is this one now, which stands behind all others. */
    void set(Live live) {
        forget(live.id());
        tasks.put(live.id(), live);
        bytes += live.bytes();
    }

    /** Something of a task was shown. */
    void expose(UUID id) {
        Live live = tasks.get(id);
        if (live != null && live.open()) { // else its admission has been written again behind this
            tasks.replace(id, new Live(id, live.position(), live.bytes(), true, true));
        }
    }

    /** Nothing is known of a task. */
    void forget(UUID id) {
        Live live = tasks.remove(id);
        if (live != null) {
            bytes -= live.bytes();
        }
    }

    /** Bytes of the payloads that tell of a task. */
    long bytes() {
        return bytes;
    }

    /** Tasks. */
    int size() {
        return tasks.size();
    }

    /** The one whose record is the oldest; null for none. */
    @Nullable
    Live oldest() {
        Iterator<Live> all = tasks.values().iterator();
        return all.hasNext() ? all.next() : null;
    }

    /** The oldest ones, at most so many. */
    List<Live> oldest(int count) {
        List<Live> oldest = new ArrayList<>();
        for (Live live : tasks.values()) {
            if (oldest.size() == count) {
                break;
            }
            oldest.add(live);
        }
        return oldest;
    }

    /** All of them. */
    List<Live> all() {
        return List.copyOf(tasks.values());
    }
}
