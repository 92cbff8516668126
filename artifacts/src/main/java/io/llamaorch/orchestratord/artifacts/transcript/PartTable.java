package io.llamaorch.orchestratord.artifacts.transcript;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Parts of one stream in order: where each stands, how long it is, with which event it begins. Growing is its owner's
 * alone; a {@link #copy} may be given away.
 */
public final class PartTable {
    private static final int ENTRY_BYTES = Long.BYTES + 2 * Integer.BYTES;

    private long[] positions = new long[4];
    private int[] firstEvents = new int[4];
    private int[] bytes = new int[4];
    private int size;
    private long totalBytes;

    /** Adds a part; {@code firstEvent} is 0 where it begins inside of an event. */
    void add(long position, int firstEvent, int length) {
        if (size == positions.length) {
            positions = Arrays.copyOf(positions, size * 2);
            firstEvents = Arrays.copyOf(firstEvents, size * 2);
            bytes = Arrays.copyOf(bytes, size * 2);
        }
        positions[size] = position;
        firstEvents[size] = firstEvent;
        bytes[size] = length;
        totalBytes += length;
        size++;
    }

    /** Adds the parts of another table. */
    public void addAll(PartTable more) {
        for (int i = 0; i < more.size; i++) {
            add(more.positions[i], more.firstEvents[i], more.bytes[i]);
        }
    }

    /** Takes out all parts from {@code from} on: they were not written. */
    void cut(int from) {
        for (; size > from; size--) {
            totalBytes -= bytes[size - 1];
        }
    }

    /** The parts from {@code from} on, as they are now. */
    PartTable copy(int from) {
        PartTable copy = new PartTable();
        for (int i = from; i < size; i++) {
            copy.add(positions[i], firstEvents[i], bytes[i]);
        }
        return copy;
    }

    /** Parts. */
    public int size() {
        return size;
    }

    /** Bytes of events in all parts. */
    public long totalBytes() {
        return totalBytes;
    }

    /** Where a part stands. */
    public long position(int part) {
        return positions[part];
    }

    /** The event that a part begins with; 0 where it begins inside of one. */
    public int firstEvent(int part) {
        return firstEvents[part];
    }

    /** Bytes of events in a part. */
    public int bytes(int part) {
        return bytes[part];
    }

    /** The part in which an event begins that is in one of them; −1 for an event before the first part. */
    public int find(int event) {
        int low = 0;
        int high = size - 1;
        int found = -1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int start = middle;
            while (start > low && firstEvents[start] == 0) {
                start--; // a part that begins inside of an event says nothing of ids
            }
            if (firstEvents[start] == 0) {
                low = middle + 1;
            } else if (firstEvents[start] <= event) {
                found = start;
                low = middle + 1;
            } else {
                high = start - 1;
            }
        }
        return found;
    }

    // ---- as bytes ----

    int encodedBytes() {
        return Integer.BYTES + size * ENTRY_BYTES;
    }

    void encode(ByteBuffer target) {
        target.putInt(size);
        for (int i = 0; i < size; i++) {
            target.putLong(positions[i]).putInt(firstEvents[i]).putInt(bytes[i]);
        }
    }

    static PartTable decode(ByteBuffer source) {
        PartTable table = new PartTable();
        int count = source.getInt();
        if (count < 0 || count > source.remaining() / ENTRY_BYTES) {
            throw new IllegalArgumentException(count + " parts");
        }
        for (int i = 0; i < count; i++) {
            table.add(source.getLong(), source.getInt(), source.getInt());
        }
        return table;
    }
}
