package io.llamaorch.orchestratord.adapters.llamacpp;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What {@code GET /props} says.
 *
 * @param build as the engine names itself, null where not said
 * @param slots decodes at once, 0 where not said
 * @param ctx context of one slot, tokens, 0 where not said
 * @param router whether it is a router in front of one server a model
 */
record LlamaProps(@Nullable String build, int slots, int ctx, boolean router) {

    /** Reads the body; null where it is not what llama-server answers. */
    static @Nullable LlamaProps read(byte[] body) {
        Reading reading = new Reading();
        return FrameJson.readObject(body, reading)
                ? new LlamaProps(reading.build, reading.slots, reading.ctx, reading.router)
                : null;
    }

    private static final class Reading implements FrameJson.Members {
        private @Nullable String build;
        private int slots;
        private int ctx;
        private boolean router;

        @Override
        public void member(String name, JsonToken value, FrameJson in) throws IOException {
            switch (name) {
                case "total_slots" -> slots = Math.max(0, in.integer(0));
                case "build_info" -> {
                    String said = EngineWords.presentable(in.text());
                    build = said.isEmpty() ? null : said;
                }
                case "role" -> router = in.text().equals("router");
                case "default_generation_settings" -> {
                    if (value == JsonToken.START_OBJECT) {
                        in.members((inner, token, object) -> {
                            if (inner.equals("n_ctx")) {
                                ctx = Math.max(0, object.integer(0));
                            }
                        });
                    }
                }
                default -> {}
            }
        }
    }
}
