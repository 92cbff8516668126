package io.llamaorch.orchestratord.server.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Each rule of the verifier passes a good sample and fails a bad one. */
class OpenApiVerifierTest {

    private static final String ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    private static final String STREAM = "/v1/tasks/" + ID + "/stream";
    private static final String STARTED = "id: 1\nevent: started\ndata: {\"queue_position\":0,\"predicted_start_ms\":0,"
            + "\"queue_time_ms\":1,\"pool_id\":\"default\",\"replica_id\":\"r0\",\"engine\":\"mock\","
            + "\"engine_version\":\"unknown\",\"kv_warmth\":false,\"correlation_id\":\"c1\"}\n\n";
    private static final String TASK = "{\"task_id\":\"" + ID + "\",\"session_id\":\"" + ID
            + "\",\"workload\":\"completion\",\"model_ref\":\"hf:o/r\",\"engine\":\"mock\",\"ctx\":0,"
            + "\"priority\":\"batch\",\"max_tokens\":4,\"deadline_ms\":1000,\"prompt\":\"a\"}";
    private static final String ADMITTED = "{\"task_id\":\"" + ID
            + "\",\"pool_id\":\"default\",\"queue_position\":0,\"predicted_start_ms\":0,\"predicted_end_ms\":5,"
            + "\"backoff_ms\":0}";

    private final OpenApiVerifier verifier = OpenApiVerifier.load();

    @Test
    void shouldPassGoodExchanges() {
        assertThat(verifier.verify(admission(TASK, ADMITTED).build())).isEmpty();
        assertThat(verifier.verify(stream(goodStream()).build())).isEmpty();
        assertThat(verifier.verify(
                        answer("POST", "/v1/tasks/" + ID + "/cancel", 204).build()))
                .isEmpty();
        assertThat(verifier.verify(json("GET", "/livez", 200, "{\"status\":\"live\"}")
                        .responseHeader("Cache-Control", "no-store")
                        .build()))
                .isEmpty();
        assertThat(verifier.verify(json("HEAD", "/v1/pools", 200, "")
                        .responseHeader("Content-Length", "12")
                        .build()))
                .isEmpty();
        assertThat(verifier.verify(answer("OPTIONS", "/v1/tasks", 204)
                        .responseHeader("Allow", "OPTIONS, POST")
                        .build()))
                .isEmpty();
        assertThat(verifier.coverage().seen())
                .containsExactlyInAnyOrder(
                        "POST /v1/tasks 202",
                        "GET /v1/tasks/{id}/stream 200",
                        "POST /v1/tasks/{id}/cancel 204",
                        "GET /livez 200",
                        "HEAD /v1/pools 200",
                        "OPTIONS /v1/tasks 204");
    }

    @Test
    void shouldReportUndocumentedRouteMethodAndStatus() {
        assertProblem(json("GET", "/v1/replicasets", 200, "{}"), "not documented for a path that no document knows");
        assertThat(verifier.verify(error("GET", "/v1/replicasets", 404, "NOT_FOUND", false, "")
                        .build()))
                .isEmpty();
        assertProblem(
                error("GET", "/v1/pools", 404, "NOT_FOUND", false, ""), "404 is not documented for GET /v1/pools");
        assertThat(verifier.verify(answer("OPTIONS", "*", 204)
                        .responseHeader("Allow", "GET, HEAD, OPTIONS, POST")
                        .build()))
                .isEmpty();
        assertProblem(json("PUT", "/v1/pools", 200, "{}"), "not documented for PUT /v1/pools");
        assertProblem(json("GET", "/v1/pools", 418, "{}"), "status 418 is not documented");
        assertProblem(
                error("GET", "/v1/pools", 405, "METHOD_NOT_ALLOWED", false, "").responseHeader("Allow", "GET"),
                "405 stands for");
        assertThat(verifier.verify(error("PUT", "/v1/pools", 405, "METHOD_NOT_ALLOWED", false, "")
                        .responseHeader("Allow", "GET, HEAD, OPTIONS")
                        .build()))
                .isEmpty();
        assertProblem(
                error("PUT", "/v1/pools", 405, "METHOD_NOT_ALLOWED", false, "").responseHeader("Allow", "GET, POST"),
                "HTTP-32");
        assertProblem(error("PUT", "/v1/pools", 405, "METHOD_NOT_ALLOWED", false, ""), "header Allow is missing");
    }

