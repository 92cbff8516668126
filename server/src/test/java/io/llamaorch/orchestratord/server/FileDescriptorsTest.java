package io.llamaorch.orchestratord.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.config.ConfigLoader;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FileDescriptorsTest {
    private static Config config(String engine, String url) {
        String yaml =
                """
                http: {connections: 1000}
                pools:
                  - id: default
                    engine: %s
                    model: hf:test/model.gguf
                    ctx: 4096
                    replicas:
                      - {id: r0, url: "%s", slots: 8}
                      - {id: r1, url: "%s", slots: 4}
                """
                        .formatted(engine, url, url.replace("9901", "9902"));
        return ConfigLoader.parse(yaml, "test.yaml", Map.of(), List.of()).orThrow();
    }

    @Test
    void shouldCountConnectionsOfClientsAndEnginesAndWhatIsOpenAlready() {
        Config llama = config("llamacpp", "http://127.0.0.1:9901");
        int needed = 1000 + 256 + 14 + 77;
        assertThat(FileDescriptors.shortage(llama, needed, 77)).isNull();
        assertThat(FileDescriptors.shortage(llama, needed - 1, 77))
                .contains("is 1346", "need 1347", "1000 client", "14 to engines", "77 of the process", "ulimit -n")
                .hasSizeLessThan(500);
        assertThat(FileDescriptors.shortage(llama, -1, 77)).isNull();
        assertThat(FileDescriptors.shortage(config("mock", "mock:"), needed - 14, 77))
                .isNull();
    }
}
