package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What all adapters ask of a target. */
public final class TargetCheck {
    private TargetCheck() {}

    /**
     * Why {@code target} can't be used: its URL, the outbound policy, or an option that is not known; null where it can.
     *
     * @param options those that this engine knows
     */
    public static @Nullable String of(EngineHttpClient client, EngineTarget target, Set<String> options) {
        String problem = client.problemOf(target);
        if (problem != null) {
            return problem;
        }
        for (String name : new TreeSet<>(target.options().keySet())) {
            if (!options.contains(name)) {
                return "option '" + EngineWords.presentable(name) + "' is not known to this engine"
                        + (options.isEmpty() ? ", which has none" : "; it knows " + new TreeSet<>(options));
            }
        }
        return null;
    }
}
