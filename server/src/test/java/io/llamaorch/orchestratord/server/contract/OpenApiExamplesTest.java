package io.llamaorch.orchestratord.server.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.artifact.ArtifactKind;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.KvHint;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.llamaorch.orchestratord.server.contract.OpenApiDocuments.Located;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;

/** The documents themselves: each example is valid, each part has one, and the words are those of the Java enums. */
class OpenApiExamplesTest {

    private final OpenApiDocuments documents = OpenApiDocuments.load();

    @Test
    void shouldHoldValidExampleForEveryParameterAndHeader() {
        List<String> problems = new ArrayList<>();
        for (String kind : List.of("parameters", "headers")) {
            int count = eachComponent(kind, component -> {
                JsonNode example = component.node().get("example");
                if (example == null) {
                    problems.add(component.pointer() + " has no example");
                } else {
                    validate(child(component, "schema"), example, problems);
                }
            });
            assertThat(count).isGreaterThan(4);
        }
        assertThat(problems).isEmpty();
    }

    @Test
    void shouldHoldValidExampleForEveryResponseBody() {
        List<String> problems = new ArrayList<>();
        int count = eachComponent("responses", response -> {
            Located content = documents.child(response, "content");
            if (content != null) {
                for (String media : content.node().propertyNames()) {
                    validateExamples(child(content, media), problems);
                }
            }
        });
        assertThat(count).isGreaterThan(20);
        assertThat(problems).isEmpty();
    }

    @Test
    void shouldHoldValidExampleForEveryRequestBody() {
        List<String> problems = new ArrayList<>();
        for (String path : List.of("/v1/tasks", "/v1/artifacts")) {
            Located post = child(child(child(documents.root("data"), "paths"), path), "post");
            Located content = child(child(post, "requestBody"), "content");
            for (String media : content.node().propertyNames()) {
                validateExamples(child(content, media), problems);
            }
        }
        assertThat(problems).isEmpty();
    }

    @Test
    void shouldHoldValidExamplesInSchemas() {
        List<String> problems = new ArrayList<>();
        int[] examples = {0};
        eachComponent("schemas", schema -> schema.node().path("examples").forEach(example -> {
            examples[0]++;
            validate(schema, example, problems);
        }));
        assertThat(examples[0]).isGreaterThanOrEqualTo(5);
        assertThat(problems).isEmpty();
    }

    @Test
    void shouldRefuseInvalidTaskRequests() {
        Located schema = child(child(child(documents.root("data"), "components"), "schemas"), "TaskRequest");
        Located post = child(child(child(documents.root("data"), "paths"), "/v1/tasks"), "post");
        Located content = child(child(post, "requestBody"), "content");
        String good = child(child(child(content, "application/json"), "examples"), "completion")
                .node()
                .path("value")
                .toString();
        assertThat(documents.validate(schema, OpenApiDocuments.readJson(good))).isEmpty();
        String[][] edits = {
            {"\"max_tokens\":256", "\"max_tokens\":0"},
            {"\"max_tokens\":256", "\"max_tokens\":1.5"},
            {"\"max_tokens\":256", "\"max_tokens\":\"256\""},
            {"\"max_tokens\":256", "\"max_tokens\":2147483648"},
            {"\"deadline_ms\":30000", "\"deadline_ms\":0"},
            {"\"ctx\":4096", "\"ctx\":-1"},
            {"\"interactive\"", "\"urgent\""},
            {"\"llamacpp\"", "\"ollama\""},
            {"\"seed\":42", "\"seed\":-1"},
            {"\"seed\":42", "\"sed\":42"},
            {"\"temperature\":0.7", "\"temperature\":2.1"},
            {"\"temperature\":0.7", "\"temprature\":0.7"},
            {"\"prompt\":\"Name three rivers.\"", "\"inputs\":[\"a\"]"},
            {"\"prompt\":\"Name three rivers.\"", "\"prompt\":null"},
            {"\"completion\"", "\"rerank\""},
            {"7c9e6679-7425", "7c9e66797425"},
            {"\"seed\":42", "\"placement\":{\"mode\":\"pin\"}"},
            {"\"seed\":42", "\"placement\":{\"pin_pool_id\":\"default\"}"},
            {"hf:org/repo/file.gguf", "hf:org repo"},
        };
        for (String[] edit : edits) {
            assertThat(good).contains(edit[0]);
            JsonNode bad = OpenApiDocuments.readJson(good.replace(edit[0], edit[1]));
            assertThat(documents.validate(schema, bad)).as(edit[1]).isNotEmpty();
        }
    }

