package io.llamaorch.orchestratord.server.config;

import io.llamaorch.orchestratord.contracts.task.EngineKind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What no single key can tell: names that repeat, limits that contradict each other, a door left open. */
final class CrossChecks {
    private final Map<String, Origin> origins = new HashMap<>();
    private final List<Problem> problems;
    private final List<Problem> warnings;

    CrossChecks(List<EffectiveValue> effective, List<Problem> problems, List<Problem> warnings) {
        effective.forEach(value -> origins.put(value.path(), value.origin()));
        this.problems = problems;
        this.warnings = warnings;
    }

    /** Adds what is found. */
    void check(Config config) {
        distinct("auth.keys", "name", config.auth().keys(), Config.ApiKey::name);
        distinct("auth.keys", "sha256", config.auth().keys(), Config.ApiKey::sha256);
        distinct("pools", "id", config.pools(), Config.Pool::id);
        int replicas = 0;
        for (int i = 0; i < config.pools().size(); i++) {
            Config.Pool pool = config.pools().get(i);
            replicas += pool.replicas().size();
            distinct("pools." + i + ".replicas", "id", pool.replicas(), Config.Replica::id);
            if (pool.engine() == EngineKind.MOCK) {
                warn("pools." + i + ".engine", "the built-in engine answers with made-up text; use it for trials only");
            }
        }
        if (replicas > 1024) {
            problem("pools", replicas + " replicas in all exceed the most, 1024");
        }
        if (!config.listen().isLoopback() && config.auth().keys().isEmpty()) {
            problem(
                    "listen",
                    config.listen() + " can be reached from other machines and no key is configured: add auth.keys"
                            + " (name, and sha256 from: printf %s \"$KEY\" | sha256sum) or listen on 127.0.0.1");
        }
        if (config.auth().opsRequireKey() && config.auth().keys().isEmpty()) {
            problem("auth.ops_require_key", "is true and no key is configured: add auth.keys");
        }
        Config.Http http = config.http();
        if (http.headerLineBytes() > http.headerBytes()) {
            problem(
                    "http.header_line_bytes",
                    http.headerLineBytes() + " exceeds http.header_bytes, " + http.headerBytes());
        }
    }

    private <T> void distinct(String path, String key, List<T> items, Function<T, String> name) {
        Map<String, Integer> seen = new HashMap<>();
        for (int i = 0; i < items.size(); i++) {
            String value = name.apply(items.get(i));
            Integer first = value.isEmpty() ? null : seen.putIfAbsent(value, i);
            if (first != null) {
                String what = key.equals("sha256") ? "the same key" : Words.quote(value);
                problem(path + "." + i + "." + key, what + " is already at " + path + "." + first);
            }
        }
    }

    private void problem(String path, String message) {
        problems.add(new Problem(origins.getOrDefault(path, Origin.DEFAULT), path, message));
    }

    private void warn(String path, String message) {
        warnings.add(new Problem(origins.getOrDefault(path, Origin.DEFAULT), path, message));
    }
}
