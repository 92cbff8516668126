package io.llamaorch.orchestratord.adapters.llamacpp;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * How one model of a router is, from {@code GET /models}.
 *
 * @param value {@code unloaded}, {@code loading}, {@code loaded}, {@code sleeping}, {@code downloading} or
 *     {@code downloaded}; empty where not said
 * @param failed whether its last start failed
 * @param exitCode of its process then, −1 where not said
 */
record LlamaModel(String value, boolean failed, int exitCode) {

    /** Whether requests find it: a sleeping one wakes with the next. */
    boolean isUsable() {
        return value.equals("loaded") || value.equals("sleeping");
    }

    /** Whether it is on its way there. */
    boolean isComing() {
        return value.equals("loading") || value.equals("downloading");
    }

    /** In a few words. */
    String words() {
        String state = value.isEmpty() ? "in an unknown state" : EngineWords.presentable(value);
        return failed ? "failed to load" + (exitCode < 0 ? "" : ", exit code " + exitCode) : state;
    }

    /** The model of that name in the body; null where there is none. */
    static @Nullable LlamaModel find(byte[] body, String model) {
        Reading reading = new Reading(model);
        boolean good = FrameJson.readObject(body, (name, value, in) -> {
            if (name.equals("data") && value == JsonToken.START_ARRAY) {
                in.elements(reading::element);
            }
        });
        return good ? reading.found : null;
    }

    private static final class Reading {
        private final String wanted;
        private @Nullable LlamaModel found;

        Reading(String wanted) {
            this.wanted = wanted;
        }

        void element(JsonToken first, FrameJson elements) throws IOException {
            if (first != JsonToken.START_OBJECT) {
                return;
            }
            String[] id = {""};
            String[] state = {""};
            boolean[] failed = {false};
            int[] exitCode = {-1};
            elements.members((name, value, in) -> {
                if (name.equals("id") || (name.equals("model") && id[0].isEmpty())) {
                    id[0] = in.text();
                } else if (name.equals("status") && value == JsonToken.START_OBJECT) {
                    in.members((inner, token, status) -> {
                        switch (inner) {
                            case "value" -> state[0] = status.text();
                            case "failed" -> failed[0] = token == JsonToken.VALUE_TRUE;
                            case "exit_code" -> exitCode[0] = status.integer(-1);
                            default -> {}
                        }
                    });
                }
            });
            if (id[0].equals(wanted)) {
                found = new LlamaModel(state[0], failed[0], exitCode[0]);
            }
        }
    }
}
