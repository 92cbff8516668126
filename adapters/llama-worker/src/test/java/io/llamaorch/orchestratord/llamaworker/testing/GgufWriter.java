package io.llamaorch.orchestratord.llamaworker.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes a GGUF file of version 3: metadata, then float tensors, little-endian, each aligned to 32 bytes. */
final class GgufWriter {
    private static final int ALIGNMENT = 32;
    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final ByteArrayOutputStream metadata = new ByteArrayOutputStream();
    private final ByteArrayOutputStream infos = new ByteArrayOutputStream();
    private final List<float[]> tensors = new ArrayList<>();
    private long pairs;
    private long dataBytes;

    void put(String key, String value) {
        key(key, STRING);
        string(metadata, value);
    }

    void put(String key, int value) {
        key(key, UINT32);
        u32(metadata, value);
    }

    void put(String key, float value) {
        key(key, FLOAT32);
        u32(metadata, Float.floatToIntBits(value));
    }

    void put(String key, boolean value) {
        key(key, BOOL);
        metadata.write(value ? 1 : 0);
    }

    void putStrings(String key, List<String> values) {
        array(key, STRING, values.size());
        values.forEach(v -> string(metadata, v));
    }

    void putFloats(String key, List<Float> values) {
        array(key, FLOAT32, values.size());
        values.forEach(v -> u32(metadata, Float.floatToIntBits(v)));
    }

    void putInts(String key, List<Integer> values) {
        array(key, INT32, values.size());
        values.forEach(v -> u32(metadata, v));
    }

    /** A tensor of {@code rows} rows of equal length, or a vector where {@code rows} is 1. */
    void tensor(String name, int rows, float[] values) {
        string(infos, name);
        u32(infos, rows == 1 ? 1 : 2);
        u64(infos, values.length / rows);
        if (rows != 1) {
            u64(infos, rows);
        }
        u32(infos, 0);
        u64(infos, dataBytes);
        tensors.add(values);
        dataBytes += aligned(4L * values.length);
    }

    void write(Path file) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        u32(out, 3);
        u64(out, tensors.size());
        u64(out, pairs);
        metadata.writeTo(out);
        infos.writeTo(out);
        pad(out);
        for (float[] tensor : tensors) {
            ByteBuffer bytes = ByteBuffer.allocate(4 * tensor.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(tensor);
            out.writeBytes(bytes.array());
            pad(out);
        }
        Files.write(file, out.toByteArray());
    }

    private void key(String key, int type) {
        pairs++;
        string(metadata, key);
        u32(metadata, type);
    }

    private void array(String key, int type, int count) {
        key(key, ARRAY);
        u32(metadata, type);
        u64(metadata, count);
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private static void pad(ByteArrayOutputStream out) {
        out.writeBytes(new byte[(int) (aligned(out.size()) - out.size())]);
    }

    private static void string(ByteArrayOutputStream out, String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        u64(out, utf8.length);
        out.writeBytes(utf8);
    }

    private static void u32(ByteArrayOutputStream out, int value) {
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
    }

    private static void u64(ByteArrayOutputStream out, long value) {
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
    }
}
