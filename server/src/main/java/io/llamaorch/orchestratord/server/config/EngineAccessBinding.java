package io.llamaorch.orchestratord.server.config;

import io.llamaorch.orchestratord.adapters.EngineAuth;
import io.llamaorch.orchestratord.adapters.EngineTls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Keys that engines ask for, and authorities to trust there. A key itself never stands in the configuration. */
final class EngineAccessBinding {
    private static final String AUTHORIZATION = "Authorization";

    private EngineAccessBinding() {}

    /** Section {@code engine_auth}. */
    static @Nullable EngineAuth auth(Section s) {
        String header =
                s.text("header", AUTHORIZATION, "name of the header; under Authorization the key is sent as Bearer");
        String variable = s.text("env", null, "environment variable that holds the key");
        String file = s.text("file", null, "file that holds the key");
        if (!s.reading() || header == null || (variable == null && file == null)) {
            return null;
        }
        if (variable != null && file != null) {
            s.problem("file", "is given beside env; give one of them");
            return null;
        }
        String key = variable != null ? ofEnvironment(s, variable) : ofFile(s, String.valueOf(file));
        if (key == null) {
            return null;
        }
        try {
            return header.equalsIgnoreCase(AUTHORIZATION) ? EngineAuth.bearer(key) : new EngineAuth(header, key);
        } catch (IllegalArgumentException e) {
            s.problem("header", String.valueOf(e.getMessage()));
            return null;
        }
    }

    private static @Nullable String ofEnvironment(Section s, String variable) {
        String key = System.getenv(variable);
        if (key == null || key.isBlank()) {
            s.problem("env", "environment variable " + Words.quote(variable) + " is not set");
            return null;
        }
        return key.strip();
    }

    private static @Nullable String ofFile(Section s, String file) {
        try {
            String key = Files.readString(ConfigBinding.resolve(Path.of(file), s.origin("file")))
                    .strip();
            if (key.isEmpty()) {
                s.problem("file", "holds no key");
                return null;
            }
            return key;
        } catch (IOException | RuntimeException e) {
            s.problem("file", "cannot be read: " + e.getClass().getSimpleName());
            return null;
        }
    }

    /** Key {@code tls_ca_file} of a pool. */
    static @Nullable EngineTls tls(Section s) {
        String file = s.text("tls_ca_file", null, "certificates to trust behind https URLs; else the system's");
        if (file == null || !s.reading()) {
            return null;
        }
        try {
            return EngineTls.ofCaFile(ConfigBinding.resolve(Path.of(file), s.origin("tls_ca_file")));
        } catch (IOException | RuntimeException e) {
            s.problem("tls_ca_file", "cannot be used: " + e.getMessage());
            return null;
        }
    }
}
