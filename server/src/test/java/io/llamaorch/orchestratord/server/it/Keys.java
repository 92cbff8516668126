package io.llamaorch.orchestratord.server.it;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A daemon with keys: {@code ops} may do all, {@code ann} and {@code bob} have their own tasks. */
final class Keys {
    static final String OPS = "ops-KEYMARKER-3f9c";
    static final String ANN = "ann-KEYMARKER-77aa";
    static final String BOB = "bob-KEYMARKER-10de";

    private Keys() {}

    /** Starts one with a mock pool. */
    static DaemonHarness daemon(String speed, int slots, String... sets) {
        return DaemonHarness.start(yaml(0, speed, slots), loop -> loop, sets);
    }

    static String yaml(int port, String speed, int slots) {
        return """
                listen: 127.0.0.1:%d
                auth:
                  keys:
                    - {name: ops, sha256: "%s", scopes: [data, control]}
                    - {name: ann, sha256: "%s", scopes: [data]}
                    - {name: bob, sha256: "%s", scopes: [data]}
                pools:
                  - id: default
                    engine: mock
                    model: %s
                    ctx: 200000
                    replicas: [{id: r0, url: "mock:?%s", slots: %d}]
                """
                .formatted(port, sha256(OPS), sha256(ANN), sha256(BOB), DaemonHarness.MODEL, speed, slots);
    }

    static String sha256(String key) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
