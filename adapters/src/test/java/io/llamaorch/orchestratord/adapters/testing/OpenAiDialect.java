package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The OpenAI-compatible servers of engines.md §2 and §5, with what each does in its own way. */
enum OpenAiDialect implements DoubleDialect {
    /** vLLM: compact chunks, spaced error frames, {@code [DONE]} after an error. */
    VLLM("vllm"),
    /** SGLang: every null is there; errors are flat. */
    SGLANG("sglang"),
    /** Ollama: a zero usage on each chunk; a mid-stream error is swallowed. */
    OLLAMA("ollama"),
    /** A plain old server: no {@code stream_options}, {@code finish_reason} {@code ""}, no {@code [DONE]}. */
    PLAIN("openai");

    private final String name;

    OpenAiDialect(String name) {
        this.name = name;
    }

    @Override
    public String engine() {
        return name;
    }

    @Override
    public String error(int status, String type, String message) {
        return this == SGLANG
                ? "{\"object\":\"error\",\"message\":\"" + message + "\",\"type\":\"" + type
                        + "\",\"param\":null,\"code\":" + status + "}"
                : "{\"error\":{\"message\":\"" + message + "\",\"type\":\"" + type + "\",\"param\":null,\"code\":"
                        + (this == OLLAMA ? "null" : status) + "}}";
    }

    @Override
    public void route(DoubleExchange exchange) throws IOException {
        DoubleState state = exchange.state();
        if (!exchange.isAuthorized() && exchange.what().contains(" /v1/")) {
            exchange.reply(401, "{\"error\":\"Unauthorized\"}");
            return;
        }
        switch (exchange.what()) {
            case "GET /health" ->
                exchange.reply(this == VLLM || this == SGLANG ? (state.loading ? 503 : 200) : 404, "text/plain", "");
            case "GET /version" ->
                exchange.reply(this == VLLM ? 200 : 404, this == VLLM ? "{\"version\":\"0.0.1-double\"}" : "{}");
            case "GET /v1/models" ->
                exchange.reply(
                        200,
                        "{\"object\":\"list\",\"data\":["
                                + (state.loading
                                        ? ""
                                        : "{\"id\":\"double\",\"object\":\"model\",\"created\":1,\"owned_by\":\"" + name
                                                + "\",\"root\":\"double\",\"parent\":null,\"max_model_len\":"
                                                + state.ctx
                                                + ",\"permission\":[{\"id\":\"no\"}]}")
                                + "]}");
            case "GET /metrics" -> metrics(exchange);
            case "POST /v1/completions" -> completion(exchange);
            case "POST /v1/embeddings" -> DoubleOutputs.embeddings(exchange);
            case "POST /rerank", "POST /v1/rerank" -> DoubleOutputs.rerank(exchange);
            default -> exchange.reply(404, "{\"detail\":\"Not Found\"}");
        }
    }

    private void metrics(DoubleExchange exchange) {
        DoubleState state = exchange.state();
        int queued = state.deferred.size();
        switch (this) {
            case VLLM ->
                exchange.reply(
                        200,
                        "text/plain; version=0.0.4",
                        """
                        # HELP vllm:num_requests_running Number of requests.
                        # TYPE vllm:num_requests_running gauge
                        vllm:num_requests_running{engine="0",model_name="double"} %d.0
                        vllm:num_requests_waiting{engine="0",model_name="double"} %d.0
                        vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 77.0
                        vllm:kv_cache_usage_perc{engine="0",model_name="double"} 0.25
                        vllm:kv_cache_usage_perc_created{engine="0"} 1.7e9
                        """
                                .formatted(state.running, queued));
            case SGLANG ->
                exchange.reply(
                        200,
                        "text/plain",
                        "sglang:num_running_reqs{model_name=\"d\"} " + state.running + "\nsglang:num_queue_reqs "
                                + queued + "\nsglang:token_usage 0.5\n");
            default -> exchange.reply(404, "text/plain", "404 page not found");
        }
    }

