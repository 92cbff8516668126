package io.llamaorch.orchestratord.adapters.triton;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import io.llamaorch.orchestratord.adapters.wire.JsonText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One frame, or the body of an answer, read with jackson-core: what {@link TritonFrames} leaves. A key given twice counts as
 * given last.
 *
 * @param kind what the frame says
 * @param textFrom start of the still escaped {@code text_output} in the frame's bytes; −1 without one
 * @param textTo its end, exclusive
 * @param finishReason {@code finish_reason}; empty where it is not there or not known yet
 * @param inputTokens {@code num_input_tokens}, −1 where not said
 * @param message {@code error}, empty where not said; may echo the request
 */
record TritonFrame(Kind kind, int textFrom, int textTo, String finishReason, int inputTokens, String message) {

    /** What a frame says. */
    enum Kind {
        /** An answer of the model. */
        DATA,
        /** An error. */
        ERROR,
        /** Not a JSON object. */
        UNREADABLE
    }

    private static final TritonFrame UNREADABLE = new TritonFrame(Kind.UNREADABLE, -1, -1, "", -1, "");

    /** Reads a frame's data. */
    static TritonFrame read(byte[] bytes) {
        try (JsonParser p = FrameJson.parser(bytes)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                return UNREADABLE;
            }
            Reading reading = new Reading(p, bytes);
            reading.members();
            return p.nextToken() == null ? reading.frame() : UNREADABLE;
        } catch (IOException | RuntimeException e) {
            // Jackson refuses with unchecked exceptions too; whatever it is, these bytes are no frame.
            return UNREADABLE;
        }
    }

    /**
     * Reads the body of an answer that is no stream of ours: JSON, or, where the model's first response was the error, one
     * event with it.
     */
    static TritonFrame readBody(byte[] body) {
        String text = new String(body, StandardCharsets.ISO_8859_1).strip();
        if (text.startsWith("data:")) {
            int lineEnd = text.indexOf('\n');
            text = text.substring(5, lineEnd < 0 ? text.length() : lineEnd).strip();
        }
        return read(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** The members seen so far. */
    private static final class Reading {
        private final JsonParser p;
        private final byte[] bytes;
        private int textFrom = -1;
        private int textTo = -1;
        private String finishReason = "";
        private int inputTokens = -1;
        private @Nullable String error;

        Reading(JsonParser p, byte[] bytes) {
            this.p = p;
            this.bytes = bytes;
        }

        void members() throws IOException {
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                p.nextToken();
                switch (name) {
                    case "text_output" -> text();
                    case "finish_reason" -> {
                        String said = FrameJson.text(p);
                        finishReason = said.equals(TritonFrames.NOT_FINISHED) ? "" : said;
                    }
                    case "num_input_tokens" -> inputTokens = FrameJson.integer(p, -1);
                    case "error" -> error = FrameJson.text(p);
                    default -> {}
                }
                p.skipChildren();
            }
        }

        TritonFrame frame() {
            String said = error;
            return said != null
                    ? new TritonFrame(Kind.ERROR, -1, -1, "", -1, said)
                    : new TritonFrame(Kind.DATA, textFrom, textTo, finishReason, inputTokens, "");
        }

        private void text() throws IOException {
            textFrom = -1;
            textTo = -1;
            if (p.currentToken() == JsonToken.VALUE_STRING) {
                textFrom = FrameJson.stringFrom(p);
                textTo = JsonText.closingQuote(bytes, textFrom, bytes.length);
                p.finishToken();
            }
        }
    }
}