    @Test
    void shouldHoldMalformedRequestsToTheGeneralRule() {
        Exchange.Builder good =
                error("", "", 400, "BAD_REQUEST", false, "").malformed().responseHeader("Connection", "close");
        assertThat(verifier.verify(good.build())).isEmpty();
        assertProblem(error("", "", 400, "BAD_REQUEST", false, "").malformed(), "header Connection is missing");
        assertProblem(answer("", "", 200).malformed(), "status 200 is not documented");
        assertProblem(
                Exchange.of("", "").malformed().status(400).responseHeader("Connection", "close"),
                "X-Correlation-Id stands 0 times");
    }

    @Test
    void shouldHoldCorrelationIdToTheRequest() {
        assertProblem(
                Exchange.of("POST", "/v1/tasks/" + ID + "/cancel").status(204), "X-Correlation-Id stands 0 times");
        assertProblem(cancel("c1", "c2"), "where c1 is due");
        assertProblem(cancel("two words", "two"), "a new UUID is due");
        assertThat(verifier.verify(cancel("two words", ID).build())).isEmpty();
        assertThat(verifier.verify(Exchange.of("POST", "/v1/tasks/" + ID + "/cancel")
                        .requestHeader("x-request-id", "r1")
                        .status(204)
                        .responseHeader("X-Correlation-Id", "r1")
                        .build()))
                .isEmpty();
    }

    @Test
    void shouldReportHeadersThatAreMissingWrongOrUnknown() {
        assertProblem(
                admission(TASK, ADMITTED).responseHeader("Idempotent-Replay", "yes"), "header Idempotent-Replay: yes");
        assertProblem(admission(TASK, ADMITTED).responseHeader("X-Powered-By", "me"), "X-Powered-By is not documented");
        assertProblem(error("GET", "/v1/pools", 401, "UNAUTHORIZED", false, ""), "header WWW-Authenticate is missing");
        assertProblem(
                json("GET", "/livez", 200, "{\"status\":\"live\"}")
                        .responseHeader("Cache-Control", "no-store")
                        .responseHeader("Cache-Control", "no-store"),
                "header Cache-Control stands 2 times");
    }

    @Test
    void shouldReportBodiesThatBreakTheirSchema() {
        assertProblem(admission(TASK, ADMITTED.replace("}", ",\"extra\":1}")), "extra");
        assertProblem(admission(TASK, ADMITTED.replace("\"backoff_ms\":0", "\"backoff_ms\":-1")), "backoff_ms");
        assertProblem(admission(TASK, ADMITTED.replace(",\"backoff_ms\":0", "")), "backoff_ms");
        assertProblem(admission(TASK, ADMITTED.replace("}", ",\"backoff_ms\":0}")), "is not JSON");
        assertProblem(admission(TASK, ADMITTED + "x"), "is not JSON");
        assertProblem(admission(TASK, ""), "body");
        assertProblem(
                answer("GET", "/v1/pools", 200)
                        .responseHeader("Content-Type", "text/html")
                        .body("{\"pools\":[]}"),
                "Content-Type text/html is not documented");
        assertProblem(answer("GET", "/v1/pools", 200).body("{\"pools\":[]}"), "Content-Type stands 0 times");
        assertProblem(
                answer("GET", "/v1/pools", 200)
                        .responseHeader("Content-Type", "application/json; charset=latin1")
                        .body("{\"pools\":[]}"),
                "everything is UTF-8");
        assertProblem(
                answer("GET", "/v1/pools", 200)
                        .responseHeader("Content-Type", "application/json")
                        .body(new byte[] {'"', (byte) 0xff, '"'}),
                "is not UTF-8");
        assertProblem(
                answer("POST", "/v1/tasks/" + ID + "/cancel", 204).responseHeader("Content-Type", "application/json"),
                "no content is documented");
    }

