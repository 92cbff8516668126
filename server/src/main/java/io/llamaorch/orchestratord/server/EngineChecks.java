package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.process.CommandTemplate;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.config.ConfigLoader;
import io.llamaorch.orchestratord.server.config.EffectiveValue;
import io.llamaorch.orchestratord.server.config.Origin;
import io.llamaorch.orchestratord.server.config.Problem;
import io.llamaorch.orchestratord.server.pool.Targets;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the engines' adapters have against a configuration: URLs and options that they can't work with. */
public final class EngineChecks {
    private EngineChecks() {}

    /** A loaded configuration with the adapters' findings among its errors. */
    public static ConfigLoader.Loaded checked(ConfigLoader.Loaded loaded) {
        Config config = loaded.config();
        if (config == null) {
            return loaded;
        }
        EngineAdapters adapters = new EngineAdapters(config, (target, warning) -> {});
        List<Problem> errors = new ArrayList<>();
        for (int p = 0; p < config.pools().size(); p++) {
            Config.Pool pool = config.pools().get(p);
            EngineAdapter adapter = adapters.of(pool.engine());
            String unstartable = startProblem(pool);
            if (unstartable != null) {
                String path = "pools." + p + ".command";
                errors.add(new Problem(origin(loaded, path, "pools." + p + ".engine"), path, unstartable));
            }
            for (int r = 0; r < pool.replicas().size(); r++) {
                String problem =
                        adapter.problemOf(Targets.of(pool, pool.replicas().get(r)));
                if (problem != null) {
                    String path = "pools." + p + ".replicas." + r + ".url";
                    errors.add(new Problem(origin(loaded, path, "pools." + p + ".engine"), path, problem));
                }
            }
        }
        return errors.isEmpty()
                ? loaded
                : new ConfigLoader.Loaded(null, List.copyOf(errors), loaded.warnings(), loaded.effective());
    }

    /** The same with what the engines themselves answered: one that is down is an error, one that loads a warning. */
    public static ConfigLoader.Loaded answered(ConfigLoader.Loaded loaded, List<EngineProbes.Probe> probes) {
        List<Problem> errors = new ArrayList<>(loaded.errors());
        List<Problem> warnings = new ArrayList<>(loaded.warnings());
        for (EngineProbes.Probe probe : probes) {
            ReplicaStatus.State state = probe.status().state();
            if (state != ReplicaStatus.State.READY) {
                String path = "pools." + probe.poolIndex() + ".replicas." + probe.replicaIndex() + ".url";
                Origin at = origin(loaded, path, "pools." + probe.poolIndex() + ".engine");
                boolean down = state == ReplicaStatus.State.DOWN;
                String what = down ? "the engine is not there" : "the engine is not ready";
                (down ? errors : warnings)
                        .add(new Problem(at, path, what + ": " + probe.status().lastError()));
            }
        }
        return new ConfigLoader.Loaded(
                errors.isEmpty() ? loaded.config() : null,
                List.copyOf(errors),
                List.copyOf(warnings),
                loaded.effective());
    }

    /** Why an engine of the pool could not be started on this host, as far as its files tell. */
    private static @Nullable String startProblem(Config.Pool pool) {
        Config.Provisioning process = pool.process();
        if (process == null) {
            return null;
        }
        for (Config.Replica replica : pool.replicas()) {
            String mask = replica.deviceMask();
            try {
                process.command()
                        .resolve(
                                new CommandTemplate.Values("", mask == null ? "" : mask, pool.ctx(), replica.slots()),
                                1);
            } catch (IOException e) {
                return e.getMessage();
            }
        }
        return null;
    }

    /** Where the URL stands; a replica whose engine the daemon starts has none: then its pool's engine. */
    private static Origin origin(ConfigLoader.Loaded loaded, String path, String otherwise) {
        Origin found = Origin.DEFAULT;
        for (EffectiveValue value : loaded.effective()) {
            if (value.path().equals(path)) {
                return value.origin();
            }
            if (value.path().equals(otherwise)) {
                found = value.origin();
            }
        }
        return found;
    }
}
