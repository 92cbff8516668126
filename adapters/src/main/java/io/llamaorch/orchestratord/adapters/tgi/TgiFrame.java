package io.llamaorch.orchestratord.adapters.tgi;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One frame on the slow path: what {@link TgiScanner} leaves.
 *
 * @param kind what the frame says
 * @param textFrom start of the still escaped text of the token in the frame's bytes; −1 without one, or where it is special
 * @param textTo its end, exclusive
 * @param usage figures of a last frame
 */
record TgiFrame(Kind kind, int textFrom, int textTo, @Nullable Usage usage) {

    /** What a frame says. */
    enum Kind {
        /** A token, and more to come. */
        PARTIAL,
        /** {@code generated_text} is there: the decode is done; the frame brings a token all the same. */
        LAST,
        /** The decode failed, or never began: {@link EngineFault} reads it. */
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

    /** Reads {@code bytes}. */
    static TgiFrame read(byte[] bytes) {
        Reading reading = new Reading();
        return FrameJson.readObject(bytes, reading::member)
                ? reading.frame()
                : new TgiFrame(Kind.UNREADABLE, -1, -1, null);
    }

    /** The members seen so far. */
    private static final class Reading {
        private boolean tokenSeen;
        private boolean special;
        private int textFrom = -1;
        private int textTo = -1;
        private boolean last;
        private boolean faulty;
        private String finishReason = "";
        private int inputLength = -1;
        private int generatedTokens = -1;

        void member(String name, JsonToken value, FrameJson in) throws IOException {
            switch (name) {
                case "token" -> {
                    if (value == JsonToken.START_OBJECT) {
                        tokenSeen = true;
                        special = false;
                        textFrom = -1;
                        textTo = -1;
                        in.members(this::tokenMember);
                    }
                }
                case "generated_text" -> last = value == JsonToken.VALUE_STRING;
                case "details" -> {
                    if (value == JsonToken.START_OBJECT) {
                        in.members(this::detailsMember);
                    }
                }
                case "error" -> faulty = true;
                default -> {}
            }
        }

        private void tokenMember(String name, JsonToken value, FrameJson in) throws IOException {
            if (name.equals("special")) {
                special = value == JsonToken.VALUE_TRUE;
            } else if (name.equals("text") && value == JsonToken.VALUE_STRING) {
                in.locate();
                textFrom = in.from();
                textTo = in.to();
            }
        }

        private void detailsMember(String name, JsonToken value, FrameJson in) throws IOException {
            switch (name) {
                case "finish_reason" -> finishReason = in.text();
                case "generated_tokens" -> generatedTokens = in.integer(-1);
                case "input_length" -> inputLength = in.integer(-1);
                default -> {}
            }
        }

        TgiFrame frame() {
            if (faulty) {
                return new TgiFrame(Kind.ERROR, -1, -1, null);
            }
            int from = special ? -1 : textFrom;
            int to = special ? -1 : textTo;
            if (last) {
                return new TgiFrame(Kind.LAST, from, to, new Usage(finishReason, inputLength, generatedTokens));
            }
            return new TgiFrame(tokenSeen ? Kind.PARTIAL : Kind.OTHER, from, to, null);
        }
    }
}