    @Test
    void shouldPutCorrelationIdOnEveryResponseAndRetryHintOnEveryError() {
        List<String> problems = new ArrayList<>();
        eachOperation((name, operation) -> {
            Located responses = child(operation, "responses");
            for (String status : responses.node().propertyNames()) {
                Located headers = child(child(responses, status), "headers");
                if (!headers.node().has("X-Correlation-Id")) {
                    problems.add(name + " " + status + " lacks X-Correlation-Id");
                }
                if (Integer.parseInt(status) >= 400 && !headers.node().has("x-should-retry")) {
                    problems.add(name + " " + status + " lacks x-should-retry");
                }
                if (status.equals("429")
                        && !(headers.node().has("Retry-After") && headers.node().has("X-Backoff-Ms"))) {
                    problems.add(name + " 429 lacks Retry-After or X-Backoff-Ms");
                }
            }
        });
        assertThat(problems).isEmpty();
    }

    @Test
    void shouldNameEachOperationOnceAndGiveEachPathOptionsAndEachGetHead() {
        List<String> ids = new ArrayList<>();
        List<String> names = new ArrayList<>();
        eachOperation((name, operation) -> {
            ids.add(operation.node().path("operationId").asString());
            names.add(name);
        });
        assertThat(ids).doesNotHaveDuplicates().doesNotContain("").hasSize(50);
        for (String name : List.copyOf(names)) {
            String path = name.substring(name.indexOf(' ') + 1);
            assertThat(names).contains("OPTIONS " + path);
            assertThat(names.contains("GET " + path)).isEqualTo(names.contains("HEAD " + path));
        }
    }

    @Test
    void shouldUseTheWordsOfTheEnums() {
        assertThat(words("common", "/components/schemas/ErrorCode/enum"))
                .containsExactlyElementsOf(
                        Arrays.stream(ErrorCode.values()).map(Enum::name).toList());
        assertThat(words("common", "/components/schemas/EngineKind/enum"))
                .containsExactlyInAnyOrder(Arrays.stream(EngineKind.values())
                        .map(EngineKind::wireName)
                        .toArray(String[]::new));
        String request = "/components/schemas/TaskRequest/properties/";
        assertThat(words("data", request + "workload/enum"))
                .containsExactlyInAnyOrder(
                        Arrays.stream(Workload.values()).map(Workload::wireName).toArray(String[]::new));
        assertThat(words("data", request + "determinism/enum"))
                .containsExactlyInAnyOrder(Arrays.stream(Determinism.values())
                        .map(Determinism::wireName)
                        .toArray(String[]::new));
        assertThat(words("data", request + "kv_hint/enum"))
                .containsExactlyInAnyOrder(
                        Arrays.stream(KvHint.values()).map(KvHint::wireName).toArray(String[]::new));
        assertThat(words("data", "/components/schemas/Priority/enum"))
                .containsExactlyInAnyOrder(
                        Arrays.stream(Priority.values()).map(Priority::wireName).toArray(String[]::new));
        assertThat(words("data", "/components/schemas/Placement/properties/mode/enum"))
                .containsExactlyInAnyOrder(Arrays.stream(PlacementMode.values())
                        .map(PlacementMode::wireName)
                        .toArray(String[]::new));
        assertThat(words("data", "/components/schemas/GivenKind/enum"))
                .containsExactlyInAnyOrder(Arrays.stream(ArtifactKind.values())
                        .map(ArtifactKind::wireName)
                        .toArray(String[]::new));
        assertThat(words("data", "/components/schemas/EndEvent/properties/finish_reason/enum"))
                .containsExactlyInAnyOrder(Arrays.stream(FinishReason.values())
                        .map(FinishReason::wireName)
                        .toArray(String[]::new));
    }

