package io.llamaorch.orchestratord.adapters.triton;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;

/**
 * One frame on the slow path: what {@link TritonScanner} leaves.
 *
 * @param kind what the frame says
 * @param textFrom start of the still escaped {@code text_output} in the frame's bytes; −1 without one
 * @param textTo its end, exclusive
 * @param finishReason {@code finish_reason}; empty where it is not there or not known yet
 * @param inputTokens {@code num_input_tokens}, −1 where not said
 */
record TritonFrame(Kind kind, int textFrom, int textTo, String finishReason, int inputTokens) {

    /** What a frame says. */
    enum Kind {
        /** An answer of the model. */
        DATA,
        /** An error: {@link EngineFault} reads it. */
        ERROR,
        /** Not a JSON object. */
        UNREADABLE
    }

    /** Reads a frame's data. */
    static TritonFrame read(byte[] bytes) {
        Reading reading = new Reading();
        return FrameJson.readObject(bytes, reading::member)
                ? reading.frame()
                : new TritonFrame(Kind.UNREADABLE, -1, -1, "", -1);
    }

    /** The members seen so far. */
    private static final class Reading {
        private int textFrom = -1;
        private int textTo = -1;
        private String finishReason = "";
        private int inputTokens = -1;
        private boolean faulty;

        void member(String name, JsonToken value, FrameJson in) throws IOException {
            switch (name) {
                case "text_output" -> {
                    textFrom = -1;
                    textTo = -1;
                    if (value == JsonToken.VALUE_STRING) {
                        in.locate();
                        textFrom = in.from();
                        textTo = in.to();
                    }
                }
                case "finish_reason" -> {
                    String said = in.text();
                    finishReason = said.equals("None") ? "" : said;
                }
                case "num_input_tokens" -> inputTokens = in.integer(-1);
                case "error" -> faulty = true;
                default -> {}
            }
        }

        TritonFrame frame() {
            return faulty
                    ? new TritonFrame(Kind.ERROR, -1, -1, "", -1)
                    : new TritonFrame(Kind.DATA, textFrom, textTo, finishReason, inputTokens);
        }
    }
}
