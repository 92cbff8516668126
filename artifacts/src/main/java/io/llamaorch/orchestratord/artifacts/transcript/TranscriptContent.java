package io.llamaorch.orchestratord.artifacts.transcript;

import io.llamaorch.orchestratord.artifacts.segment.SegmentLog;
import io.llamaorch.orchestratord.artifacts.store.SliceReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The verified content of a transcript, slice by slice. At most one {@link #read} at a time; it keeps no file open. */
public final class TranscriptContent implements SliceReader {
    private final TranscriptReads reads;
    private final SegmentLog segments;
    private final Transcript transcript;
    private final byte[] preamble;
    private final long[] starts;

    TranscriptContent(TranscriptReads reads, SegmentLog segments, Transcript transcript) {
        this.reads = reads;
        this.segments = segments;
        this.transcript = transcript;
        this.preamble = Transcript.preamble(transcript.head());
        PartTable parts = transcript.parts();
        this.starts = new long[parts.size()];
        long at = preamble.length;
        for (int i = 0; i < starts.length; i++) {
            starts[i] = at;
            at += parts.bytes(i);
        }
    }

    UUID task() {
        return transcript.task();
    }

    @Override
    public long length() {
        return transcript.contentBytes();
    }

    @Override
    public void read(long position, ByteBuffer into, Consumer<@Nullable IOException> done) {
        reads.slice(this, position, into, done);
    }

    @Override
    public void close() {
        // Nothing is open.
    }

    /** Fills a buffer with content from a position on; blocks. */
    void copy(long from, ByteBuffer into) throws IOException {
        long at = from;
        while (into.hasRemaining()) {
            ByteBuffer source;
            if (at < preamble.length) {
                source = ByteBuffer.wrap(preamble, (int) at, preamble.length - (int) at);
            } else {
                int found = Arrays.binarySearch(starts, at);
                int part = found >= 0 ? found : -found - 2;
                PartTable parts = transcript.parts();
                source = TranscriptReads.partOf(
                        segments.read(parts.position(part)),
                        transcript.task(),
                        parts.firstEvent(part),
                        parts.bytes(part));
                source.position((int) (at - starts[part]));
            }
            int count = Math.min(into.remaining(), source.remaining());
            into.put(source.limit(source.position() + count));
            at += count;
        }
    }
}
