package io.llamaorch.orchestratord.server.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The contract's files beside the OpenAPI documents: the metrics list, the log line, and the table of errors. */
class ContractFilesTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @Test
    void shouldKeepMetricsListToItsSchema() throws IOException {
        JsonNode lint = json("ci/metrics.lint.json");
        assertThat(problems("contracts/schemas/metrics.lint.schema.json", lint)).isEmpty();
        Set<String> names = new TreeSet<>();
        for (JsonNode metric : lint.path("metrics")) {
            assertThat(names.add(metric.path("name").asString()))
                    .as("%s", metric)
                    .isTrue();
            for (JsonNode label : metric.path("labels")) {
                assertThat(lint.path("label_budgets").has(label.asString()))
                        .as("%s has no budget", label)
                        .isTrue();
            }
            double last = Double.NEGATIVE_INFINITY;
            for (JsonNode bucket : metric.path("buckets")) {
                assertThat(bucket.asDouble()).isGreaterThan(last);
                last = bucket.asDouble();
            }
        }
        assertThat(names).contains("tasks_enqueued_total", "latency_first_token_ms", "open_streams");
    }

    @Test
    void shouldRefuseMetricThatBreaksItsSchema() throws IOException {
        String lint = json("ci/metrics.lint.json").toString();
        for (String[] edit : new String[][] {
            {"\"type\":\"counter\"", "\"type\":\"summary\""},
            {"\"name\":\"tasks_enqueued_total\"", "\"name\":\"tasks_enqueued\""},
            {"\"name\":\"queue_depth\"", "\"name\":\"queue_depth_total\""},
            {"\"required\":true", "\"needed\":true"},
        }) {
            assertThat(lint).contains(edit[0]);
            JsonNode bad = OpenApiDocuments.readJson(lint.replace(edit[0], edit[1]));
            assertThat(problems("contracts/schemas/metrics.lint.schema.json", bad))
                    .as(edit[1])
                    .isNotEmpty();
        }
    }

    @Test
    void shouldHoldLogLinesToTheirSchema() throws IOException {
        String schema = "contracts/schemas/log-line.schema.json";
        JsonNode example = json(schema).path("examples").get(0);
        assertThat(problems(schema, example)).isEmpty();
        for (String[] edit : new String[][] {
            {"\"level\":\"INFO\"", "\"level\":\"info\""},
            {"2026-01-01T00:00:00.412Z", "yesterday"},
            {"\"human\":\"An interactive task", "\"human\":\"Task 7c9e6679-7425-40de-944b-e07fc1f90ae7"},
            {"key:ops", "ops"},
            {"\"queue_time_ms\":410", "\"queue_time_ms\":-1"},
            {"\"kv_warmth\"", "\"prompt\""},
        }) {
            assertThat(example.toString()).contains(edit[0]);
            JsonNode bad = OpenApiDocuments.readJson(example.toString().replace(edit[0], edit[1]));
            assertThat(problems(schema, bad)).as(edit[1]).isNotEmpty();
        }
    }

    @Test
    void shouldDescribeEveryErrorCode() throws IOException {
        String table = Files.readString(ROOT.resolve("contracts/specs/errors.md"));
        for (ErrorCode code : ErrorCode.values()) {
            assertThat(table)
                    .contains("| `" + code + "` | " + code.status() + " | " + (code.retriable() ? "yes" : "no") + " |");
        }
    }

    @Test
    void shouldEndEverySpecWithRefinementOpportunities() throws IOException {
        try (var specs = Files.list(ROOT.resolve("contracts/specs"))) {
            List<Path> files = specs.toList();
            assertThat(files).hasSizeGreaterThanOrEqualTo(6);
            for (Path spec : files) {
                String text = Files.readString(spec);
                assertThat(text.substring(text.lastIndexOf("\n## "))).startsWith("\n## Refinement Opportunities\n- ");
            }
        }
    }

    private static JsonNode json(String path) throws IOException {
        return OpenApiDocuments.readJson(Files.readString(ROOT.resolve(path)));
    }

    private static List<String> problems(String schemaPath, JsonNode value) throws IOException {
        SchemaRegistry registry = SchemaRegistry.withDefaultDialect(
                SpecificationVersion.DRAFT_2020_12,
                builder -> builder.schemaRegistryConfig(SchemaRegistryConfig.builder()
                        .formatAssertionsEnabled(true)
                        .build()));
        List<String> problems = new ArrayList<>();
        for (Error error : registry.getSchema(json(schemaPath)).validate(value)) {
            problems.add(error.toString());
        }
        return problems;
    }
}
