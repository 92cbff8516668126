package io.llamaorch.orchestratord.server.sse;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The readers of one stream: who comes and leaves, what they are sent, who is cut off, and how far they have got.
 *
 * <p>A reader can leave while the set is walked, and others with it: a cut may finish a cancel, whose {@code end} is the
 * last that the others wait for. Walks go from the newest back, so that none is missed; one may be met twice, which
 * sends it nothing twice. A reader that throws is told of as a defect and cut; the others get theirs. <b>Owner
 * thread:</b> the stream's loop.
 */
final class ReaderSet {
    private final TaskStream stream;
    private final List<StreamReader> readers = new ArrayList<>(1);
    private int deliveredTail;

    ReaderSet(TaskStream stream) {
        this.stream = stream;
    }

    boolean isEmpty() {
        return readers.isEmpty();
    }

    // ---- coming and leaving ----

    /**
     * Adds a reader that reads from {@code offset} of the log on; {@code comment} is the first that it sees, or empty.
     *
     * @param event see {@link StreamReader#start}
     */
    void attach(ReaderConnection connection, int offset, int event, String comment) {
        StreamReader reader = new StreamReader(stream, connection);
        readers.add(reader);
        stream.home().countReader(1);
        try {
            reader.start(offset, event, stream.home().settings().retryMs(), comment);
            reader.pump();
        } catch (Throwable thrown) {
            failed(reader, thrown);
        }
    }

    /** Takes out whoever reads over that connection, which has gone. */
    void closed(ReaderConnection connection) {
        for (StreamReader reader : readers) {
            if (reader.isOn(connection)) {
                reader.markGone();
                leave(reader);
                return;
            }
        }
    }

    /** A reader has all, has gone, or was cut. */
    void leave(StreamReader reader) {
        deliveredTail = Math.max(deliveredTail, reader.cursor());
        if (readers.remove(reader)) {
            stream.home().countReader(-1);
            stream.onReaderLeft();
        }
    }

    // ---- what they are sent ----

    /** Sends everybody what the log has and they have not, as far as their connections take it. */
    void pump() {
        each(StreamReader::pump);
    }

    /** Sends everybody a comment who has no bytes on their way. */
    void comment(FrameWriter frames) {
        each(reader -> reader.comment(frames));
    }

    // ---- who is cut ----

    /**
     * Cuts who makes no progress.
     *
     * @param stallNs time for which bytes may wait for a socket
     * @param lagBytes how far one may be behind the newest frame
     */
    void cutStuck(long nowNs, long stallNs, long lagBytes) {
        each(reader -> {
            if (reader.inFlight() && nowNs - reader.progressAtNs() > stallNs) {
                cut(reader, "stalled");
            } else if (stream.log().tail() - reader.cursor() > lagBytes) {
                cut(reader, "lagging");
            }
        });
    }

    /** Cuts everybody. */
    void cutAll(String reason) {
        each(reader -> cut(reader, reason));
    }

    /** What a reader is to be sent next cannot be read from the disk. */
    void unreadable(StreamReader reader) {
        cut(reader, "transcript");
    }

    /** A reader threw: the others are not to feel it. */
    void failed(StreamReader reader, Throwable thrown) {
        stream.home().events().defect(stream, thrown);
        cut(reader, "defect");
    }

    private void cut(StreamReader reader, String reason) {
        try {
            reader.cut();
            stream.home().events().readerCut(stream, reason, stream.log().tail() - reader.cursor());
        } catch (Throwable thrown) {
            stream.home().events().defect(stream, thrown);
        }
        leave(reader);
    }

    // ---- the seal of a cancel ----

    /** Whether a chunk is on its way to a socket. */
    boolean anyInFlight() {
        for (StreamReader reader : readers) {
            if (reader.inFlight()) {
                return true;
            }
        }
        return false;
    }

    /** Bytes of the log that the most advanced reader was handed, of those that are here and those that were. */
    int mostDelivered() {
        int most = deliveredTail;
        for (StreamReader reader : readers) {
            most = Math.max(most, reader.cursor());
        }
        return most;
    }

    /**
     * Cuts who has not got all up to {@code tail}.
     *
     * @return the loops of those that were cut
     */
    List<EventLoop> cutBehind(int tail) {
        List<EventLoop> cutOn = new ArrayList<>(0);
        each(reader -> {
            if (!reader.isCaughtUp(tail)) {
                cutOn.add(reader.loop());
                cut(reader, "cancel");
            }
        });
        return cutOn;
    }

    private void each(Consumer<StreamReader> action) {
        for (int i = readers.size() - 1; i >= 0; i = Math.min(i, readers.size()) - 1) {
            StreamReader reader = readers.get(i);
            try {
                action.accept(reader);
            } catch (Throwable thrown) {
                failed(reader, thrown);
            }
        }
    }
}
