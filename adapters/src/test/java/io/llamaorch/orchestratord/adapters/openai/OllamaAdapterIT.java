package io.llamaorch.orchestratord.adapters.openai;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.HashMap;
import java.util.Map;

class OllamaAdapterIT extends OpenAiConformance {
    OllamaAdapterIT() {
        super("ollama");
    }

    @Override
    protected EngineAdapter newAdapter() {
        return new OpenAiAdapter(CLIENT);
    }

    @Override
    protected ReplicaStatus ready() {
        return ReplicaStatus.ready(null, 0, 4096, EngineLoad.UNKNOWN);
    }

    @Override
    protected ReplicaStatus.State whileLoading() {
        return ReplicaStatus.State.LOADING;
    }

    /** A mid-stream error comes as an empty chunk, and then the stream ends. */
    @Override
    protected Map<String, ErrorCode> streamFaults() {
        Map<String, ErrorCode> faults = new HashMap<>(super.streamFaults());
        faults.put("inband_error", ErrorCode.WORKER_RESET);
        return faults;
    }
}
