package io.llamaorch.orchestratord.server.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Each rule of the TaskRequest schema, and what is no JSON. */
class TaskRequestReaderTest {
    private final TaskRequestReader reader = new TaskRequestReader();

    private static Map<String, String> members() {
        Map<String, String> members = new LinkedHashMap<>();
        members.put("task_id", "\"0D6BD1F4-92a8-4b8e-9d7e-3d6d6a4f2b11\"");
        members.put("session_id", "\"0d6bd1f4-92a8-4b8e-9d7e-3d6d6a4f2b12\"");
        members.put("workload", "\"completion\"");
        members.put("model_ref", "\"hf:org/repo/file.gguf\"");
        members.put("engine", "\"llamacpp\"");
        members.put("ctx", "0");
        members.put("priority", "\"interactive\"");
        members.put("max_tokens", "16");
        members.put("deadline_ms", "1000");
        members.put("prompt", "\"Hé, \\u4e16\"");
        return members;
    }

    private static String json(Map<String, String> members) {
        StringBuilder text = new StringBuilder("{");
        members.forEach((name, value) -> text.append(text.length() == 1 ? "" : ",")
                .append('"')
                .append(name)
                .append("\":")
                .append(value));
        return text.append('}').toString();
    }

    private static String with(String name, String value) {
        Map<String, String> members = members();
        members.put(name, value);
        return json(members);
    }

    private TaskRequestReader.Result read(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        return reader.read(bytes, bytes.length);
    }

    private TaskRequest accepted(String json) {
        TaskRequestReader.Result result = read(json);
        assertThat(result.error()).as(json).isNull();
        TaskRequest request = result.request();
        return Objects.requireNonNull(request);
    }

    private ApiError refused(String json) {
        ApiError error = read(json).error();
        return Objects.requireNonNull(error, json);
    }

    private void expectFault(String name, String value, String pointer) {
        ApiError error = refused(with(name, value));
        assertThat(error.code()).isEqualTo(ErrorCode.INVALID_PARAMS);
        assertThat(error.details()).as("%s: %s", name, value).hasSize(1);
        assertThat(error.details().get(0).name()).as("%s: %s", name, value).isEqualTo(pointer);
        assertThat(error.message()).startsWith(pointer + " ");
    }

    @Test
    void shouldReadEveryMember() {
        TaskRequest request = accepted(
                with(
                        "sampling",
                        """
                {"temperature": 0.7, "top_p": 1, "top_k": 40, "min_p": 0.05, "repeat_penalty": 1.1,
                 "stop": ["a", "\\ud83d\\ude00"], "json_schema": {"type" : "object", "n": [1.50, true, null, {}]}}"""));
        assertThat(request.prompt()).isEqualTo("Hé, 世");
        assertThat(request.taskId()).hasToString("0d6bd1f4-92a8-4b8e-9d7e-3d6d6a4f2b11");
        assertThat(request.sampling().stop()).containsExactly("a", "😀");
        assertThat(request.sampling().jsonSchema()).isEqualTo("{\"type\":\"object\",\"n\":[1.50,true,null,{}]}");
        assertThat(request.sampling().topK()).isEqualTo(40);
        assertThat(request.determinism()).isEqualTo(Determinism.BEST_EFFORT);
        TaskRequest placed = accepted(
                with(
                        "placement",
                        """
                {"mode": "pin", "pin_pool_id": "p", "prefer_pools": ["a"], "avoid_pools": ["b"],
                 "require_device_mask": "0,1", "allow_fallback": false}"""));
        assertThat(placed.placement().mode()).isEqualTo(PlacementMode.PIN);
        assertThat(placed.placement().allowFallback()).isFalse();
    }

    @Test
    void shouldCountPromptBytes() {
        assertThat(read(json(members())).promptBytes()).isEqualTo(8);
    }

