package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.server.auth.ApiKeys;
import io.llamaorch.orchestratord.server.auth.Identity;
import io.llamaorch.orchestratord.server.auth.Scope;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.http.HttpLimits;

/** The configuration's words as the HTTP front's. */
final class HttpSettings {
    private HttpSettings() {}

    static HttpLimits limits(Config.Http http) {
        HttpLimits defaults = HttpLimits.DEFAULT;
        return new HttpLimits(
                http.requestLineBytes(),
                http.headerLineBytes(),
                http.headerBytes(),
                http.headerCount(),
                http.bodyBytes(),
                defaults.discardBytesMax(),
                http.pipelinedBytes(),
                defaults.lingerBytesMax(),
                http.idleMs(),
                http.headTimeoutMs(),
                http.bodyTimeoutMs(),
                defaults.lingerMs(),
                http.connections(),
                defaults.requestsPerConnectionMax());
    }

    static ApiKeys keys(Config.Auth auth) {
        return new ApiKeys(
                auth.keys().stream()
                        .map(key -> new ApiKeys.Key(key.name(), key.sha256(), scopes(key)))
                        .toList(),
                auth.loopbackBypass());
    }

    /** A key that may operate the daemon may do everything; every key may read metrics. */
    private static int scopes(Config.ApiKey key) {
        int scopes = Scope.METRICS.bit();
        for (Config.Scope scope : key.scopes()) {
            scopes |= scope == Config.Scope.CONTROL ? Identity.ALL_SCOPES : Scope.DATA.bit();
        }
        return scopes;
    }
}
