package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.contract.ContractRecorder;
import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Brings about every answer that the OpenAPI documents name, over real sockets. {@link TestClient} has each compared with
 * the documents; the last test asserts that none was left out.
 */
@NullUnmarked
@Tag("provider-verify")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ProviderVerifyIT {
    private static final List<String> ADMIN_READS = List.of("/v1/admin/state", "/v1/admin/log-level");
    private static final List<String> READS = List.of(
            "/v1/capabilities",
            "/v1/pools",
            "/v1/pools/default/health",
            "/v1/admin/state",
            "/v1/admin/log-level",
            "/metrics",
            "/livez",
            "/readyz");
    private static final List<String> METHODS = List.of("GET", "HEAD");

    private static final List<String> POOL_ORDERS =
            List.of("/v1/pools/default/drain", "/v1/pools/default/undrain", "/v1/pools/default/reload");
    private static DaemonHarness open;
    private static DaemonHarness keyed;

    @BeforeAll
    static void start() {
        open = DaemonHarness.mock("tokens_per_s=0", 2);
        keyed = Keys.daemon("tokens_per_s=0", 2, "auth.ops_require_key=true");
    }

    @AfterAll
    static void stop() {
        open.close();
        keyed.close();
    }

    private static UUID finishedTask(TestClient client) {
        UUID id = UUID.randomUUID();
        client.submit(TestClient.task(id, "mock", "verify", 3, ""));
        client.stream(id).toEnd();
        return id;
    }

    private static List<String> taskReads(UUID id) {
        return List.of("/v1/tasks/" + id, "/v1/tasks/" + id + "/stream");
    }

    private static void expect(DaemonHarness daemon, int status, String method, String path, String... headers) {
        try (TestClient client = daemon.client()) {
            for (int i = 0; i < headers.length; i += 2) {
                client.with(headers[i], headers[i + 1]);
            }
            String body = method.equals("POST") ? "{}" : null;
            Answer answer = client.exchange(method, path, body);
            assertThat(answer.status()).as(method + " " + path).isEqualTo(status);
        }
    }

    @Test
    @Order(1)
    void shouldAnswerReadsWhenAllIsWell() {
        try (TestClient client = open.client()) {
            UUID id = finishedTask(client);
            for (String method : METHODS) {
                READS.forEach(path -> expect(open, 200, method, path));
                expect(open, 200, method, "/readyz?verbose");
                taskReads(id).forEach(path -> expect(open, 200, method, path));
                for (String path : taskReads(UUID.randomUUID())) {
                    expect(open, 404, method, path);
                    expect(open, 404, method, path.replaceAll("[0-9a-f-]{36}", "no-uuid"));
                }
                expect(open, 404, method, "/v1/pools/nowhere/health");
                expect(open, 400, method, "/v1/tasks/" + id + "/stream", "Last-Event-ID", "99");
                expect(open, 400, method, "/v1/tasks/" + id + "/stream", "Last-Event-ID", "x");
                expect(open, 200, method, "/v1/tasks/" + id + "/stream", "Last-Event-ID", "");
            }
            expect(open, 204, "POST", "/v1/tasks/" + id + "/cancel");
            expect(open, 404, "POST", "/v1/tasks/" + UUID.randomUUID() + "/cancel");
            Answer tooLong = client.post("/v1/tasks/" + id + "/cancel", " ".repeat(1 << 20));
            assertThat(tooLong.status()).isEqualTo(413);
        }
    }

    @Test
    @Order(2)
    void shouldTellMethodsOnEveryPath() {
        Set<String> paths = new TreeSet<>(READS);
        paths.add("/v1/tasks");
        paths.add("/v1/artifacts");
        paths.add("/v1/artifacts/sha256:" + "0".repeat(64));
        paths.addAll(taskReads(UUID.randomUUID()));
        paths.add("/v1/tasks/" + UUID.randomUUID() + "/cancel");
        paths.add("/v1/sessions/" + UUID.randomUUID());
        paths.addAll(POOL_ORDERS);
        for (String path : paths) {
            expect(open, 204, "OPTIONS", path);
            expect(keyed, 204, "OPTIONS", path);
            expect(open, 405, "PUT", path);
            expect(open, 405, "PATCH", path);
            expect(open, 501, "TRACE", path);
        }
        expect(open, 204, "OPTIONS", "*");
        expect(open, 404, "GET", "/v1/replicasets");
        expect(open, 404, "POST", "/v1/replicasets");
        expect(open, 404, "GET", "/");
    }

    @Test
    @Order(3)
    void shouldAskForAKeyWhereOneIsConfigured() {
        UUID id = UUID.randomUUID();
        Set<String> paths = new TreeSet<>(READS);
        paths.addAll(taskReads(id));
        paths.removeAll(Set.of("/livez", "/readyz"));
        paths.add("/v1/sessions/" + id);
        expect(keyed, 401, "DELETE", "/v1/sessions/" + id);
        expect(keyed, 403, "DELETE", "/v1/sessions/" + id, "X-API-Key", "wrong");
        paths.add("/v1/artifacts/sha256:" + "0".repeat(64));
        for (String path : paths) {
            for (String method : METHODS) {
                expect(keyed, 401, method, path);
                expect(keyed, 403, method, path, "X-API-Key", "wrong");
                expect(keyed, 403, method, path, "Authorization", "Bearer wrong");
            }
        }
        List<String> posts = new ArrayList<>(POOL_ORDERS);
        posts.addAll(List.of("/v1/tasks", "/v1/tasks/" + id + "/cancel", "/v1/artifacts", "/v1/admin/log-level"));
        for (String path : posts) {
            expect(keyed, 401, "POST", path);
            expect(keyed, 403, "POST", path, "X-API-Key", "wrong");
        }
        POOL_ORDERS.forEach(path -> expect(keyed, 403, "POST", path, "X-API-Key", Keys.BOB)); // scope data
        ADMIN_READS.forEach(path -> expect(keyed, 403, "GET", path, "X-API-Key", Keys.BOB));
        for (String method : METHODS) {
            expect(keyed, 200, method, "/livez");
            expect(keyed, 200, method, "/readyz");
            expect(keyed, 200, method, "/metrics", "X-API-Key", Keys.BOB);
            expect(keyed, 200, method, "/v1/pools", "Authorization", "Bearer " + Keys.BOB);
        }
        expect(keyed, 400, "GET", "/v1/pools", "X-API-Key", Keys.BOB, "Authorization", "Bearer " + Keys.ANN);
    }

    @Test
    @Order(4)
    void shouldRefuseWhatAcceptRulesOut() {
        try (TestClient client = open.client()) {
            UUID id = finishedTask(client);
            for (String method : METHODS) {
                for (String path : List.of(
                        "/v1/capabilities",
                        "/v1/pools",
                        "/v1/pools/default/health",
                        "/v1/admin/state",
                        "/v1/admin/log-level")) {
                    expect(open, 406, method, path, "Accept", "text/html");
                    expect(open, 406, method, path, "Accept", "application/json;q=0, */*");
                    expect(open, 200, method, path, "Accept", "text/html, application/*;q=0.1");
                }
                expect(open, 406, method, "/v1/tasks/" + id, "Accept", "text/event-stream");
                expect(open, 406, method, "/v1/tasks/" + id + "/stream", "Accept", "application/json");
                expect(open, 406, method, "/v1/sessions/" + id, "Accept", "text/html");
                for (String path : List.of("/metrics", "/livez", "/readyz")) {
                    expect(open, 200, method, path, "Accept", "image/png");
                }
            }
            expect(open, 406, "POST", "/v1/tasks", "Accept", "text/html");
            expect(open, 204, "POST", "/v1/tasks/" + id + "/cancel", "Accept", "text/html");
        }
    }

    @Test
    @Order(5)
    void shouldRefuseSubmitsForEveryReason() {
        UUID id = UUID.randomUUID();
        String good = TestClient.task(id, "mock", "x", 3, "");
        try (TestClient client = open.client()) {
            assertThat(client.post("/v1/tasks", good).status()).isEqualTo(202);
            assertThat(client.post("/v1/tasks", good).status()).isEqualTo(202);
            assertThat(client.post("/v1/tasks", good.replace("\"x\"", "\"y\"")).status())
                    .isEqualTo(409);
            assertThat(client.post("/v1/tasks", "{").status()).isEqualTo(400);
            assertThat(client.post("/v1/tasks", submit("\"max_tokens\":3", "\"max_tokens\":0"))
                            .status())
                    .isEqualTo(400);
            Answer unmet = client.post("/v1/tasks", submit("60000", "0"));
            assertThat(unmet.body()).contains("DEADLINE_UNMET");
            assertThat(client.post("/v1/tasks", submit("test/model", "other/model"))
                            .status())
                    .isEqualTo(503);
            assertThat(client.exchange("POST", "/v1/tasks", null).status()).isEqualTo(411);
        }
        expect(open, 415, "POST", "/v1/tasks", "Content-Encoding", "gzip");
        try (TestClient client = open.client()) {
            Answer tooLong = client.post("/v1/tasks", submit("\"x\"", "\"" + "x".repeat(1 << 20) + "\""));
            assertThat(tooLong.status()).isEqualTo(413);
            assertThat(tooLong.body()).contains("1048576", "\"policy_label\":\"body_bytes\"");
        }
    }

    @Test
    @Order(5)
    void shouldTakeOrdersForAPoolAndRefuseThemForEveryReason() {
        String reload = "{\"new_model_ref\":\"" + DaemonHarness.MODEL + "\",\"deadline_ms\":10000}";
        try (TestClient client = open.client()) {
            assertThat(client.post("/v1/pools/default/drain", "{\"deadline_ms\":1000}")
                            .status())
                    .isEqualTo(202);
            assertThat(client.post("/v1/pools/default/drain", "{\"deadline_ms\":1000}")
                            .status())
                    .isEqualTo(409);
            assertThat(client.post("/v1/pools/default/reload", reload).status()).isEqualTo(409);
            assertThat(client.post("/v1/pools/default/undrain", "").status()).isEqualTo(202);
            assertThat(client.post("/v1/pools/default/reload", reload).status()).isEqualTo(202);
            open.await(() -> client.post("/v1/pools/default/drain", "{\"deadline_ms\":0}")
                            .status()
                    == 202);
            assertThat(client.post("/v1/pools/default/undrain", "").status()).isEqualTo(202);
            for (String bad : List.of("{", "[]", "{\"deadline_ms\":-1}", "{\"x\":1}", "{}")) {
                assertThat(client.post("/v1/pools/default/drain", bad).status()).isEqualTo(400);
                assertThat(client.post("/v1/pools/default/reload", bad).status())
                        .isEqualTo(400);
            }
            assertThat(client.post("/v1/pools/default/reload", reload.replace(DaemonHarness.MODEL, "ftp:x"))
                            .body())
                    .contains("/new_model_ref");
        }
        for (String path : POOL_ORDERS) {
            expect(open, 404, "POST", path.replace("default", "nowhere"));
            expect(open, 406, "POST", path, "Accept", "text/html");
            try (TestClient client = open.client()) {
                assertThat(client.post(path, " ".repeat((1 << 20) + 1)).status())
                        .isEqualTo(413);
            }
            if (!path.endsWith("undrain")) {
                expect(open, 415, "POST", path, "Content-Encoding", "gzip");
                try (TestClient client = open.client()) {
                    assertThat(client.exchange("POST", path, null).status()).isEqualTo(411);
                }
            }
        }
    }

    @Test
    @Order(5)
    void shouldTakeALogLevelAndRefuseItForEveryReason() {
        String path = "/v1/admin/log-level";
        try (TestClient client = open.client()) {
            assertThat(client.post(path, "{\"level\":\"info\"}").status()).isEqualTo(200);
            // the suites' log is off, and stays so
            assertThat(client.post(path, "{\"level\":\"off\",\"for_ms\":86400000}")
                            .status())
                    .isEqualTo(200);
            for (String bad : List.of(
                    "{",
                    "{}",
                    "{\"level\":\"INFO\"}",
                    "{\"level\":7}",
                    "{\"level\":\"info\",\"level\":\"info\"}",
                    "{\"level\":\"info\",\"for_ms\":0}",
                    "{\"level\":\"info\",\"for_ms\":86400001}",
                    "{\"level\":\"info\"}{}",
                    "{\"level\":\"info\",\"x\":1}")) {
                assertThat(client.post(path, bad).status()).as(bad).isEqualTo(400);
            }
            assertThat(client.exchange("POST", path, null).status()).isEqualTo(411);
        }
        expect(open, 406, "POST", path, "Accept", "text/html");
        expect(open, 415, "POST", path, "Content-Encoding", "gzip");
        try (TestClient client = open.client()) {
            assertThat(client.post(path, " ".repeat((1 << 20) + 1)).status()).isEqualTo(413);
        }
    }

    private static String submit(String what, String by) {
        return TestClient.task(UUID.randomUUID(), "mock", "x", 3, "").replace(what, by);
    }

    @Test
    @Order(6)
    void shouldSendBackpressureWhenTheQueueIsFull() {
        try (DaemonHarness small = DaemonHarness.mock("tokens_per_s=5", 1, "pools.0.queue.capacity=1");
                TestClient client = small.client()) {
            UUID[] ids = {UUID.randomUUID(), UUID.randomUUID()};
            for (UUID id : ids) {
                client.submit(TestClient.task(id, "mock", "x", 5000, ""));
            }
            Answer full = client.post("/v1/tasks", TestClient.task(UUID.randomUUID(), "mock", "x", 50, ""));
            assertThat(full.status()).isEqualTo(429);
            assertThat(full.body()).contains("\"policy_label\":\"reject\"");
            Answer infeasible = client.post(
                    "/v1/tasks",
                    TestClient.task(UUID.randomUUID(), "mock", "x", 100_000, "").replace("60000", "1"));
            assertThat(infeasible.status()).isIn(400, 429);
            for (UUID id : ids) {
                assertThat(client.post("/v1/tasks/" + id + "/cancel", "{}").status())
                        .isEqualTo(204);
                assertThat(client.stream(id).toEnd().last().data()).contains("\"canceled\":true");
            }
            small.awaitQuiet();
        }
    }

    @Test
    @Order(7)
    void shouldRefuseWhatIsNoRequest() throws IOException {
        try (DaemonHarness strict = DaemonHarness.mock(
                "tokens_per_s=0", 1, "http.head_timeout_ms=100", "http.body_timeout_ms=100", "http.connections=1")) {
            RawClient raw = new RawClient(strict.port());
            Map<String, Integer> cases = new LinkedHashMap<>();
            cases.put("GET /livez HTTP/1.1\r\n\r\n", 400);
            cases.put("GET /" + "a".repeat(9000) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414);
            cases.put("GET /livez HTTP/1.1\r\nHost: h\r\nX: " + "a".repeat(9000) + "\r\n\r\n", 431);
            cases.put("GET /livez HTTP/2.0\r\nHost: h\r\n\r\n", 505);
            cases.put("POST /v1/tasks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501);
            cases.put("POST /v1/tasks HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 2\r\n\r\n{}", 417);
            cases.put("GET /v1/pools HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", 413);
            cases.put("GET /livez HTTP/1.1\r\nHost", 408);
            cases.put("POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{", 408);
            for (Map.Entry<String, Integer> one : cases.entrySet()) {
                strict.await(() -> connections(strict) == 0);
                assertThat(raw.malformed(one.getKey()))
                        .as(one.getKey())
                        .extracting(RawClient.Answer::status)
                        .containsExactly(one.getValue());
            }
            strict.await(() -> connections(strict) == 0);
            try (TestClient first = strict.client()) {
                first.connected();
                strict.await(() -> connections(strict) == 1);
                RawClient.Answer full =
                        raw.malformed("GET /livez HTTP/1.1\r\nHost: h\r\n\r\n").get(0);
                assertThat(full.status()).isEqualTo(503);
                assertThat(full.header("Retry-After")).isEqualTo("1");
            }
        }
    }

    private static int connections(DaemonHarness daemon) {
        return daemon.daemon().connections();
    }

    @Test
    @Order(8)
    void shouldSayThatItStopsWhenItDoes() throws InterruptedException {
        try (DaemonHarness stopping = DaemonHarness.mock("tokens_per_s=0", 1, "shutdown.lame_duck_ms=0");
                TestClient client = stopping.client()) {
            client.get("/livez");
            stopping.daemon().drain();
            for (String method : METHODS) {
                expect(stopping, 503, method, "/readyz");
                expect(stopping, 503, method, "/readyz?verbose");
                expect(stopping, 200, method, "/livez");
            }
            Answer refused = client.post("/v1/tasks", submit("60000", "50000"));
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.body()).contains("POOL_UNREADY");
        }
    }

    @Test
    @Order(9)
    void shouldKeepServeAndRefuseArtifacts() throws IOException {
        try (TestClient client = open.client()) {
            Answer plan = client.post("/v1/artifacts", "{\"kind\":\"plan\",\"content\":[1.0, 2]}");
            assertThat(plan.status()).isEqualTo(201);
            String path = plan.header("location");
            assertThat(client.get(path).body()).isEqualTo("{\"content\":[1,2],\"kind\":\"plan\"}");
            assertThat(client.post("/v1/artifacts", "{\"kind\":\"poem\"}").status())
                    .isEqualTo(400);
            assertThat(client.exchange("POST", "/v1/artifacts", null).status()).isEqualTo(411);
            Answer tooLong = client.post("/v1/artifacts", "{\"kind\":\"plan\"" + " ".repeat(1 << 20) + "}");
            assertThat(tooLong.status()).isEqualTo(413);
            assertThat(tooLong.body()).contains("\"policy_label\":\"document_bytes\"");
            String tag = plan.header("location").substring("/v1/artifacts/".length());
            for (String method : METHODS) {
                expect(open, 200, method, path);
                expect(open, 304, method, path, "If-None-Match", '"' + tag + '"');
                expect(open, 404, method, "/v1/artifacts/sha256:" + "0".repeat(64));
                expect(open, 404, method, "/v1/artifacts/none");
            }
            expect(open, 416, "GET", path, "Range", "bytes=99-");
        }
        expect(open, 406, "POST", "/v1/artifacts", "Accept", "text/html");
        expect(open, 415, "POST", "/v1/artifacts", "Content-Type", "text/html");
        expect(open, 415, "POST", "/v1/artifacts", "Content-Encoding", "gzip");
        try (TestClient text = open.client().with("Content-Type", "text/plain; charset=utf-8")) {
            Answer kept = text.post("/v1/artifacts", "one two three");
            assertThat(kept.status()).isEqualTo(201);
            expect(open, 206, "GET", kept.header("location"), "Range", "bytes=4-6");
        }
        try (DaemonHarness small = DaemonHarness.mock(
                        "tokens_per_s=0",
                        1,
                        "artifacts.key_count=1",
                        "artifacts.blob_bytes=8MiB",
                        "artifacts.upload_bytes=8MiB",
                        "artifacts.reads=1");
                TestClient slow = small.client();
                TestClient other = small.client().with("Content-Type", "application/octet-stream")) {
            slow.with("Content-Type", "application/octet-stream");
            slow.sendHead("POST", "/v1/artifacts", 8 << 20);
            small.await(() -> other.post("/v1/artifacts", "x".repeat(1000)).status() == 429);
            slow.connected().getOutputStream().write(new byte[8 << 20]);
            Answer kept = slow.readAnswer();
            assertThat(kept.status()).isEqualTo(201);
            assertThat(other.post("/v1/artifacts", "one more").status()).isEqualTo(507);
            slow.send("GET", kept.header("location"), null);
            small.await(() -> other.get(kept.header("location")).status() == 429);
            assertThat(slow.readAnswer().bytes()).hasSize(8 << 20);
            small.await(() -> other.get(kept.header("location")).status() == 200);
        }
    }

    @Test
    @Order(9)
    void shouldShowAndForgetSessions() {
        UUID session = UUID.randomUUID();
        String path = "/v1/sessions/" + session;
        try (TestClient client = open.client()) {
            UUID id = UUID.randomUUID();
            client.submit(TestClient.task(id, "mock", "verify", 3, "")
                    .replaceAll("\"session_id\":\"[^\"]*", "\"session_id\":\"" + session));
            client.stream(id).toEnd();
            for (String method : METHODS) {
                expect(open, 200, method, path);
                expect(open, 404, method, "/v1/sessions/" + UUID.randomUUID());
                expect(open, 404, method, "/v1/sessions/no-uuid");
            }
            assertThat(client.exchange("DELETE", path, " ".repeat((1 << 20) + 1))
                            .status())
                    .isEqualTo(413);
        }
        expect(open, 204, "DELETE", path);
        expect(open, 404, "DELETE", path);
        expect(open, 404, "DELETE", "/v1/sessions/no-uuid");
    }

    @Test
    @Order(10)
    void shouldMountWhatIsDocumentedAndDocumentWhatIsMounted() {
        Set<String> documented = new TreeSet<>();
        for (String answer : ContractRecorder.coverage().documented()) {
            String[] words = answer.split(" ", -1);
            if (!words[0].equals("*") && !words[0].equals("OPTIONS")) {
                documented.add(words[0] + " " + words[1]);
            }
        }
        Set<String> mounted = new TreeSet<>();
        open.daemon().router().operations().forEach(operation -> {
            mounted.add(operation);
            if (operation.startsWith("GET ")) {
                mounted.add(operation.replace("GET ", "HEAD "));
            }
        });
        assertThat(mounted).isEqualTo(documented);
    }

    @Test
    @Order(11)
    void shouldHaveSeenEveryDocumentedAnswer() {
        Map<String, String> exemptions = new LinkedHashMap<>();
        for (String answer : ContractRecorder.coverage().documented()) {
            boolean broughtAbout = ContractRecorder.coverage().seen().contains(answer); // by a broken disk
            if (answer.endsWith(" 500") && !broughtAbout) {
                exemptions.put(
                        answer, "INTERNAL stands for a defect; a unit test of the front has a handler that throws");
            }
        }
        ContractRecorder.assertCovered(exemptions);
    }
}
