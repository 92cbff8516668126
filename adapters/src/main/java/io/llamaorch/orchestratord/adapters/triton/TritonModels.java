package io.llamaorch.orchestratord.adapters.triton;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What probes learned of models, and which were warned of: a few bytes for each replica of the configuration. Any thread;
 * a decode sees what the probe before it found.
 */
final class TritonModels {
    /** More than any host's replicas: a bound, not a size. */
    private static final int ENTRIES_MAX = 4096;

    private final Map<String, TritonModel> models = new ConcurrentHashMap<>();
    private final Set<String> warned = ConcurrentHashMap.newKeySet();

    /** How the target's model wants to be asked. */
    TritonModel of(EngineTarget target) {
        return models.getOrDefault(key(target), TritonModel.UNKNOWN);
    }

    void learned(EngineTarget target, TritonModel model) {
        String key = key(target);
        if (models.size() < ENTRIES_MAX || models.containsKey(key)) {
            models.put(key, model);
        }
    }

    /** Whether this is the first warning of the target. */
    boolean isFirstWarning(EngineTarget target) {
        return warned.size() < ENTRIES_MAX && warned.add(key(target));
    }

    private static String key(EngineTarget target) {
        return target.url() + " " + target.model();
    }
}
