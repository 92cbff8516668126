package io.llamaorch.orchestratord.llamaworker.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.llamaworker.binding.LlamaModel;
import io.llamaorch.orchestratord.llamaworker.binding.NativeLibrary;
import io.llamaorch.orchestratord.llamaworker.engine.DecodeLoop;
import io.llamaorch.orchestratord.llamaworker.testing.TinyGguf;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@NullUnmarked
@Timeout(60)
class WorkerServerIT {
    private static final int CTX = 65_536;
    private static final Pattern CONTENT = Pattern.compile("\"content\":\"(.*?)\",\"tokens\"");

    @TempDir
    static Path folder;

    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static LlamaModel model;
    private static DecodeLoop loop;
    private static WorkerServer server;

    @BeforeAll
    static void start() throws Exception {
        Path file = TinyGguf.writeInto(folder);
        model = LlamaModel.load(NativeLibrary.open(), file, line -> {});
        loop = new DecodeLoop(model, CTX, 1, 1, 1);
        loop.start((thread, e) -> e.printStackTrace());
        server = new WorkerServer(InetAddress.getLoopbackAddress(), 0);
        server.serve(new Serving(model, loop, file.toString(), "worker-test"));
    }

    @AfterAll
    static void stop() {
        server.close();
        loop.close();
    }