    @Test
    void shouldReportBrokenFraming() {
        assertProblem(json("HEAD", "/v1/pools", 200, "{\"pools\":[]}"), "with a body");
        assertProblem(
                answer("POST", "/v1/tasks/" + ID + "/cancel", 204).responseHeader("Content-Length", "0"), "HTTP-10");
        assertProblem(
                json("GET", "/v1/pools", 200, "{\"pools\":[]}").responseHeader("Content-Length", "3"),
                "Content-Length 3 before 12 bytes");
        assertProblem(
                json("GET", "/v1/pools", 200, "{\"pools\":[]}")
                        .responseHeader("Content-Length", "12")
                        .responseHeader("Transfer-Encoding", "chunked"),
                "more than one framing");
    }

    @Test
    void shouldReportErrorsThatContradictThemselves() {
        assertThat(verifier.verify(rejected("1250", "2").build())).isEmpty();
        assertProblem(rejected("1250", "1"), "ERR-5: Retry-After");
        assertProblem(rejected("1251", "2"), "ERR-5: X-Backoff-Ms");
        assertProblem(error("POST", "/v1/tasks", 429, "ADMISSION_REJECT", true, ""), "ERR-5: a retriable 429");
        assertThat(verifier.verify(error("POST", "/v1/tasks", 429, "BUDGET_EXHAUSTED", false, "")
                        .build()))
                .isEmpty();
        assertProblem(error("GET", "/v1/pools", 403, "NOT_FOUND", false, ""), "ERR-2");
        assertProblem(error("GET", "/v1/pools", 403, "NOPE", false, ""), "ERR-1");
        assertProblem(error("GET", "/v1/pools", 403, "FORBIDDEN", true, "false", "c1", ""), "ERR-4");
        assertProblem(error("GET", "/v1/pools", 403, "FORBIDDEN", false, "false", "c9", ""), "ERR-3");
    }

    @Test
    void shouldReportTakenRequestsThatAreInvalidAndIdsThatDiffer() {
        assertProblem(
                admission(TASK.replace("\"max_tokens\":4", "\"max_tokens\":0"), ADMITTED), "taken although invalid");
        assertProblem(admission(TASK.replace(ID, ID.replace('7', '8')), ADMITTED), "task_id is");
        String health = "{\"pool_id\":\"other\",\"engine\":\"mock\",\"model_ref\":\"m\",\"live\":true,\"ready\":true,"
                + "\"draining\":false,\"reloading\":false,\"slots\":1,\"leased\":0,\"replicas\":[{\"replica_id\":\"r0\",\"state\":\"ready\","
                + "\"slots\":1,\"leased\":0,\"breaker\":\"closed\",\"occupied\":0,\"restarts\":0}],\"queue\":{\"interactive\":{\"depth\":0,\"capacity\":1},"
                + "\"batch\":{\"depth\":0,\"capacity\":1}},\"tokens_per_s\":0,\"eta_ms\":0}";
        assertProblem(json("GET", "/v1/pools/default/health", 200, health), "pool_id is");
        assertThat(verifier.verify(
                        json("GET", "/v1/pools/other/health", 200, health).build()))
                .isEmpty();
    }

