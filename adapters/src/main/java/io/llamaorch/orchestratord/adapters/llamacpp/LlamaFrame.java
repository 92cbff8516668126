package io.llamaorch.orchestratord.adapters.llamacpp;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import io.llamaorch.orchestratord.adapters.wire.JsonText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One frame read with jackson-core: the slow path for last frames, errors and whatever {@link LlamaFrames} does not
 * accept.
 *
 * <p>Bytes are shown to jackson one char each (ISO 8859-1), so that it checks the structure and tells where the text lies
 * whatever bytes that holds; the text itself is left to {@code JsonTextJoiner}. A key given twice counts as given last.
 *
 * @param kind what the frame says
 * @param textFrom start of the still escaped {@code content} in the frame's bytes; −1 without one
 * @param textTo its end, exclusive
 * @param usage figures of a last frame
 * @param error what an error frame says
 */
record LlamaFrame(Kind kind, int textFrom, int textTo, @Nullable Usage usage, @Nullable Fault error) {

    /** Most digits, depth and text that a frame may have. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(16 << 20)
                    .maxNestingDepth(64)
                    .build())
            .build();

    /** What a frame says. */
    enum Kind {
        /** Text, perhaps none, and more to come. */
        PARTIAL,
        /** The decode is done. */
        LAST,
        /** The decode failed. */
        ERROR,
        /** Nothing of concern: progress, an unknown kind. */
        OTHER,
        /** Not a JSON object. */
        UNREADABLE
    }

    /**
     * Figures of a last frame, −1 or NaN or empty where not said.
     *
     * @param stopType {@code eos}, {@code word}, {@code limit}
     */
    record Usage(String stopType, int tokensPredicted, int tokensEvaluated, double promptMs, double predictedMs) {}

    /**
     * An error object.
     *
     * @param code its {@code code}, 0 where not said
     * @param type its {@code type}, empty where not said
     * @param message its {@code message}, empty where not said; may echo the request
     */
    record Fault(int code, String type, String message) {}

    private static final LlamaFrame UNREADABLE = new LlamaFrame(Kind.UNREADABLE, -1, -1, null, null);

    /** Reads a frame's data, or the body of an answer that is no stream. */
    static LlamaFrame read(byte[] bytes) {
        return read(bytes, false);
    }

    /** Reads the value of an {@code error:} field: the error object itself, or one around it. */
    static LlamaFrame readError(byte[] bytes) {
        LlamaFrame frame = read(bytes, true);
        return frame.kind == Kind.ERROR
                ? frame
                : new LlamaFrame(Kind.ERROR, -1, -1, null, new Fault(0, "", "unreadable error"));
    }

    private static LlamaFrame read(byte[] bytes, boolean bareError) {
        char[] chars = new String(bytes, StandardCharsets.ISO_8859_1).toCharArray();
        try (JsonParser p = JSON.createParser(chars)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                return UNREADABLE;
            }
            Reading reading = new Reading(p, bytes);
            reading.members();
            return p.nextToken() == null ? reading.frame(bareError) : UNREADABLE;
        } catch (IOException | RuntimeException e) {
            // Jackson refuses with unchecked exceptions too; whatever it is, these bytes are no frame.
            return UNREADABLE;
        }
    }

    /** The members seen so far. */
    private static final class Reading {
        private final JsonParser p;
        private final byte[] bytes;
        private int textFrom = -1;
        private int textTo = -1;
        private boolean stop;
        private boolean stopSeen;
        private boolean progress;
        private @Nullable Fault error;
        private int code;
        private String type = "";
        private String message = "";
        private String stopType = "";
        private int tokensPredicted = -1;
        private int tokensEvaluated = -1;
        private double promptMs = Double.NaN;
        private double predictedMs = Double.NaN;

        Reading(JsonParser p, byte[] bytes) {
            this.p = p;
            this.bytes = bytes;
        }

        void members() throws IOException {
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                switch (name) {
                    case "content" -> content(value);
                    case "stop" -> {
                        stop = value == JsonToken.VALUE_TRUE;
                        stopSeen = value == JsonToken.VALUE_TRUE || value == JsonToken.VALUE_FALSE;
                    }
                    case "prompt_progress" -> progress = true;
                    case "error" ->
                        error = value == JsonToken.START_OBJECT ? errorObject() : new Fault(0, "", text(value));
                    case "code" -> code = integer(value, 0);
                    case "type" -> type = text(value);
                    case "message" -> message = text(value);
                    case "stop_type" -> stopType = text(value);
                    case "tokens_predicted" -> tokensPredicted = integer(value, -1);
                    case "tokens_evaluated" -> tokensEvaluated = integer(value, -1);
                    case "timings" -> {
                        if (value == JsonToken.START_OBJECT) {
                            timings();
                        }
                    }
                    default -> {}
                }
                p.skipChildren();
            }
        }

        LlamaFrame frame(boolean bareError) {
            if (error != null) {
                return new LlamaFrame(Kind.ERROR, -1, -1, null, error);
            }
            if (bareError) {
                return new LlamaFrame(Kind.ERROR, -1, -1, null, new Fault(code, type, message));
            }
            if (stopSeen && stop) {
                Usage usage = new Usage(stopType, tokensPredicted, tokensEvaluated, promptMs, predictedMs);
                return new LlamaFrame(Kind.LAST, textFrom, textTo, usage, null);
            }
            boolean partial = stopSeen && textFrom >= 0 && !progress;
            return new LlamaFrame(partial ? Kind.PARTIAL : Kind.OTHER, textFrom, textTo, null, null);
        }

        private void content(JsonToken value) throws IOException {
            textFrom = -1;
            textTo = -1;
            if (value == JsonToken.VALUE_STRING) {
                textFrom = (int) p.currentTokenLocation().getCharOffset() + 1;
                textTo = JsonText.closingQuote(bytes, textFrom, bytes.length);
                p.finishToken();
            }
        }

        private Fault errorObject() throws IOException {
            int itsCode = 0;
            String itsType = "";
            String itsMessage = "";
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                if (name.equals("code")) {
                    itsCode = integer(value, 0);
                } else if (name.equals("type")) {
                    itsType = text(value);
                } else if (name.equals("message")) {
                    itsMessage = text(value);
                }
                p.skipChildren();
            }
            return new Fault(itsCode, itsType, itsMessage);
        }

        private void timings() throws IOException {
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                if (name.equals("prompt_ms") && value.isNumeric()) {
                    promptMs = p.getDoubleValue();
                } else if (name.equals("predicted_ms") && value.isNumeric()) {
                    predictedMs = p.getDoubleValue();
                }
                p.skipChildren();
            }
        }

        private String text(JsonToken value) throws IOException {
            if (value != JsonToken.VALUE_STRING) {
                return "";
            }
            // Raw bytes came as one char each; escapes past U+00FF are lost as '?', which is fine for a message.
            return new String(p.getText().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        }

        private int integer(JsonToken value, int otherwise) throws IOException {
            if (!value.isNumeric()) {
                return otherwise;
            }
            double number = p.getDoubleValue();
            return number >= -1 && number <= Integer.MAX_VALUE ? (int) number : otherwise;
        }
    }
}
