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
import io.llamaorch.orchestratord.adapters.wire.MetricsEndpoint;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.server.config.Config;
import java.net.URI;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** The adapters of all engines, one object each, on one client that goes nowhere but where the configuration allows. */
final class EngineAdapters {
    private final Map<EngineKind, EngineAdapter> all = new EnumMap<>(EngineKind.class);

    /** @param warnings told of a configuration that looks wrong, on an event loop */
    EngineAdapters(Config config, BiConsumer<EngineTarget, String> warnings) {
        EngineHttpClient client = new EngineHttpClient(policy(config));
        for (EngineKind engine : EngineKind.values()) {
            all.put(engine, make(engine, client, warnings));
        }
    }

    /** What is listed, and the engines that the daemon starts itself; with no list what the pools name. */
    private static OutboundPolicy policy(Config config) {
        Config.Outbound outbound = config.outbound();
        if (outbound.allow().isEmpty()) {
            return OutboundPolicy.exactly(named(config));
        }
        List<String> allow = new ArrayList<>(outbound.allow());
        for (Config.Pool pool : config.pools()) {
            if (pool.process() != null) {
                pool.replicas().forEach(replica -> allow.add(replica.url().getHost()));
            }
        }
        return OutboundPolicy.of(outbound.schemes(), allow);
    }

    private static List<URI> named(Config config) {
        List<URI> urls = new ArrayList<>();
        for (Config.Pool pool : config.pools()) {
            pool.replicas().forEach(replica -> urls.add(replica.url()));
            String metrics = pool.options().get(MetricsEndpoint.OPTION);
            if (metrics != null && MetricsEndpoint.isUrl(metrics)) {
                urls.add(URI.create(metrics));
            }
        }
        return urls;
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
