package io.llamaorch.orchestratord.adapters.openai;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The model that a target asks for, as {@code GET /v1/models} lists it.
 *
 * @param listed whether any model is listed
 * @param found whether the one asked for is; the first one where none is asked for
 * @param ctx its {@code max_model_len}, tokens, 0 where not said
 */
public record OpenAiModels(boolean listed, boolean found, int ctx) {

    /**
     * Reads the body; null where it is not such a list.
     *
     * @param wanted the model asked for, empty for any; one that is listed with {@code :latest} is meant too
     */
    public static @Nullable OpenAiModels read(byte[] body, String wanted) {
        Reading reading = new Reading(wanted);
        boolean good = FrameJson.readObject(body, (name, value, in) -> {
            if (name.equals("data") && value == JsonToken.START_ARRAY) {
                reading.isList = true;
                in.elements(reading::element);
            }
        });
        return good && reading.isList ? new OpenAiModels(reading.listed, reading.found, reading.ctx) : null;
    }

    /** What is told of a replica whose list, perhaps none, does not hold the model. */
    public static ReplicaStatus problem(EngineTarget target, int status, byte[] body, @Nullable OpenAiModels models) {
        if (status != 200) {
            String said = EngineFault.told("/v1/models answered " + status, body);
            return status == 503 ? ReplicaStatus.loading(said) : ReplicaStatus.down(said);
        }
        if (models == null) {
            return ReplicaStatus.down("/v1/models answered with no list of models");
        }
        return ReplicaStatus.loading(
                models.listed()
                        ? "/v1/models does not list model " + EngineWords.presentable(target.model())
                        : "/v1/models lists no model");
    }

    private static final class Reading {
        private final String wanted;
        private boolean isList;
        private boolean listed;
        private boolean found;
        private int ctx;
        private String id = "";
        private int length;

        Reading(String wanted) {
            this.wanted = wanted;
        }

        void element(JsonToken first, FrameJson in) throws IOException {
            if (first != JsonToken.START_OBJECT) {
                return;
            }
            id = "";
            length = 0;
            in.members((name, value, model) -> {
                if (name.equals("id")) {
                    id = model.text();
                } else if (name.equals("max_model_len")) {
                    length = Math.max(0, model.integer(0));
                }
            });
            listed = true;
            if (!found && (wanted.isEmpty() || id.equals(wanted) || id.equals(wanted + ":latest"))) {
                found = true;
                ctx = length;
            }
        }
    }
}
