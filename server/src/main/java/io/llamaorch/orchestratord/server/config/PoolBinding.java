package io.llamaorch.orchestratord.server.config;

import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.scheduler.core.PoolSpec.FullPolicy;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The keys of one pool: type, range, default and meaning of each. See {@link ConfigBinding}. */
final class PoolBinding {
    private PoolBinding() {}

    /** One entry of {@code pools}. */
    static Config.Pool pool(Section s) {
        String id = ConfigBinding.name(s, "id", "name of the pool");
        EngineKind engine = s.choice(
                "engine",
                Arrays.asList(EngineKind.values()),
                EngineKind::wireName,
                null,
                "wire that its engines speak");
        EngineKind known = s.sound("engine") ? engine : null;
        Config.Provisioning process = ProcessBinding.process(s);
        boolean external = process == null;
        return new Config.Pool(
                id,
                engine,
                s.requiredText("model", "model reference that it serves, such as hf:org/repo/file.gguf"),
                s.text("engine_model", null, "the name by which its engines know the model; else made from model"),
                s.integer("ctx", 1, 16 * ConfigBinding.MIB, Section.REQUIRED, "context of one slot, tokens"),
                s.section("queue", PoolBinding::queue, "bounds of its queues"),
                s.flag("allow_pinning", true, "requests may pin this pool"),
                s.integer(
                        "retries",
                        0,
                        16,
                        1,
                        "times that a task which failed before its first token is tried on another replica"),
                s.text("sampler_profile_version", null, "version set of its sampler, that requests may ask for"),
                s.list("replicas", 1, 64, r -> replica(r, known, external), "its engines"),
                s.section("timeouts", PoolBinding::timeouts, "limits on an engine's silence"),
                s.section("health", PoolBinding::health, "how its replicas are watched"),
                access(s),
                s.section("price", UsageBinding::price, "what its tokens cost, in a unit of the operator's"),
                s.textMap("options", 32, "what only this kind of engine knows"),
                s.flag(
                        "preload",
                        s.reading() && !external,
                        "a replica decodes one token before it is called ready; true where the daemon starts it"),
                s.section("reload", PoolBinding::reload, "how it gets another model"),
                process);
    }

    private static Config.Health health(Section s) {
        return new Config.Health(
                s.integer(
                        "period_ms",
                        10,
                        ConfigBinding.HOUR_MS,
                        2_000,
                        "between two probes of a replica that is well, ms"),
                s.integer("misses", 1, 100, 2, "probes in a row without a good answer after which it is down"),
                s.section("breaker", PoolBinding::breaker, "when tasks that fail there keep others away"));
    }

    private static Config.Breaker breaker(Section s) {
        return new Config.Breaker(
                s.integer("failures", 1, 1_000, 5, "failed tasks in a row that open it"),
                s.number("wait_ms", 1, ConfigBinding.HOUR_MS, 1_000, "until one task is tried again, ms; it doubles"),
                s.number("longest_wait_ms", 1, ConfigBinding.DAY_MS, 60_000, "longest such wait, ms"));
    }

    private static Config.Reload reload(Section s) {
        return new Config.Reload(
                s.choice(
                        "mode",
                        Arrays.asList(Config.ReloadMode.values()),
                        ConfigBinding::lower,
                        Config.ReloadMode.STOP_START,
                        "engines that the daemon starts: replaced, or doubled while the new model loads"),
                s.integer("deadline_ms", 1, ConfigBinding.DAY_MS, 300_000, "how long a reload may take, ms"),
                s.integer(
                        "drain_ms",
                        0,
                        ConfigBinding.DAY_MS,
                        30_000,
                        "how long tasks may go on with the old model, ms"));
    }

    private static Config.EngineAccess access(Section s) {
        return new Config.EngineAccess(
                s.section("engine_auth", EngineAccessBinding::auth, "the key that its engines ask for"),
                EngineAccessBinding.tls(s));
    }

    private static Config.Queue queue(Section s) {
        return new Config.Queue(
                s.integer("capacity", 1, 1_000_000, 1024, "most tasks queued, per priority"),
                s.choice(
                        "full_policy",
                        Arrays.asList(FullPolicy.values()),
                        policy -> ConfigBinding.lower(policy).replace('_', '-'),
                        FullPolicy.REJECT,
                        "what happens to the task that finds its queue full"),
                s.integer("batch_guard", 1, 1_000_000, 16, "interactive starts after which one batch task goes first"));
    }

    /** @param engine what its pool's engines speak; null where that is not known, and no URL can be held against it */
    private static Config.Replica replica(Section s, @Nullable EngineKind engine, boolean external) {
        return new Config.Replica(
                ConfigBinding.name(s, "id", "name of the replica within its pool"),
                external ? url(s, engine) : noUrl(s),
                s.integer("slots", 1, 65_536, 1, "decodes at once; lowered where a probe finds fewer"),
                s.text("device_mask", null, "devices it runs on, such as \"0,1\""));
    }

    /** An engine that the daemon starts has its URL from the daemon. */
    private static URI noUrl(Section s) {
        String given = s.text("url", null, "base URL, http://host:port; mock: for the built-in engine");
        if (given != null) {
            s.problem("url", "must be left out: the daemon starts this engine, and knows where it is");
        }
        return URI.create("http://127.0.0.1");
    }

    private static URI url(Section s, @Nullable EngineKind engine) {
        String text = s.requiredText("url", "base URL, http://host:port; mock: for the built-in engine");
        URI none = URI.create("mock:///");
        if (text.isEmpty() || !s.reading()) {
            return none;
        }
        try {
            URI url = text.equals("mock:") ? none : new URI(text);
            String problem = engine == null ? null : urlProblem(url, engine);
            if (problem != null) {
                s.problem("url", problem);
                return none;
            }
            return url;
        } catch (URISyntaxException e) {
            s.problem("url", "not a URL: " + Words.quote(text));
            return none;
        }
    }

    private static @Nullable String urlProblem(URI url, EngineKind engine) {
        String wanted = engine == EngineKind.MOCK ? "mock" : "http";
        boolean tls = engine != EngineKind.MOCK && "https".equals(url.getScheme());
        if (!tls && !wanted.equals(url.getScheme())) {
            return "engine " + engine.wireName() + " needs a URL of scheme " + wanted
                    + (engine == EngineKind.MOCK ? "" : " or https") + ": such as "
                    + (engine == EngineKind.MOCK ? "mock:" : "http://127.0.0.1:9901");
        }
        if (engine == EngineKind.MOCK) {
            return null;
        }
        if (url.getHost() == null || url.getPort() == 0 || url.getPort() > 65_535) {
            return "must name a host and a port from 1 to 65535, such as http://127.0.0.1:9901";
        }
        if (url.getRawUserInfo() != null || url.getRawQuery() != null || url.getRawFragment() != null) {
            return "must be a base URL: no user, query or fragment";
        }
        return null;
    }

    private static Config.Timeouts timeouts(Section s) {
        return new Config.Timeouts(
                s.integer("connect_ms", 1, ConfigBinding.HOUR_MS, 2_000, "limit on connecting, ms"),
                s.integer(
                        "first_byte_ms",
                        1,
                        ConfigBinding.DAY_MS,
                        300_000,
                        "request to first byte of the answer, prefill included, ms"),
                s.integer("idle_ms", 1, ConfigBinding.DAY_MS, 60_000, "between two reads after that, ms"),
                s.integer(
                        "probe_ms", 1, ConfigBinding.HOUR_MS, EngineTimeouts.PROBE_DEFAULT_MS, "on a whole probe, ms"));
    }
}