    @Test
    void shouldNameEachRequiredMemberThatIsMissing() {
        for (String name : members().keySet()) {
            Map<String, String> members = members();
            members.remove(name);
            ApiError error = refused(json(members));
            assertThat(error.message()).startsWith("/" + name + " is missing");
        }
    }

    @Test
    void shouldRefuseWrongTypesAndRangesByPointer() {
        for (String name : members().keySet()) {
            for (String wrong : List.of("null", "true", "[]", "{}")) {
                expectFault(name, wrong, "/" + name);
            }
        }
        for (String id : List.of(
                "\"\"",
                "\"0d6bd1f4-92a8-4b8e-9d7e-3d6d6a4f2b1\"",
                "\"0d6bd1f4-92a8-4b8e-9d7e-3d6d6a4f2b1g\"",
                "\"0d6bd1f492a84b8e9d7e3d6d6a4f2b11\"",
                "\"0d6bd1f4-92a8-4b8e-9d7e3-d6d6a4f2b11\"",
                "1")) {
            expectFault("task_id", id, "/task_id");
            expectFault("session_id", id, "/session_id");
        }
        for (String value : List.of("-1", "1.0", "1e3", "2147483648", "99999999999999999999", "\"1\"")) {
            expectFault("ctx", value, "/ctx");
            expectFault("max_tokens", value, "/max_tokens");
            expectFault("seed", value, "/seed");
            expectFault("expected_tokens", value, "/expected_tokens");
        }
        expectFault("max_tokens", "0", "/max_tokens");
        expectFault("deadline_ms", "9223372036854775808", "/deadline_ms");
        expectFault("deadline_ms", "1.5", "/deadline_ms");
        for (String name : List.of("workload", "engine", "priority", "determinism", "kv_hint")) {
            expectFault(name, "\"Completion\"", "/" + name);
        }
        expectFault("detached", "1", "/detached");
        expectFault("determinism", "\"strict\"", "/seed");
        expectFault("inputs", "[\"a\"]", "/inputs");
        expectFault("sampling", "[]", "/sampling");
        expectFault("placement", "\"auto\"", "/placement");
        assertThat(refused(with("max_tokens", "0")).message()).contains("0").contains("1 to 2147483647");
    }

    @Test
    void shouldRefuseFaultsInsideSamplingAndPlacementByPointer() {
        expectFault("sampling", "{\"temprature\":1}", "/sampling/temprature");
        expectFault("sampling", "{\"a/b~c\":1}", "/sampling/a~1b~0c");
        expectFault("sampling", "{\"top_k\":1,\"top_k\":1}", "/sampling/top_k");
        for (String value : List.of("-0.1", "2.1", "1e999", "\"1\"", "null")) {
            expectFault("sampling", "{\"temperature\":" + value + "}", "/sampling/temperature");
        }
        expectFault("sampling", "{\"top_p\":1.1}", "/sampling/top_p");
        expectFault("sampling", "{\"min_p\":-1}", "/sampling/min_p");
        expectFault("sampling", "{\"top_k\":-1}", "/sampling/top_k");
        expectFault("sampling", "{\"repeat_penalty\":0}", "/sampling/repeat_penalty");
        expectFault("sampling", "{\"stop\":\"a\"}", "/sampling/stop");
        expectFault("sampling", "{\"stop\":[\"a\",\"\"]}", "/sampling/stop/1");
        expectFault("sampling", "{\"stop\":[\"" + "a".repeat(257) + "\"]}", "/sampling/stop/0");
        expectFault("sampling", "{\"stop\":[" + "\"a\",".repeat(16) + "\"a\"]}", "/sampling/stop");
        accepted(with("sampling", "{\"stop\":[" + "\"a\",".repeat(15) + "\"" + "a".repeat(256) + "\"]}"));
        expectFault("sampling", "{\"json_schema\":{\"a\":1,\"a\":2}}", "/sampling/json_schema");
        expectFault("sampling", "{\"json_schema\":[]}", "/sampling/json_schema");
        expectFault("sampling", "{\"json_schema\":\"{}\",\"grammar\":\"g\"}", "/sampling/grammar");
        expectFault("placement", "{\"mode\":\"pin\"}", "/placement/pin_pool_id");
        expectFault("placement", "{\"mode\":\"near\"}", "/placement/mode");
        expectFault("placement", "{\"allow_fallback\":0}", "/placement/allow_fallback");
        expectFault("placement", "{\"x\":0}", "/placement/x");
    }

