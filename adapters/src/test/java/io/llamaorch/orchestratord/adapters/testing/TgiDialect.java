package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * TGI's native API (engines.md, TGI): no space after {@code data:}, errors of any kind in a frame at HTTP 200, a last frame with
 * a token, {@code generated_text} cut at the stop string that the tokens hold.
 *
 * <p>The knob {@code slots} is {@code max_concurrent_requests}: more are refused, in-band. A generation error makes the
 * next health check fail.
 */
public final class TgiDialect implements DoubleDialect {
    private static final int MAX_STOPS = 4;

    private int failingChecks;
    private int index;

    @Override
    public String engine() {
        return "tgi";
    }

    @Override
    public byte[] streamHead() {
        return DoubleStream.head(
                "content-type: text/event-stream",
                "cache-control: no-cache",
                "x-compute-type: 1-double",
                "x-accel-buffering: no");
    }

    @Override
    public String error(int status, String type, String message) {
        return "{\"error\":\"" + message + "\",\"error_type\":\"" + type + "\"}";
    }

    @Override
    public void route(DoubleExchange exchange) throws IOException {
        DoubleState state = exchange.state();
        if (exchange.what().startsWith("POST ") && !exchange.isAuthorized()) {
            exchange.reply(401, "text/plain", "");
            return;
        }
        switch (exchange.what()) {
            case "GET /health", "GET /ping", "GET /" -> health(exchange);
            case "GET /info" ->
                exchange.reply(
                        200,
                        "{\"model_id\":\"double\",\"model_sha\":null,\"model_dtype\":\"float16\","
                                + "\"max_concurrent_requests\":" + state.slots
                                + ",\"max_best_of\":2,\"max_stop_sequences\":" + MAX_STOPS
                                + ",\"max_input_tokens\":" + (state.ctx - 1) + ",\"max_total_tokens\":" + state.ctx
                                + ",\"router\":\"text-generation-router\",\"version\":\"3.3.6-double\","
                                + "\"sha\":\"abc\",\"docker_label\":null}");
            case "GET /metrics" ->
                exchange.reply(
                        200,
                        "text/plain; version=0.0.4",
                        """
                        # TYPE tgi_queue_size gauge
                        tgi_queue_size 3

                        tgi_batch_current_size %d
                        tgi_batch_current_max_tokens 1024
                        tgi_batch_max_total_tokens 4096
                        tgi_request_queue_duration_count 7
                        """
                                .formatted(state.running));
            case "POST /generate" -> {
                boolean full = state.running >= state.slots;
                exchange.reply(
                        full ? 429 : 200,
                        full ? error(429, "overloaded", "Model is overloaded") : "{\"generated_text\":\"\"}");
            }
            case "POST /generate_stream" -> generate(exchange, DoubleJson.paths(exchange.body()));
            default -> exchange.reply(404, "text/plain", "");
        }
    }

    private void health(DoubleExchange exchange) {
        boolean fails = failingChecks > 0 || exchange.state().loading;
        failingChecks = Math.max(0, failingChecks - 1);
        if (fails) {
            exchange.reply(503, error(503, "healthcheck", "unhealthy"));
        } else {
            exchange.reply(200, "text/plain", "");
        }
    }

    private void generate(DoubleExchange exchange, Map<String, String> body) {
        DoubleState state = exchange.state();
        String prompt = body.get("inputs");
        if (prompt == null || !body.containsKey("parameters")) {
            exchange.reply(422, "text/plain", "Failed to deserialize the JSON body into the target type");
            return;
        }
        DoubleScript script = state.defaults.with(prompt);
        script.asked = body;
        // The last token rides on the last frame, but for an end of text, which is a token of its own.
        script.lastText = script.tokens < 0;
        String invalid = invalid(body);
        String fault = script.fault == null ? "" : script.fault;
        switch (fault) {
            case "http401" -> exchange.reply(401, "text/plain", "");
            case "http413" -> exchange.reply(413, "text/plain", "length limit exceeded");
            case "http500" -> exchange.reply(500, error(500, "incomplete_generation", "Incomplete generation"));
            case "http503" -> exchange.reply(503, error(503, "healthcheck", "unhealthy"));
            case "validation" -> inBand(exchange, "validation", "Input validation error near " + prompt);
            default -> {
                if (invalid != null) {
                    inBand(exchange, "validation", "Input validation error: " + invalid);
                } else if (state.running >= state.slots) {
                    inBand(exchange, "overloaded", "Model is overloaded");
                } else {
                    long seed = Long.parseUnsignedLong(body.getOrDefault("parameters.seed", "0"));
                    int limit = Integer.parseInt(body.getOrDefault("parameters.max_new_tokens", "100"));
                    exchange.stream(script, prompt, seed, limit);
                }
            }
        }
    }

