package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * llama-server, engines.md §1. With the knob {@code models=a,b} it is a router: each model is {@code unloaded} until
 * {@code POST /models/load}, then {@code loading} for two looks at {@code /models}, then {@code loaded}; a model whose
 * name ends in {@code bad} fails instead.
 */
final class LlamaDialect implements DoubleDialect {
    private static final byte[] STREAM_HEAD = String.join(
                    "\r\n",
                    "HTTP/1.1 200 OK",
                    "Keep-Alive: timeout=5, max=100",
                    "Content-Type: text/event-stream",
                    "Server: llama.cpp",
                    "Transfer-Encoding: chunked",
                    "Access-Control-Allow-Origin: ",
                    "",
                    "")
            .getBytes(StandardCharsets.US_ASCII);

    @Override
    public String engine() {
        return "llamacpp";
    }

    @Override
    public byte[] streamHead() {
        return STREAM_HEAD;
    }

    @Override
    public String error(int status, String type, String message) {
        return "{\"error\":{\"code\":" + status + ",\"message\":\"" + message + "\",\"type\":\"" + type + "\"}}";
    }

    @Override
    public void route(DoubleExchange exchange) throws IOException {
        DoubleState state = exchange.state();
        if (state.loading) {
            exchange.reply(503, error(503, "unavailable_error", "Loading model"));
            return;
        }
        if (!exchange.isAuthorized()
                && !exchange.what().equals("GET /health")
                && !exchange.what().equals("GET /models")) {
            exchange.reply(401, error(401, "authentication_error", "Invalid API Key"));
            return;
        }
        boolean router = !state.models.isEmpty();
        switch (exchange.what()) {
            case "GET /health", "GET /v1/health" -> exchange.reply(200, "{\"status\":\"ok\"}");
            case "GET /props" ->
                exchange.reply(
                        200,
                        router && exchange.query().isEmpty()
                                ? "{\"role\":\"router\",\"max_instances\":4,\"models_autoload\":true}"
                                : props(state));
            case "GET /slots" -> exchange.reply(200, slots(state));
            case "GET /metrics" ->
                exchange.reply(
                        200,
                        "text/plain; version=0.0.4",
                        "# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing " + state.running
                                + "\n# TYPE llamacpp:requests_deferred gauge\nllamacpp:requests_deferred "
                                + state.deferred.size() + "\n");
            case "GET /models" -> exchange.reply(200, models(state));
            case "POST /models/load", "POST /models/unload" -> order(exchange);
            case "POST /tokenize" -> exchange.reply(200, "{\"tokens\":[712,363]}");
            case "POST /completion", "POST /completions" -> completion(exchange);
            case "POST /v1/embeddings" -> DoubleOutputs.embeddings(exchange);
            case "POST /rerank" -> DoubleOutputs.rerank(exchange);
            default -> exchange.reply(404, error(404, "not_found_error", "File Not Found"));
        }
    }

    private static String props(DoubleState state) {
        return "{\"default_generation_settings\":{\"id\":0,\"id_task\":-1,\"n_ctx\":" + state.ctx
                + ",\"params\":{\"n_predict\":-1,\"n_ctx\":1}},\"total_slots\":" + state.slots
                + ",\"model_path\":\"double.gguf\",\"chat_template\":\"\",\"build_info\":\"b1-double\"}";
    }

    private static String slots(DoubleState state) {
        StringBuilder out = new StringBuilder("[");
        for (int i = 0; i < state.slots; i++) {
            boolean busy = i < state.running;
            out.append(i == 0 ? "" : ",")
                    .append("{\"id\":")
                    .append(i)
                    .append(",\"n_ctx\":")
                    .append(state.ctx);
            out.append(",\"speculative\":false,\"is_processing\":").append(busy);
            out.append(busy ? ",\"n_prompt_tokens\":" + state.ctx / 4 : "").append('}');
        }
        return out.append(']').toString();
    }

    private static String models(DoubleState state) {
        StringBuilder out = new StringBuilder("{\"object\":\"list\",\"data\":[");
        String comma = "";
        for (Map.Entry<String, String> model : state.models.entrySet()) {
            String name = model.getKey();
            String value = model.getValue();
            if (value.startsWith("loading") && --state.looksUntilLoaded <= 0) {
                value = name.endsWith("bad") ? "unloaded\",\"exit_code\":1,\"failed\":true,\"x\":\"" : "loaded";
                model.setValue(value);
            }
            out.append(comma).append("{\"id\":\"").append(name).append("\",\"object\":\"model\",\"meta\":null,");
            out.append("\"status\":{\"value\":\"").append(value).append("\"}}");
            comma = ",";
        }
        return out.append("]}").toString();
    }

