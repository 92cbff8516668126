package io.llamaorch.orchestratord.adapters.openai;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One chunk read with jackson-core: the slow path. Text is {@code choices[0].text} or {@code choices[0].delta.content}.
 *
 * @param textFrom start of the still escaped text in the frame's bytes; −1 without one
 * @param textTo its end, exclusive
 * @param finish why it is finished, as the engine words it; empty where it is not
 * @param promptTokens of the prompt, −1 where not said
 * @param completionTokens decoded so far or in all, −1 where not said
 * @param error what an error frame says, null where it is none
 */
record OpenAiFrame(
        int textFrom, int textTo, String finish, int promptTokens, int completionTokens, @Nullable EngineFault error) {

    /** Reads a frame's data; null where it is not a JSON object. */
    static @Nullable OpenAiFrame read(byte[] bytes) {
        Reading reading = new Reading();
        if (!FrameJson.readObject(bytes, reading)) {
            return null;
        }
        EngineFault error = reading.error;
        if (error == null && reading.isError) {
            error = EngineFault.read(bytes);
        }
        return new OpenAiFrame(
                reading.textFrom,
                reading.textTo,
                reading.finish,
                reading.promptTokens,
                reading.completionTokens,
                error);
    }

    private static final class Reading implements FrameJson.Members {
        private int textFrom = -1;
        private int textTo = -1;
        private String finish = "";
        private int promptTokens = -1;
        private int completionTokens = -1;
        private boolean isError;
        private @Nullable EngineFault error;

        @Override
        public void member(String name, JsonToken value, FrameJson in) throws IOException {
            switch (name) {
                case "object" -> isError = in.text().equals("error");
                case "error" -> {
                    if (value != JsonToken.VALUE_NULL) {
                        error = EngineFault.member(value, in);
                    }
                }
                case "choices" -> {
                    if (value == JsonToken.START_ARRAY) {
                        in.elements((first, choices) -> {
                            if (first == JsonToken.START_OBJECT) {
                                choices.members(this::choice);
                            }
                        });
                    }
                }
                case "usage" -> {
                    if (value == JsonToken.START_OBJECT) {
                        in.members(this::usage);
                    }
                }
                default -> {}
            }
        }

        private void choice(String name, JsonToken value, FrameJson in) throws IOException {
            switch (name) {
                case "text" -> text(value, in);
                case "finish_reason" -> finish = in.text();
                case "delta" -> {
                    if (value == JsonToken.START_OBJECT) {
                        in.members((inner, token, delta) -> {
                            if (inner.equals("content")) {
                                text(token, delta);
                            }
                        });
                    }
                }
                default -> {}
            }
        }

        private void text(JsonToken value, FrameJson in) throws IOException {
            textFrom = -1;
            textTo = -1;
            if (value == JsonToken.VALUE_STRING) {
                in.locate();
                textFrom = in.from();
                textTo = in.to();
            }
        }

        private void usage(String name, JsonToken value, FrameJson in) throws IOException {
            if (name.equals("prompt_tokens")) {
                promptTokens = in.integer(-1);
            } else if (name.equals("completion_tokens")) {
                completionTokens = in.integer(-1);
            }
        }
    }
}