    private void inBand(DoubleExchange exchange, String type, String message) {
        exchange.reply(200, "text/event-stream", "data:" + error(200, type, DoubleJson.escape(message)) + "\n\n");
    }

    /** What the router's validation would refuse; null where nothing. */
    private static @Nullable String invalid(Map<String, String> body) {
        double temperature = Double.parseDouble(body.getOrDefault("parameters.temperature", "1"));
        double topP = Double.parseDouble(body.getOrDefault("parameters.top_p", "0.5"));
        if (temperature <= 0) {
            return "`temperature` must be strictly positive";
        }
        if (topP <= 0 || topP >= 1) {
            return "`top_p` must be > 0.0 and < 1.0";
        }
        if (Integer.parseInt(body.getOrDefault("parameters.top_k", "1")) <= 0) {
            return "`top_k` must be strictly positive";
        }
        if (body.containsKey("parameters.stop." + MAX_STOPS)) {
            return "`stop` supports up to " + MAX_STOPS + " stop sequences";
        }
        return body.getOrDefault("inputs", "").isEmpty() ? "`inputs` cannot be empty" : null;
    }

    @Override
    public String partial(DoubleStream s, String text) {
        if (stop(s) != null) {
            // The token that completes the stop string rides on the last frame.
            s.endWith(text);
            return "";
        }
        boolean special = s.script().specialEvery > 0 && s.sent() % s.script().specialEvery == 0;
        return (special ? frame("<s>", true, "null,\"details\":null") : "")
                + frame(text, false, "null,\"details\":null");
    }

    @Override
    public String last(DoubleStream s) {
        String stop = stop(s);
        boolean eos = stop == null && s.endedByItself();
        String reason = eos ? "eos_token" : stop == null ? "length" : "stop_sequence";
        String whole = DoubleText.plainText(s.prompt(), s.seed(), s.sent());
        String figures = "{\"finish_reason\":\"" + reason + "\",\"generated_tokens\":" + s.sent() + ",\"seed\":"
                + s.seed() + ",\"input_length\":" + s.promptTokens() + "}";
        boolean details = "true".equals(s.script().asked.get("parameters.details"));
        String cut = stop == null ? whole : whole.substring(0, whole.indexOf(stop));
        return frame(
                eos ? "</s>" : s.takeHeldText(),
                eos,
                "\"" + DoubleJson.escape(cut) + "\",\"details\":" + (details ? figures : "null"));
    }

    @Override
    public @Nullable String inBand(DoubleStream s, String fault) {
        String frame =
                switch (fault) {
                    case "overloaded" -> error(429, "overloaded", "Model is overloaded");
                    case "generation" -> error(424, "generation", "Request failed during generation: broke");
                    case "generation_memory" ->
                        error(424, "generation", "Request failed during generation: CUDA out of memory");
                    case "incomplete" -> error(500, "incomplete_generation_stream", "Incomplete generation stream");
                    default -> "";
                };
        failingChecks += fault.startsWith("generation") ? 1 : 0;
        return frame.isEmpty() ? null : "data:" + frame + "\n\n";
    }

    /** The stop string that the text so far holds; null without one. */
    private static @Nullable String stop(DoubleStream s) {
        Map<String, String> asked = s.script().asked;
        if (!asked.containsKey("parameters.stop.0")) {
            return null;
        }
        String text = DoubleText.plainText(s.prompt(), s.seed(), s.sent());
        for (int i = 0; asked.containsKey("parameters.stop." + i); i++) {
            String stop = asked.getOrDefault("parameters.stop." + i, "");
            if (text.contains(stop)) {
                return stop;
            }
        }
        return null;
    }

    private String frame(String token, boolean special, String ending) {
        index++;
        return "data:{\"index\":" + (index + 1) + ",\"token\":{\"id\":" + (100 + index % 900) + ",\"text\":\"" + token
                + "\",\"logprob\":-0.5,\"special\":" + special + "},\"generated_text\":" + ending + "}\n\n";
    }
}