    private static HttpResponse<String> get(String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + server.port() + path);
        return CLIENT.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpResponse<String> post(String path, String body) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + server.port() + path);
        HttpRequest request = HttpRequest.newBuilder(uri)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private static String complete(String members) throws Exception {
        HttpResponse<String> answer = post("/completion", "{\"cache_prompt\":false," + members + "}");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return answer.body();
    }

    private static String content(String object) {
        Matcher matcher = CONTENT.matcher(object);
        assertThat(matcher.find()).as(object).isTrue();
        return matcher.group(1);
    }

    private static List<String> frames(String stream) {
        assertThat(stream).endsWith("\n\n");
        return List.of(stream.substring(0, stream.length() - 2).split("\n\n", -1));
    }

    private static String joined(List<String> frames) {
        StringBuilder text = new StringBuilder();
        frames.forEach(frame -> text.append(content(frame)));
        return text.toString();
    }

    private static void awaitProcessing(int processing) {
        while (loop.processing() != processing) {
            assertThat(Thread.interrupted()).as("timed out").isFalse();
        }
    }

    /** A stream without an end, read up to its first token's frame. */
    private static Socket endless() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        String body = "{\"prompt\":\"bade\",\"stream\":true}";
        String head = "POST /completion HTTP/1.1\r\nHost: w\r\nContent-Length: " + body.length() + "\r\n\r\n";
        socket.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
        BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        while (!in.readLine().startsWith("data: ")) {
            // The head, and the chunk's length.
        }
        return socket;
    }

    @Test
    void shouldStreamOneFrameATokenAndSayHowItEnded() throws Exception {
        String members = "\"prompt\":\"bade\",\"n_predict\":4,\"seed\":3";
        List<String> frames = frames(complete(members + ",\"stream\":true"));
        assertThat(frames).hasSize(5);
        for (int i = 0; i < 4; i++) {
            assertThat(frames.get(i))
                    .matches("data: \\{\"index\":0,\"content\":\" ?[a-z]+\",\"tokens\":\\[[0-9]+],\"stop\":false,"
                            + "\"id_slot\":-1,\"tokens_predicted\":" + (i + 1) + ",\"tokens_evaluated\":3}");
        }
        assertThat(frames.get(4))
                .startsWith("data: {\"index\":0,\"content\":\"\",\"tokens\":[],\"id_slot\":0,\"stop\":true,"
                        + "\"model\":\"tiny.gguf\",\"tokens_predicted\":4,\"tokens_evaluated\":3,")
                .contains(
                        "\"stop_type\":\"limit\",\"stopping_word\":\"\"", "\"timings\":{\"cache_n\":0,\"prompt_n\":3,");
        assertThat(content(complete(members))).isEqualTo(joined(frames)).isNotEmpty();
    }

    @Test
    void shouldEndAtAStopTextThatTokensShare() throws Exception {
        String whole = content(complete("\"prompt\":\"bade\",\"n_predict\":40,\"seed\":3"));
        String stop = whole.substring(21, 26);
        String members = "\"prompt\":\"bade\",\"n_predict\":40,\"seed\":3,\"stop\":[\"" + stop + "\",\"§\"]";
        String expected = whole.substring(0, whole.indexOf(stop));
        List<String> frames = frames(complete(members + ",\"stream\":true"));
        assertThat(joined(frames)).isEqualTo(expected);
        assertThat(frames.get(frames.size() - 1)).contains("\"stop_type\":\"word\",\"stopping_word\":\"" + stop + "\"");
        assertThat(content(complete(members))).isEqualTo(expected);
    }

    @Test
    void shouldAnswerWithinAJsonSchema() throws Exception {
        String schema = "{\"type\":\"object\",\"properties\":{\"kind\":{\"enum\":[\"ä\",null]},"
                + "\"n\":{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2,\"maxItems\":2}},"
                + "\"required\":[\"kind\",\"n\"]}";
        for (int seed = 1; seed <= 5; seed++) {
            String text = content(complete("\"prompt\":\"bade\",\"seed\":" + seed + ",\"json_schema\":" + schema));
            assertThat(text.replace("\\\"", "\""))
                    .matches("\\{\"kind\": ?(\"ä\"|null), ?\"n\": ?\\[(true|false), ?(true|false)]}");
        }
    }

    @Test
    void shouldNeverCutACharacter() throws Exception {
        String text = "né 😀✓";
        String members = "\"prompt\":\"bade\",\"grammar\":\"root ::= \\\"" + text + "\\\"\"";
        List<String> frames = frames(complete(members + ",\"stream\":true"));
        String last = frames.get(frames.size() - 1);
        assertThat(last).contains("\"stop_type\":\"eos\"");
        assertThat(joined(frames)).isEqualTo(text);
        assertThat(frames).noneMatch(frame -> frame.contains("\ufffd"));
        // Its limit lies after the first byte of the fourth character.
        String cut = members + ",\"n_predict\":5";
        assertThat(content(complete(cut))).isEqualTo("né \ufffd");
        assertThat(joined(frames(complete(cut + ",\"stream\":true")))).isEqualTo("né \ufffd");
    }

    @Test
    void shouldDrawBySeed() throws Exception {
        String three = content(complete("\"prompt\":\"bade\",\"n_predict\":100,\"seed\":3"));
        assertThat(content(complete("\"prompt\":\"bade\",\"n_predict\":100,\"seed\":3")))
                .isEqualTo(three);
        assertThat(content(complete("\"prompt\":\"bade\",\"n_predict\":100,\"seed\":4")))
                .isNotEqualTo(three);
        String likeliest = content(complete("\"prompt\":\"bade\",\"n_predict\":50,\"seed\":1,\"temperature\":0"));
        assertThat(content(complete("\"prompt\":\"bade\",\"n_predict\":50,\"seed\":2,\"temperature\":0")))
                .isEqualTo(likeliest);
    }

    @Test
    void shouldTakeAPromptOfTokens() throws Exception {
        assertThat(post("/tokenize", "{\"content\":\"bade\",\"add_special\":true}")
                        .body())
                .isEqualTo("{\"tokens\":[1," + tokens("bade") + "]}");
        String byTokens = "\"prompt\":[1," + tokens("bade") + "],\"n_predict\":20,\"seed\":3";
        assertThat(content(complete(byTokens)))
                .isEqualTo(content(complete("\"prompt\":\"bade\",\"n_predict\":20,\"seed\":3")));
    }

    private static String tokens(String text) {
        StringBuilder out = new StringBuilder();
        for (int token : model.tokenize(text, false, true)) {
            out.append(out.isEmpty() ? "" : ",").append(token);
        }
        return out.toString();
    }

    @Test
    void shouldRefuseAPromptThatTheContextCannotHold() throws Exception {
        HttpResponse<String> answer = post("/completion", "{\"prompt\":\"" + "bade".repeat(40_000) + "\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body())
                .contains("\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":80001,\"n_ctx\":" + CTX);
    }

    @Test
    void shouldNotGoThroughAPromptThatIsSurelyTooLong() throws Exception {
        HttpResponse<String> answer = post("/completion", "{\"prompt\":\"" + "bade".repeat(900_000) + "\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("\"n_prompt_tokens\":" + 3_600_000 / model.longestToken() + ",");
    }

    @Test
    void shouldRefuseAGrammarThatWouldEndTheProcess() throws Exception {
        String grammar = "root ::= " + "(".repeat(30_000) + "[a]" + ")".repeat(30_000);
        HttpResponse<String> answer = post("/completion", "{\"prompt\":\"a\",\"grammar\":\"" + grammar + "\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(get("/health").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{                                        | 400 | invalid_request_error",
                "[]                                       | 400 | invalid_request_error",
                "{}                                       | 400 | invalid_request_error",
                "{\"prompt\":5}                           | 400 | invalid_request_error",
                "{\"prompt\":[999999]}                    | 400 | invalid_request_error",
                "{\"prompt\":[]}                          | 400 | invalid_request_error",
                "{\"prompt\":\"a\",\"seed\":1.5}          | 400 | invalid_request_error",
                "{\"prompt\":\"a\",\"top_p\":2}           | 400 | invalid_request_error",
                "{\"prompt\":\"a\",\"grammar\":\"root\"}  | 400 | invalid_request_error",
                "{\"prompt\":\"a\",\"stream\":1}          | 400 | invalid_request_error",
                "{\"prompt\":\"a\",\"mirostat\":2}        | 501 | not_supported_error",
                "{\"prompt\":\"a\",\"logit_bias\":[[1,2]]} | 501 | not_supported_error",
                "{\"prompt\":\"a\",\"json_schema\":{\"$ref\":\"#/a\"}} | 501 | not_supported_error"
            })
    void shouldSayWhatIsWrongWithARequest(String body, int status, String type) throws Exception {
        HttpResponse<String> answer = post("/completion", body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).startsWith("{\"error\":{\"code\":" + status).contains("\"type\":\"" + type + "\"");
    }

    @Test
    void shouldFreeTheSlotWhenTheClientLeaves() throws Exception {
        long before = loop.figures().predictedTokens();
        try (Socket stream = endless()) {
            assertThat(stream.isConnected()).isTrue();
            assertThat(loop.isBusy(0)).isTrue();
            assertThat(get("/slots").body()).contains("\"is_processing\":true");
            assertThat(get("/slots?fail_on_no_slot=1").statusCode()).isEqualTo(503);
            assertThat(get("/metrics").body()).contains("\nllamacpp:requests_processing 1\n");
        }
        awaitProcessing(0);
        assertThat(loop.figures().predictedTokens() - before).isLessThan(CTX - 3);
        assertThat(get("/slots").body()).contains("\"is_processing\":false");
    }

    @Test
    void shouldAnswer503WhenSlotsAndQueueAreFull() throws Exception {
        try (Socket running = endless()) {
            try (Socket waiting = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                String body = "{\"prompt\":\"bade\"}";
                String head = "POST /completion HTTP/1.1\r\nHost: w\r\nContent-Length: " + body.length() + "\r\n\r\n";
                waiting.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
                while (loop.deferred() != 1) {
                    assertThat(Thread.interrupted()).as("timed out").isFalse();
                }
                HttpResponse<String> answer = post("/completion", "{\"prompt\":\"bade\"}");
                assertThat(answer.statusCode()).isEqualTo(503);
                assertThat(answer.body()).contains("\"type\":\"unavailable_error\"", "no slot");
                assertThat(get("/metrics").body()).contains("\nllamacpp:requests_deferred 1\n");
            }
            while (loop.deferred() != 0) {
                assertThat(Thread.interrupted()).as("timed out").isFalse();
            }
            assertThat(running.isClosed()).isFalse();
        }
        awaitProcessing(0);
    }

    @Test
    void shouldSayWhatItServes() throws Exception {
        assertThat(get("/health").body()).isEqualTo("{\"status\":\"ok\"}");
        assertThat(get("/props").body())
                .contains("\"total_slots\":1", "\"n_ctx\":" + CTX, "\"build_info\":\"worker-test\"");
        assertThat(get("/models").body()).contains("\"id\":\"tiny.gguf\"", "\"n_ctx_train\":8192");
        assertThat(get("/nothing").statusCode()).isEqualTo(404);
        assertThat(post("/props", "{}").statusCode()).isEqualTo(404);
    }

    @Test
    void shouldAnswer503UntilTheModelIsLoaded() throws Exception {
        try (WorkerServer loading = new WorkerServer(InetAddress.getLoopbackAddress(), 0)) {
            URI uri = URI.create("http://127.0.0.1:" + loading.port() + "/health");
            HttpResponse<String> answer =
                    CLIENT.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.body())
                    .isEqualTo(
                            "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":\"unavailable_error\"}}");
        }
    }

    @Test
    void shouldSayWhichAddressIsTaken() {
        assertThatThrownBy(() -> new WorkerServer(InetAddress.getLoopbackAddress(), server.port()))
                .isInstanceOf(ListenException.class)
                .hasMessageContaining("127.0.0.1:" + server.port());
    }
}
