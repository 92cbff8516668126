package io.llamaorch.orchestratord.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfigSchemaTest {
    private static final Path FILE = Path.of("..", "contracts", "schemas", "config.schema.json");

    /** {@code -Dtest.jvm.extra=-Dorchestratord.write=true} writes the file anew. */
    @Test
    void shouldAgreeWithTheSchemaWhenKeysChange() throws IOException {
        if (Boolean.getBoolean("orchestratord.write")) {
            Files.createDirectories(FILE.getParent());
            Files.writeString(FILE, SchemaSection.jsonSchema());
        }
        assertThat(Files.readString(FILE))
                .as("mvn -pl server -am test -Dtest=ConfigSchemaTest -Dtest.jvm.extra=-Dorchestratord.write=true")
                .isEqualTo(SchemaSection.jsonSchema());
    }

    @Test
    void shouldGiveEachKeyItsOwnVariable() {
        List<String> paths = SchemaSection.scalarPaths();
        assertThat(paths).contains("listen", "pools.*.replicas.*.url", "streams.disconnect_grace_ms.batch");
        assertThat(paths.stream().map(Overlay::variable)).doesNotHaveDuplicates();
        assertThat(paths.stream().map(Overlay::variable))
                .doesNotContain("JAVA_HOME", "JAVA_OPTS", "GC", "HEAP", "CONFIG");
    }
}