    @Test
    void shouldRefuseUnknownAndDuplicateMembers() {
        expectFault("Prompt", "\"x\"", "/Prompt");
        expectFault("prompt\\u0000", "1", "/prompt?");
        String json = json(members());
        for (String name : members().keySet()) {
            String twice = json.substring(0, json.length() - 1) + ",\"" + name + "\":"
                    + members().get(name) + "}";
            assertThat(refused(twice).message()).startsWith("/" + name + " appears twice");
        }
    }

    @Test
    void shouldRefuseDeadlinesThatLeaveNoTime() {
        for (String deadline : List.of("0", "-1", "-9223372036854775808")) {
            assertThat(refused(with("deadline_ms", deadline)).code()).isEqualTo(ErrorCode.DEADLINE_UNMET);
        }
    }

    @Test
    void shouldAskForWhatTheWorkloadNeeds() {
        Map<String, String> members = members();
        members.put("workload", "\"rerank\"");
        assertThat(refused(json(members)).message()).startsWith("/prompt ");
        members.remove("prompt");
        assertThat(refused(json(members)).message()).startsWith("/inputs is missing");
        members.put("inputs", "[\"q\"]");
        assertThat(refused(json(members)).message()).startsWith("/inputs has 1 items");
        members.put("inputs", "[\"q\",\"d\"]");
        assertThat(accepted(json(members)).inputs()).containsExactly("q", "d");
    }

    @Test
    void shouldIgnoreUnknownOutputModes() {
        assertThat(accepted(with("output_mode", "\"poem\"")).outputMode()).isNull();
        assertThat(accepted(with("output_mode", "\"json\"")).outputMode()).isEqualTo("json");
    }

    @Test
    void shouldCheckTheFormOfModelRefs() {
        for (String good : List.of(
                "hf:org/repo",
                "hf:org/repo/a/b.gguf",
                "file:/models/x",
                "models/x.gguf",
                "x",
                "https://h/x",
                "s3://b/k",
                "oci://r/i:tag")) {
            accepted(with("model_ref", "\"" + good + "\""));
        }
        for (String bad : List.of(
                "",
                "hf:",
                "hf:org",
                "hf:/repo",
                "hf:org/",
                "hf:org/../x",
                "file:x",
                "file:/",
                "file://h/x",
                "/abs",
                "../x",
                "a//b",
                "http://h/x",
                "https://",
                "https://h",
                "s3:b",
                "ftp://h/x",
                "a b",
                "é",
                "x:y",
                "x".repeat(513))) {
            expectFault("model_ref", "\"" + bad + "\"", "/model_ref");
        }
    }

    @Test
    void shouldRefuseWhatIsNotJson() {
        String json = json(members());
        for (int cut = 0; cut < json.length(); cut++) {
            refused(json.substring(0, cut));
        }
        for (String bad : List.of(
                "[]",
                "1",
                "null",
                "\"x\"",
                json + "x",
                json + "{}",
                json + ",",
                "{'a':1}",
                "{\"a\":1,}",
                "{a:1}",
                "//\n" + json,
                "\ufeff" + json,
                "{\"max_tokens\":01}",
                "{\"max_tokens\":NaN}",
                "{\"max_tokens\":+1}",
                "{\"prompt\":\"a\nb\"}",
                "{\"prompt\":\"\\x\"}",
                "{\"max_tokens\":" + "1".repeat(1000) + "}",
                "[".repeat(100_000),
                "{\"sampling\":{\"json_schema\":" + "{\"a\":".repeat(100) + "1" + "}".repeat(103))) {
            assertThat(refused(bad).code()).isEqualTo(ErrorCode.INVALID_PARAMS);
        }
        accepted(" \t\r\n" + json + " \n");
    }

