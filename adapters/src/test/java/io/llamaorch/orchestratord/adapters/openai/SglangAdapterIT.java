package io.llamaorch.orchestratord.adapters.openai;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;

class SglangAdapterIT extends OpenAiConformance {
    SglangAdapterIT() {
        super("sglang");
    }

    @Override
    protected EngineAdapter newAdapter() {
        return new OpenAiAdapter(CLIENT);
    }

    @Override
    protected ReplicaStatus ready() {
        return ReplicaStatus.ready(null, 0, 4096, new EngineLoad(0, 0, 0.5));
    }

    @Override
    protected ReplicaStatus.State whileLoading() {
        return ReplicaStatus.State.LOADING;
    }
}
