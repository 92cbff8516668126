package io.llamaorch.orchestratord.llamaworker.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Reading and writing JSON in memory. */
final class Json {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(64)
                    .maxStringLength(WorkerServer.BODY_MAX_BYTES)
                    .build())
            .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
            .build();

    private Json() {}

    /** What writes one value. */
    interface Writer {
        void to(JsonGenerator g) throws IOException;
    }

    static byte[] bytes(Writer value) {
        return bytes("", value, "");
    }

    /** The value with {@code before} and {@code after} around it, both ASCII. */
    static byte[] bytes(String before, Writer value, String after) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(256);
        for (int i = 0; i < before.length(); i++) {
            out.write(before.charAt(i));
        }
        try (JsonGenerator g = FACTORY.createGenerator(out)) {
            value.to(g);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (int i = 0; i < after.length(); i++) {
            out.write(after.charAt(i));
        }
        return out.toByteArray();
    }

    static JsonParser parser(byte[] bytes) throws IOException {
        return FACTORY.createParser(bytes);
    }
}