    @Test
    void shouldRefuseInvalidUtf8Everywhere() {
        byte[] json = json(members()).getBytes(StandardCharsets.UTF_8);
        int[][] bad = {
            {0x80},
            {0xbf},
            {0xc0, 0x80},
            {0xc1, 0xbf},
            {0xe0, 0x80, 0x80},
            {0xe0, 0x9f, 0xbf},
            {0xed, 0xa0, 0x80},
            {0xed, 0xbf, 0xbf},
            {0xf0, 0x80, 0x80, 0x80},
            {0xf0, 0x8f, 0xbf, 0xbf},
            {0xf4, 0x90, 0x80, 0x80},
            {0xf5, 0x80, 0x80, 0x80},
            {0xff},
            {0xfe},
            {0xc3},
            {0xe4, 0xb8},
            {0xf0, 0x9f, 0x98},
            {0}
        };
        for (int[] sequence : bad) {
            for (int at = 0; at <= json.length; at++) {
                byte[] bytes = new byte[json.length + sequence.length];
                System.arraycopy(json, 0, bytes, 0, at);
                for (int i = 0; i < sequence.length; i++) {
                    bytes[at + i] = (byte) sequence[i];
                }
                System.arraycopy(json, at, bytes, at + sequence.length, json.length - at);
                assertThat(reader.read(bytes, bytes.length).error()).isNotNull();
            }
        }
        byte[] utf16 = json(members()).getBytes(StandardCharsets.UTF_16LE);
        assertThat(reader.read(utf16, utf16.length).error()).isNotNull();
    }

    @Test
    void shouldRefuseLoneSurrogateEscapes() {
        for (String bad : List.of("\\ud800", "\\udc00", "\\ud800x", "\\ud800\\ud800", "\\udc00\\ud800")) {
            expectFault("prompt", "\"a" + bad + "b\"", "/prompt");
        }
        assertThat(accepted(with("prompt", "\"\\ud83d\\ude00\"")).prompt()).isEqualTo("😀");
    }

    @Test
    void shouldDigestEqualRequestsEqually() {
        long seed = 20261123;
        Random random = new Random(seed);
        TaskRequestReader.Result first = read(json(members()));
        for (int round = 0; round < 200; round++) {
            List<Map.Entry<String, String>> entries = new ArrayList<>(members().entrySet());
            Collections.shuffle(entries, random);
            Map<String, String> shuffled = new LinkedHashMap<>();
            entries.forEach(entry -> shuffled.put(entry.getKey(), " \n" + entry.getValue() + "\t"));
            shuffled.put("prompt", "\"H\\u00e9, 世\"");
            assertThat(read(json(shuffled)).digest()).as("seed %d", seed).isEqualTo(first.digest());
        }
        assertThat(read(with("prompt", "\"x\"")).digest()).isNotEqualTo(first.digest());
        assertThat(read(with("max_tokens", "17")).digest()).isNotEqualTo(first.digest());
        assertThat(read(with("detached", "true")).digest()).isNotEqualTo(first.digest());
    }

    @Test
    void shouldNeverThrowOnMutations() {
        long seed = 7;
        Random random = new Random(seed);
        byte[] json = with("sampling", "{\"stop\":[\"a\"],\"json_schema\":{\"a\":[1,{\"b\":2}]}}")
                .getBytes(StandardCharsets.UTF_8);
        for (int round = 0; round < 50_000; round++) {
            byte[] bytes = json.clone();
            for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            TaskRequestReader.Result result = reader.read(bytes, bytes.length);
            assertThat(result.error() == null)
                    .as("seed %d round %d", seed, round)
                    .isNotEqualTo(result.request() == null);
        }
    }
}
