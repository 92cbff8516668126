package io.llamaorch.orchestratord.adapters.llamacpp;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One frame, or the body of an answer that is no stream, read with jackson-core: the slow path.
 *
 * @param kind what the frame says
 * @param textFrom start of the still escaped {@code content} in the frame's bytes; −1 without one
 * @param textTo its end, exclusive
 * @param usage figures of a last frame
 * @param error what an error frame says
 */
record LlamaFrame(Kind kind, int textFrom, int textTo, @Nullable Usage usage, @Nullable EngineFault error) {

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

    private static final LlamaFrame UNREADABLE = new LlamaFrame(Kind.UNREADABLE, -1, -1, null, null);

    /** Reads a frame's data. */
    static LlamaFrame read(byte[] bytes) {
        Reading reading = new Reading();
        return FrameJson.readObject(bytes, reading) ? reading.frame() : UNREADABLE;
    }

    /** The members seen so far. */
    private static final class Reading implements FrameJson.Members {
        private int textFrom = -1;
        private int textTo = -1;
        private boolean stop;
        private boolean stopSeen;
        private boolean progress;
        private @Nullable EngineFault error;
        private String stopType = "";
        private int tokensPredicted = -1;
        private int tokensEvaluated = -1;
        private double promptMs = Double.NaN;
        private double predictedMs = Double.NaN;

        @Override
        public void member(String name, JsonToken value, FrameJson in) throws IOException {
            switch (name) {
                case "content" -> content(value, in);
                case "stop" -> {
                    stop = value == JsonToken.VALUE_TRUE;
                    stopSeen = value == JsonToken.VALUE_TRUE || value == JsonToken.VALUE_FALSE;
                }
                case "prompt_progress" -> progress = true;
                case "error" -> error = EngineFault.member(value, in);
                case "stop_type" -> stopType = in.text();
                case "tokens_predicted" -> tokensPredicted = in.integer(-1);
                case "tokens_evaluated" -> tokensEvaluated = in.integer(-1);
                case "timings" -> {
                    if (value == JsonToken.START_OBJECT) {
                        in.members(this::timing);
                    }
                }
                default -> {}
            }
        }

        LlamaFrame frame() {
            if (error != null) {
                return new LlamaFrame(Kind.ERROR, -1, -1, null, error);
            }
            if (stopSeen && stop) {
                Usage usage = new Usage(stopType, tokensPredicted, tokensEvaluated, promptMs, predictedMs);
                return new LlamaFrame(Kind.LAST, textFrom, textTo, usage, null);
            }
            boolean partial = stopSeen && textFrom >= 0 && !progress;
            return new LlamaFrame(partial ? Kind.PARTIAL : Kind.OTHER, textFrom, textTo, null, null);
        }

        private void content(JsonToken value, FrameJson in) throws IOException {
            textFrom = -1;
            textTo = -1;
            if (value == JsonToken.VALUE_STRING) {
                in.locate();
                textFrom = in.from();
                textTo = in.to();
            }
        }

        private void timing(String name, JsonToken value, FrameJson in) throws IOException {
            if (name.equals("prompt_ms")) {
                promptMs = in.number();
            } else if (name.equals("predicted_ms")) {
                predictedMs = in.number();
            }
        }
    }
}