    @Test
    void shouldReportStreamsOutOfForm() {
        String good = goodStream();
        assertProblem(stream(good.replace("retry: 1000\n\n", "")), "STR-5");
        assertProblem(stream(good + "retry: 1000\n\n"), "STR-5");
        assertProblem(stream(good.replace("event: end\n", "event: end\r\n")), "STR-1");
        assertProblem(stream(good + "id: 9"), "STR-1: 5 bytes");
        assertProblem(stream(good.replace("id: 2\nevent: token", "event: token\nid: 2")), "STR-2");
        assertProblem(stream(good.replace("id: 2\n", "")), "STR-2");
        assertProblem(stream(good.replace(": queued", ": a\n: queued")), "STR-4");
        assertProblem(stream(good.replace("event: token", "event: tokens")), "STR-10");
        assertProblem(stream(good.replace("\"i\":0", "\"n\":0")), "event 2 token");
    }

    @Test
    void shouldReportStreamsOutOfOrder() {
        String good = goodStream();
        assertProblem(stream(good.replace("id: 3", "id: 4")), "STR-3");
        assertProblem(stream("retry: 1000\n\n" + token(1, 0)), "STR-11: token before started");
        assertProblem(stream(good.replace("\"i\":1", "\"i\":2")), "STR-13: token 2 where 1 is due");
        assertProblem(stream(good + token(6, 2)), "STR-12: token after end");
        assertProblem(stream(good + end(6, 2, ",\"first_token_ms\":1", "stop")), "STR-12: end after end");
        assertProblem(stream("retry: 1000\n\n" + STARTED), "no terminal event");
        assertProblem(
                stream("retry: 1000\n\n" + STARTED
                        + end(2, 0, "", "stop").replace("\"decode_ms\":1", "\"decode_ms\":2")),
                "STR-16");
        assertProblem(stream("retry: 1000\n\n" + STARTED + end(2, 0, ",\"first_token_ms\":1", "stop")), "STR-16");
        assertProblem(stream(good.replace("\"tokens_out\":1,", "\"tokens_out\":7,")), "STR-15");
        assertProblem(
                stream("retry: 1000\n\n" + STARTED + token(2, 0)
                        + end(3, 2, ",\"first_token_ms\":1,\"canceled\":true", "canceled")),
                "STR-33");
        assertProblem(stream("retry: 1000\n\n" + end(1, 0, "", "stop")), "STR-11: end before started");
        assertProblem(
                stream("retry: 1000\n\n" + STARTED + STARTED.replace("id: 1", "id: 2") + end(3, 0, "", "stop")),
                "STR-11: started has id 2");
    }

    @Test
    void shouldPassStreamsThatNeverStartedAreCutOffOrResumed() {
        assertThat(verifier.verify(stream("retry: 1000\n\n: queued position=1 eta_ms=2\n\n"
                                + end(1, 0, ",\"canceled\":true", "canceled"))
                        .build()))
                .isEmpty();
        String good = goodStream();
        for (int cut = 0; cut < good.length(); cut++) {
            assertThat(verifier.verify(
                            stream(good.substring(0, cut)).incomplete().build()))
                    .isEmpty();
        }
        String rest = "retry: 1000\n\n" + good.substring(good.indexOf("id: 4"));
        assertThat(verifier.verify(
                        stream(rest).requestHeader("Last-Event-ID", "3").build()))
                .isEmpty();
        assertProblem(stream(rest).requestHeader("Last-Event-ID", "2"), "STR-3");
        assertProblem(stream(rest.replace("\"i\":1", "\"i\":3")).requestHeader("Last-Event-ID", "3"), "STR-13");
        assertThat(verifier.verify(stream("retry: 1000\n\n")
                        .requestHeader("Last-Event-ID", "5")
                        .build()))
                .isEmpty();
    }

