package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a replica's metrics are: at the option {@value #OPTION}, for engines that show them on a port of their own.
 *
 * @param target the replica under that URL; the engine's secrets are not for it
 * @param path below that
 */
public record MetricsEndpoint(EngineTarget target, String path) {
    /** Option with the whole URL of the metrics. */
    public static final String OPTION = "metrics_url";

    /** The endpoint that the target's option names; null without one. */
    public static @Nullable MetricsEndpoint of(EngineTarget target) {
        String url = target.options().get(OPTION);
        return url == null || malformed(url) != null ? null : at(target, URI.create(url));
    }

    /** Why the target's option is no URL of metrics that may be asked; null where it is one, or not given. */
    public static @Nullable String problemOf(EngineHttpClient client, EngineTarget target) {
        String url = target.options().get(OPTION);
        if (url == null) {
            return null;
        }
        String problem = malformed(url);
        if (problem == null) {
            problem = client.problemOf(at(target, URI.create(url)).target());
        }
        return problem == null ? null : OPTION + ": " + problem;
    }

    /** Whether an option's value is such a URL. */
    public static boolean isUrl(String text) {
        return malformed(text) == null;
    }

    private static @Nullable String malformed(String url) {
        try {
            URI parsed = new URI(url);
            boolean http = "http".equalsIgnoreCase(parsed.getScheme()) || "https".equalsIgnoreCase(parsed.getScheme());
            return http && parsed.getHost() != null ? null : "not an http or https URL with a host";
        } catch (URISyntaxException e) {
            return "not a URL";
        }
    }

    private static MetricsEndpoint at(EngineTarget target, URI url) {
        String path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/metrics" : url.getRawPath();
        String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
        EngineTarget there = new EngineTarget(
                target.poolId(),
                target.replicaId(),
                URI.create(url.getScheme() + "://" + url.getRawAuthority()),
                "",
                null,
                target.tls(),
                target.timeouts(),
                Map.of());
        return new MetricsEndpoint(there, path + query);
    }
}