    private void order(DoubleExchange exchange) throws IOException {
        DoubleState state = exchange.state();
        String model = exchange.members().get("model");
        String now = model == null ? null : state.models.get(model);
        boolean load = exchange.what().endsWith("/load");
        if (model == null || now == null) {
            exchange.reply(load ? 404 : 400, error(load ? 404 : 400, "invalid_request_error", "model not found"));
        } else if (load == !now.startsWith("unloaded")) {
            String message = load ? "model is already running" : "model is not running";
            exchange.reply(400, error(400, "invalid_request_error", message));
        } else {
            state.looksUntilLoaded = 2;
            state.models.put(model, load ? "loading" : "unloaded");
            exchange.reply(200, "{\"success\":true}");
        }
    }

    private void completion(DoubleExchange exchange) throws IOException {
        Map<String, String> body = exchange.members();
        DoubleState state = exchange.state();
        String prompt = body.get("prompt");
        if (prompt == null) {
            exchange.reply(400, error(400, "invalid_request_error", "\\\"prompt\\\" must be a string"));
            return;
        }
        String model = body.get("model");
        if (!state.models.isEmpty() && (model == null || !"loaded".equals(state.models.get(model)))) {
            exchange.reply(400, error(400, "invalid_request_error", "model is not loaded"));
            return;
        }
        DoubleScript script = state.defaults.with(prompt);
        long seed = Long.parseLong(body.getOrDefault("seed", "0"));
        int limit = Integer.parseInt(body.getOrDefault("n_predict", "16"));
        String fault = script.fault == null ? "" : script.fault;
        switch (fault) {
            case "http400" ->
                exchange.reply(
                        400, error(400, "invalid_request_error", "bad parameter near: " + DoubleJson.escape(prompt)));
            case "http401" -> exchange.reply(401, error(401, "authentication_error", "Invalid API Key"));
            case "http429" -> exchange.reply(429, error(429, "rate_limit", "Too many requests at the proxy"));
            case "http500" -> exchange.reply(500, error(500, "server_error", "Something broke"));
            case "http503" -> exchange.reply(503, error(503, "unavailable_error", "Loading model"));
            case "toolong" ->
                exchange.reply(
                        400, error(400, "exceed_context_size_error", "the request exceeds the available context size"));
            case "proxy" -> exchange.reply(500, "text/plain", "proxy error: Could not establish connection");
            default -> exchange.stream(script, prompt, seed, limit);
        }
    }

    @Override
    public String partial(DoubleStream s, String text) {
        String progress = s.sent() == 0 && s.script().is("progress")
                ? "data: {\"index\":0,\"content\":\"\",\"tokens\":[0],\"stop\":false,\"id_slot\":-1,"
                        + "\"tokens_predicted\":0,\"tokens_evaluated\":0,\"prompt_progress\":{\"total\":8,\"cache\":0,"
                        + "\"processed\":4,\"time_ms\":1.5}}\n\n"
                : "";
        return progress + "data: {\"index\":0,\"content\":\"" + text + "\",\"tokens\":[" + (100 + s.sent())
                + "],\"stop\":false,\"id_slot\":-1,\"tokens_predicted\":" + s.sent() + ",\"tokens_evaluated\":"
                + s.promptTokens() + "}\n\n";
    }

    @Override
    public String last(DoubleStream s) {
        return "data: {\"index\":0,\"content\":\"\",\"tokens\":[],\"id_slot\":0,\"stop\":true,\"model\":\"double\","
                + "\"tokens_predicted\":" + s.sent() + ",\"tokens_evaluated\":" + s.promptTokens()
                + ",\"generation_settings\":{\"n_predict\":" + s.limit() + ",\"seed\":" + s.seed()
                + ",\"stop\":[],\"content\":\"no\"},\"prompt\":\"" + DoubleJson.escape(s.prompt())
                + "\",\"has_new_line\":false,\"truncated\":false,\"stop_type\":\""
                + (s.endedByItself() ? "eos" : "limit")
                + "\",\"stopping_word\":\"\",\"tokens_cached\":" + (s.sent() + s.promptTokens())
                + ",\"timings\":{\"prompt_n\":" + s.promptTokens()
                + ",\"prompt_ms\":1.5,\"predicted_n\":" + s.sent() + ",\"predicted_ms\":" + (s.sent() + 0.25)
                + "}}\n\n";
    }

    @Override
    public @Nullable String inBand(DoubleStream s, String fault) {
        return switch (fault) {
            case "inband_error" -> "data: " + error(500, "server_error", "Compute error.") + "\n\n";
            case "context_full" -> "data: " + error(500, "server_error", "Context size has been exceeded.") + "\n\n";
            case "oldstyle_error" ->
                "error: {\"code\":500,\"message\":\"Compute error.\",\"type\":\"server_error\"}\n\n";
            default -> null;
        };
    }
}
