package io.llamaorch.orchestratord.artifacts.transcript;

import io.llamaorch.orchestratord.artifacts.store.Digest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.UUID;

/**
 * A transcript as its closing record describes it.
 *
 * <pre>
 *   closing record   task 16, digest 32, events 4, state from 4, state to 4, document length 4, document, parts 4,
 *                    then for each part: position 8, first event 4, bytes 4
 * </pre>
 *
 * @param task whose events these are
 * @param digest of its content
 * @param head what is known of the task
 * @param events the last event's id
 * @param parts where the events are
 */
public record Transcript(UUID task, Digest digest, TranscriptHead head, int events, PartTable parts) {
    private static final byte[] COMMENT = ": ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] BLANK = "\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final int FIXED_BYTES = 16 + 32 + 4 * Integer.BYTES;

    /** What content begins with, before the events. */
    public static byte[] preamble(TranscriptHead head) {
        byte[] json = head.json();
        byte[] line = Arrays.copyOf(COMMENT, COMMENT.length + json.length + BLANK.length);
        System.arraycopy(json, 0, line, COMMENT.length, json.length);
        System.arraycopy(BLANK, 0, line, COMMENT.length + json.length, BLANK.length);
        return line;
    }

    /** Length of its content. */
    public long contentBytes() {
        return COMMENT.length + head.json().length + BLANK.length + parts.totalBytes();
    }

    /** The task's state, a JSON object in UTF-8. */
    public byte[] state() {
        return Arrays.copyOfRange(head.json(), head.stateFrom(), head.stateTo());
    }

    ByteBuffer encode() {
        byte[] json = head.json();
        ByteBuffer bytes = ByteBuffer.allocate(FIXED_BYTES + json.length + parts.encodedBytes());
        bytes.putLong(task.getMostSignificantBits()).putLong(task.getLeastSignificantBits());
        bytes.put(HexFormat.of().parseHex(digest.hex()));
        bytes.putInt(events).putInt(head.stateFrom()).putInt(head.stateTo());
        bytes.putInt(json.length).put(json);
        parts.encode(bytes);
        return bytes.flip();
    }

    /**
     * What {@link #encode} gave.
     *
     * @throws RuntimeException where the bytes are something else
     */
    static Transcript decode(ByteBuffer bytes) {
        UUID task = new UUID(bytes.getLong(), bytes.getLong());
        byte[] hash = new byte[32];
        bytes.get(hash);
        int events = bytes.getInt();
        int stateFrom = bytes.getInt();
        int stateTo = bytes.getInt();
        int length = bytes.getInt();
        if (length < 0 || length > bytes.remaining()) {
            throw new IllegalArgumentException("a document of " + length + " bytes");
        }
        byte[] json = new byte[length];
        bytes.get(json);
        return new Transcript(
                task,
                new Digest(HexFormat.of().formatHex(hash)),
                new TranscriptHead(json, stateFrom, stateTo),
                events,
                PartTable.decode(bytes));
    }
}