    @Test
    void shouldCarryOneVersion() {
        for (String name : documents.names()) {
            assertThat(documents.root(name).node().path("openapi").asString()).isEqualTo("3.1.0");
            assertThat(documents.root(name).node().path("info").path("version").asString())
                    .isEqualTo("1.0.0");
        }
    }

    /** A comma in an unquoted text of a flow mapping makes a member with no value out of its second half. */
    @Test
    void shouldHoldNoMemberWithoutValue() {
        List<String> problems = new ArrayList<>();
        for (String name : documents.names()) {
            collectNulls(name, documents.root(name).node(), problems);
        }
        assertThat(problems).isEmpty();
    }

    private static void collectNulls(String where, JsonNode node, List<String> problems) {
        if (node.isNull()) {
            problems.add(where);
        }
        node.properties().forEach(member -> collectNulls(where + "/" + member.getKey(), member.getValue(), problems));
        if (node.isArray()) {
            node.forEach(element -> collectNulls(where + "/-", element, problems));
        }
    }

    private List<String> words(String document, String pointer) {
        List<String> words = new ArrayList<>();
        documents.root(document).node().at(JsonPointer.compile(pointer)).forEach(word -> words.add(word.asString()));
        return words;
    }

    private void validateExamples(Located mediaType, List<String> problems) {
        Located schema = child(mediaType, "schema");
        JsonNode examples = mediaType.node().path("examples");
        if (examples.isEmpty()) {
            problems.add(mediaType.pointer() + " has no examples");
        }
        for (JsonNode example : examples) {
            JsonNode value = example.path("value");
            if (documents.child(schema, "x-sse-events") != null) {
                problems.addAll(streamProblems(value.asString()));
            } else {
                validate(schema, value, problems);
            }
        }
    }

    private static List<String> streamProblems(String text) {
        Exchange exchange = Exchange.of("GET", "/v1/tasks/7c9e6679-7425-40de-944b-e07fc1f90ae7/stream")
                .requestHeader("X-Correlation-Id", "c1")
                .status(200)
                .responseHeader("X-Correlation-Id", "c1")
                .responseHeader("Content-Type", "text/event-stream")
                .responseHeader("Cache-Control", "no-cache, no-store")
                .responseHeader("X-Accel-Buffering", "no")
                .body(text.getBytes(StandardCharsets.UTF_8))
                .build();
        return OpenApiVerifier.load().verify(exchange);
    }

    private void validate(Located schema, JsonNode value, List<String> problems) {
        for (String problem : documents.validate(schema, value)) {
            problems.add(schema.document() + " " + schema.pointer() + ": " + value + problem);
        }
    }

    private Located child(Located parent, String name) {
        return Objects.requireNonNull(documents.child(parent, name), parent.pointer() + "/" + name);
    }

    private int eachComponent(String kind, Consumer<Located> action) {
        int count = 0;
        for (String document : documents.names()) {
            Located components = child(documents.root(document), "components");
            Located group = documents.child(components, kind);
            if (group != null) {
                for (String name : group.node().propertyNames()) {
                    action.accept(child(group, name));
                    count++;
                }
            }
        }
        return count;
    }

    private interface OperationAction {
        void accept(String name, Located operation);
    }

    private void eachOperation(OperationAction action) {
        for (String document : List.of("data", "control")) {
            Located paths = child(documents.root(document), "paths");
            for (String path : paths.node().propertyNames()) {
                Located item = child(paths, path);
                for (String method : item.node().propertyNames()) {
                    if (!method.equals("parameters")) {
                        action.accept(method.toUpperCase(Locale.ROOT) + " " + path, child(item, method));
                    }
                }
            }
        }
    }
}
