package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.llamacpp.LlamaCppAdapter;
import io.llamaorch.orchestratord.adapters.mock.MockAdapter;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.server.config.Config;
import java.util.EnumMap;
import java.util.Map;

/** The adapters of all engines, one object each, on one client that goes nowhere but where the configuration allows. */
final class EngineAdapters {
    private final Map<EngineKind, EngineAdapter> all = new EnumMap<>(EngineKind.class);

    EngineAdapters(Config config) {
        OutboundPolicy policy = OutboundPolicy.exactly(config.pools().stream()
                .flatMap(pool -> pool.replicas().stream())
                .map(Config.Replica::url)
                .toList());
        EngineHttpClient client = new EngineHttpClient(policy);
        all.put(EngineKind.LLAMACPP, new LlamaCppAdapter(client));
        all.put(EngineKind.MOCK, new MockAdapter());
    }

    /** The one that speaks an engine's wire. */
    EngineAdapter of(EngineKind engine) {
        EngineAdapter adapter = all.get(engine);
        if (adapter == null) {
            throw new IllegalArgumentException("no adapter for engine " + engine.wireName());
        }
        return adapter;
    }
}