    @Test
    void shouldReportCoverageThatLacksOrContradicts() {
        verifier.verify(answer("POST", "/v1/tasks/" + ID + "/cancel", 204).build());
        Coverage coverage = verifier.coverage();
        assertThat(coverage.documented())
                .contains("POST /v1/tasks 202", "* 431")
                .hasSizeGreaterThan(80);
        List<String> problems = coverage.problems(Map.of(
                "POST /v1/tasks 202", "another test",
                "POST /v1/tasks 299", "nobody",
                "POST /v1/tasks/{id}/cancel 204", "seen",
                "* 500", " "));
        assertThat(problems)
                .contains(
                        "documented, never seen, not exempt: GET /v1/pools 200",
                        "exempt, but nobody documents it: POST /v1/tasks 299",
                        "exempt, but it was seen: POST /v1/tasks/{id}/cancel 204",
                        "exempt without a reason: * 500")
                .noneMatch(problem -> problem.endsWith("POST /v1/tasks 202"));
    }

    private void assertProblem(Exchange.Builder exchange, String problem) {
        assertThat(verifier.verify(exchange.build())).anyMatch(line -> line.contains(problem));
    }

    private static Exchange.Builder answer(String method, String target, int status) {
        return Exchange.of(method, target)
                .requestHeader("X-Correlation-Id", "c1")
                .status(status)
                .responseHeader("X-Correlation-Id", "c1");
    }

    private static Exchange.Builder json(String method, String target, int status, String body) {
        return answer(method, target, status)
                .responseHeader("Content-Type", "application/json")
                .body(body);
    }

    private static Exchange.Builder cancel(String asked, String given) {
        return Exchange.of("POST", "/v1/tasks/" + ID + "/cancel")
                .requestHeader("X-Correlation-Id", asked)
                .status(204)
                .responseHeader("X-Correlation-Id", given);
    }

    private static Exchange.Builder admission(String request, String body) {
        return json("POST", "/v1/tasks", 202, body).requestBody(request);
    }

    private static Exchange.Builder error(
            String method, String target, int status, String code, boolean retriable, String more) {
        return error(method, target, status, code, retriable, Boolean.toString(retriable), "c1", more);
    }

    private static Exchange.Builder error(
            String method,
            String target,
            int status,
            String code,
            boolean retriable,
            String shouldRetry,
            String correlationId,
            String more) {
        return json(
                        method,
                        target,
                        status,
                        "{\"code\":\"" + code + "\",\"message\":\"m\",\"retriable\":" + retriable
                                + ",\"correlation_id\":\"" + correlationId + "\"" + more + "}")
                .responseHeader("x-should-retry", shouldRetry);
    }

    private static Exchange.Builder rejected(String backoffMs, String retryAfter) {
        return error("POST", "/v1/tasks", 429, "ADMISSION_REJECT", true, ",\"retry_after_ms\":1250")
                .responseHeader("Retry-After", retryAfter)
                .responseHeader("X-Backoff-Ms", backoffMs);
    }

    private static Exchange.Builder stream(String body) {
        return answer("GET", STREAM, 200)
                .responseHeader("Content-Type", "text/event-stream")
                .responseHeader("Cache-Control", "no-cache, no-store")
                .responseHeader("X-Accel-Buffering", "no")
                .responseHeader("Transfer-Encoding", "chunked")
                .body(body);
    }

    private static String goodStream() {
        return "retry: 1000\n\n: queued position=3 eta_ms=4\n\n" + STARTED + token(2, 0)
                + "id: 3\nevent: metrics\ndata: {\"queue_depth\":0,\"on_time_probability\":1,\"kv_warmth\":true,"
                + "\"tokens_out\":1,\"tokens_per_s\":2.5}\n\n" + token(4, 1)
                + end(5, 2, ",\"first_token_ms\":1", "stop");
    }

    private static String token(long id, int index) {
        return "id: " + id + "\nevent: token\ndata: {\"t\":\"é\",\"i\":" + index + "}\n\n";
    }

    private static String end(long id, int tokensOut, String more, String reason) {
        return "id: " + id + "\nevent: end\ndata: {\"tokens_in\":1,\"tokens_out\":" + tokensOut
                + ",\"decode_ms\":1,\"decode_time_ms\":1,\"queue_time_ms\":1,\"finish_reason\":\"" + reason + "\""
                + more
                + "}\n\n";
    }
}
