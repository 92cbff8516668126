package io.llamaorch.orchestratord.adapters.tgi;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import io.llamaorch.orchestratord.adapters.wire.JsonText;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One frame, or the body of an answer that is no stream, read with jackson-core: what {@link TgiFrames} leaves. A key
 * given twice counts as given last.
 *
 * @param kind what the frame says
 * @param textFrom start of the still escaped text of the token in the frame's bytes; −1 without one, or where it is special
 * @param textTo its end, exclusive
 * @param usage figures of a last frame
 * @param fault what an error says
 */
record TgiFrame(Kind kind, int textFrom, int textTo, @Nullable Usage usage, @Nullable Fault fault) {

    /** What a frame says. */
    enum Kind {
        /** A token, and more to come. */
        PARTIAL,
        /** {@code generated_text} is there: the decode is done; the frame may bring a token all the same. */
        LAST,
        /** The decode failed, or never began. */
        ERROR,
        /** Nothing of concern. */
        OTHER,
        /** Not a JSON object. */
        UNREADABLE
    }

    /**
     * Figures of a last frame, −1 or empty where not said.
     *
     * @param finishReason {@code length}, {@code eos_token}, {@code stop_sequence}
     */
    record Usage(String finishReason, int inputLength, int generatedTokens) {}

    /**
     * An error.
     *
     * @param type its {@code error_type}, empty where not said
     * @param message its {@code error}, empty where not said; may echo the request
     */
    record Fault(String type, String message) {}

    private static final TgiFrame UNREADABLE = new TgiFrame(Kind.UNREADABLE, -1, -1, null, null);

    /** Reads {@code bytes}. */
    static TgiFrame read(byte[] bytes) {
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

    /** The members seen so far. */
    private static final class Reading {
        private final JsonParser p;
        private final byte[] bytes;
        private boolean tokenSeen;
        private boolean special;
        private int textFrom = -1;
        private int textTo = -1;
        private boolean last;
        private boolean faulty;
        private String errorType = "";
        private String error = "";
        private String finishReason = "";
        private int inputLength = -1;
        private int generatedTokens = -1;

        Reading(JsonParser p, byte[] bytes) {
            this.p = p;
            this.bytes = bytes;
        }

        void members() throws IOException {
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                switch (name) {
                    case "token" -> {
                        if (value == JsonToken.START_OBJECT) {
                            token();
                        }
                    }
                    case "generated_text" -> last = value == JsonToken.VALUE_STRING;
                    case "details" -> {
                        if (value == JsonToken.START_OBJECT) {
                            details();
                        }
                    }
                    case "error" -> {
                        faulty = true;
                        error = value == JsonToken.START_OBJECT ? message() : FrameJson.text(p);
                    }
                    case "error_type" -> errorType = FrameJson.text(p);
                    default -> {}
                }
                p.skipChildren();
            }
        }

        TgiFrame frame() {
            if (faulty) {
                return new TgiFrame(Kind.ERROR, -1, -1, null, new Fault(errorType, error));
            }
            int from = special ? -1 : textFrom;
            int to = special ? -1 : textTo;
            if (last) {
                return new TgiFrame(Kind.LAST, from, to, new Usage(finishReason, inputLength, generatedTokens), null);
            }
            return new TgiFrame(tokenSeen ? Kind.PARTIAL : Kind.OTHER, from, to, null, null);
        }

        private void token() throws IOException {
            tokenSeen = true;
            special = false;
            textFrom = -1;
            textTo = -1;
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                if (name.equals("special")) {
                    special = value == JsonToken.VALUE_TRUE;
                } else if (name.equals("text") && value == JsonToken.VALUE_STRING) {
                    textFrom = FrameJson.stringFrom(p);
                    textTo = JsonText.closingQuote(bytes, textFrom, bytes.length);
                    p.finishToken();
                }
                p.skipChildren();
            }
        }

        private void details() throws IOException {
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                p.nextToken();
                switch (name) {
                    case "finish_reason" -> finishReason = FrameJson.text(p);
                    case "generated_tokens" -> generatedTokens = FrameJson.integer(p, -1);
                    case "input_length" -> inputLength = FrameJson.integer(p, -1);
                    default -> {}
                }
                p.skipChildren();
            }
        }

        /** The message of an error in an object, as the OpenAI-like routes write it. */
        private String message() throws IOException {
            String message = "";
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                p.nextToken();
                if (name.equals("message")) {
                    message = FrameJson.text(p);
                }
                p.skipChildren();
            }
            return message;
        }
    }
}