    private void completion(DoubleExchange exchange) throws IOException {
        Map<String, String> body = exchange.members();
        DoubleState state = exchange.state();
        String prompt = body.get("prompt");
        String model = body.getOrDefault("model", "double");
        if (prompt == null) {
            exchange.reply(400, error(400, "BadRequestError", "prompt is missing"));
            return;
        }
        if (!model.equals("double")) {
            exchange.reply(404, error(404, "NotFoundError", "The model does not exist."));
            return;
        }
        boolean wantsUsage = DoubleJson.has(exchange.body(), "stream_options");
        if (this == PLAIN && wantsUsage) {
            exchange.reply(400, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"extra fields not permitted\"}]}");
            return;
        }
        DoubleScript script = state.defaults.with(prompt);
        script.usage = wantsUsage;
        long seed = Long.parseLong(body.getOrDefault("seed", "0"));
        int limit = Integer.parseInt(body.getOrDefault("max_tokens", "16"));
        String fault = script.fault == null ? "" : script.fault;
        switch (fault) {
            case "http400" ->
                exchange.reply(400, error(400, "BadRequestError", "bad parameter near: " + DoubleJson.escape(prompt)));
            case "http401" -> exchange.reply(401, "{\"error\":\"Unauthorized\"}");
            case "http429" -> exchange.reply(429, error(429, "rate_limit", "Too many requests"));
            case "http500" -> exchange.reply(500, error(500, "InternalServerError", "Something broke"));
            case "http503" -> exchange.reply(503, error(503, "ServiceUnavailable", "warming up"));
            case "queuefull" -> exchange.reply(503, error(503, "SERVICE_UNAVAILABLE", "The request queue is full."));
            case "dead" -> exchange.reply(500, error(500, "InternalServerError", "EngineCore encountered an issue."));
            case "toolong" -> exchange.reply(400, error(400, "BadRequestError", "maximum context length is 8 tokens"));
            default -> exchange.stream(script, prompt, seed, limit);
        }
    }

    @Override
    public String partial(DoubleStream s, String text) {
        return chunk(s, text, this == PLAIN ? "\"\"" : "null");
    }

    @Override
    public String last(DoubleStream s) {
        String reason = s.endedByItself() ? "\"stop\"" : "\"length\"";
        String usage = "{\"prompt_tokens\":" + s.promptTokens() + ",\"total_tokens\":" + (s.promptTokens() + s.sent())
                + ",\"completion_tokens\":" + s.sent() + "}";
        String finish = chunk(s, s.takeHeldText(), reason);
        if (this == PLAIN) {
            return finish;
        }
        String figures = s.script().usage
                ? "data: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1,\"model\":\"double\",\"choices\":[],"
                        + "\"usage\":" + usage + "}\n\n"
                : "";
        return finish + figures + "data: [DONE]\n\n";
    }

    private String chunk(DoubleStream s, String text, String finish) {
        String more =
                switch (this) {
                    case VLLM ->
                        ",\"logprobs\":null,\"finish_reason\":" + finish
                                + ",\"stop_reason\":null,\"prompt_token_ids\":null,\"token_ids\":null}]}";
                    case SGLANG ->
                        ",\"logprobs\":null,\"finish_reason\":" + finish
                                + ",\"matched_stop\":null,\"hidden_states\":null}],\"usage\":null}";
                    case OLLAMA ->
                        ",\"finish_reason\":" + finish + "}],\"system_fingerprint\":\"fp_ollama\",\"usage\":"
                                + "{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}}";
                    case PLAIN -> ",\"finish_reason\":" + finish + "}]}";
                };
        return "data: {\"id\":\"cmpl-" + s.sent()
                + "\",\"object\":\"text_completion\",\"created\":1,\"model\":\"double\","
                + "\"choices\":[{\"index\":0,\"text\":\"" + text + "\"" + more + "\n\n";
    }

    @Override
    public @Nullable String inBand(DoubleStream s, String fault) {
        return switch (fault) {
            case "inband_error" ->
                switch (this) {
                    case OLLAMA ->
                        "data: {\"id\":\"\",\"object\":\"\",\"created\":0,\"model\":\"\",\"choices\":null}\n\n";
                    case SGLANG ->
                        "data: {\"error\": {\"object\": \"error\", \"message\": \"Something broke\", \"type\": "
                                + "\"InternalServerError\", \"param\": null, \"code\": 500}}\n\ndata: [DONE]\n\n";
                    default ->
                        "data: {\"error\": {\"message\": \"Something broke\", \"type\": \"InternalServerError\", "
                                + "\"param\": null, \"code\": 500}}\n\ndata: [DONE]\n\n";
                };
            case "inband_full" ->
                "data: {\"error\": {\"object\":\"error\",\"message\":\"The request queue is full.\",\"type\":"
                        + "\"SERVICE_UNAVAILABLE\",\"param\":null,\"code\":503}}\n\ndata: [DONE]\n\n";
            case "abort" -> chunk(s, "", "\"abort\"") + "data: [DONE]\n\n";
            case "done_only" -> "data: [DONE]\n\n";
            default -> null;
        };
    }
}
