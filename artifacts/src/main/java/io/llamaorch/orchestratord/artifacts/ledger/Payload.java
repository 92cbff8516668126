package io.llamaorch.orchestratord.artifacts.ledger;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A record's payload while it is put together; used again for the next one. For one thread. */
final class Payload {
    private static final int KEPT_BYTES_MAX = 1 << 20;
    private static final int NULL = -1;

    private ByteBuffer bytes = ByteBuffer.allocate(4096);

    /** Begins anew. */
    Payload clear() {
        if (bytes.capacity() > KEPT_BYTES_MAX) {
            bytes = ByteBuffer.allocate(4096);
        }
        bytes.clear();
        return this;
    }

    /** What was put, until the next {@link #clear}. */
    ByteBuffer done() {
        return bytes.flip();
    }

    private ByteBuffer room(int more) {
        if (bytes.remaining() < more) {
            int needed = Math.addExact(bytes.position(), more);
            bytes = ByteBuffer.allocate(Math.max(needed, bytes.capacity() * 2)).put(bytes.flip());
        }
        return bytes;
    }

    Payload put(boolean value) {
        room(1).put((byte) (value ? 1 : 0));
        return this;
    }

    Payload put(int value) {
        room(4).putInt(value);
        return this;
    }

    Payload put(long value) {
        room(8).putLong(value);
        return this;
    }

    Payload put(UUID value) {
        return put(value.getMostSignificantBits()).put(value.getLeastSignificantBits());
    }

    Payload put(@Nullable String text) {
        return text == null ? put(NULL) : put(text.getBytes(StandardCharsets.UTF_8));
    }

    Payload put(byte[] value) {
        put(value.length);
        room(value.length).put(value);
        return this;
    }

    // ---- and back ----

    static UUID uuid(ByteBuffer from) {
        return new UUID(from.getLong(), from.getLong());
    }

    static boolean flag(ByteBuffer from) {
        return from.get() != 0;
    }

    static @Nullable String textOrNull(ByteBuffer from) {
        int length = from.getInt();
        return length == NULL ? null : new String(take(from, length), StandardCharsets.UTF_8);
    }

    static String text(ByteBuffer from) {
        return new String(array(from), StandardCharsets.UTF_8);
    }

    static byte[] array(ByteBuffer from) {
        return take(from, from.getInt());
    }

    private static byte[] take(ByteBuffer from, int length) {
        if (length < 0 || length > from.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] value = new byte[length];
        from.get(value);
        return value;
    }
}
