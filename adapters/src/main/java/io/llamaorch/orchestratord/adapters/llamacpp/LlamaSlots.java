package io.llamaorch.orchestratord.adapters.llamacpp;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;

/** What {@code GET /slots} says of the load: slots at work, and how much of their contexts they hold. */
final class LlamaSlots {
    private int slots;
    private int busy;
    private long held;
    private long room;
    private boolean heldSaid;

    private LlamaSlots() {}

    /** Reads the body; nothing is known where it is not what llama-server answers. */
    static EngineLoad read(byte[] body) {
        LlamaSlots all = new LlamaSlots();
        boolean good = FrameJson.readArray(body, (value, in) -> {
            if (value == JsonToken.START_OBJECT) {
                all.slots++;
                in.members(all::member);
            }
        });
        if (!good || all.slots == 0) {
            return EngineLoad.UNKNOWN;
        }
        // A slot that was never used says nothing of tokens: then none are held.
        boolean known = all.room > 0 && (all.heldSaid || all.busy == 0);
        return new EngineLoad(all.busy, -1, known ? (double) all.held / all.room : Double.NaN);
    }

    private void member(String name, JsonToken value, FrameJson in) throws IOException {
        switch (name) {
            case "is_processing" -> busy += value == JsonToken.VALUE_TRUE ? 1 : 0;
            case "n_ctx" -> room += Math.max(0, in.integer(0));
            case "n_prompt_tokens" -> {
                held += Math.max(0, in.integer(0));
                heldSaid = true;
            }
            default -> {}
        }
    }
}
