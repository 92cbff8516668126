package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.llamacpp.LlamaCppAdapter;
import io.llamaorch.orchestratord.adapters.mock.MockAdapter;
import io.llamaorch.orchestratord.adapters.openai.OpenAiAdapter;
import io.llamaorch.orchestratord.adapters.tgi.TgiAdapter;
import io.llamaorch.orchestratord.adapters.triton.TritonAdapter;
import io.llamaorch.orchestratord.adapters.vllm.VllmAdapter;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.server.config.Config;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.BiConsumer;

/** The adapters of all engines, one object each, on one client that goes nowhere but where the configuration allows. */
final class EngineAdapters {
    private final Map<EngineKind, EngineAdapter> all = new EnumMap<>(EngineKind.class);

    /** @param warnings told of a configuration that looks wrong, on an event loop */
    EngineAdapters(Config config, BiConsumer<EngineTarget, String> warnings) {
        OutboundPolicy policy = OutboundPolicy.exactly(config.pools().stream()
                .flatMap(pool -> pool.replicas().stream())
                .map(Config.Replica::url)
                .toList());
        EngineHttpClient client = new EngineHttpClient(policy);
        for (EngineKind engine : EngineKind.values()) {
            all.put(engine, make(engine, client, warnings));
        }
    }

    private static EngineAdapter make(
            EngineKind engine, EngineHttpClient client, BiConsumer<EngineTarget, String> warnings) {
        return switch (engine) {
            case LLAMACPP -> new LlamaCppAdapter(client);
            case VLLM -> new VllmAdapter(client);
            case TGI -> new TgiAdapter(client);
            case TRITON -> new TritonAdapter(client, warnings);
            case OPENAI -> new OpenAiAdapter(client);
            case MOCK -> new MockAdapter();
        };
    }

    /** The one that speaks an engine's wire. */
    EngineAdapter of(EngineKind engine) {
        EngineAdapter adapter = all.get(engine);
        if (adapter == null) {
            throw new IllegalStateException("no adapter for engine " + engine.wireName());
        }
        return adapter;
    }
}
