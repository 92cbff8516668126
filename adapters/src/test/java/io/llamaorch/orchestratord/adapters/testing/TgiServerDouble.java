package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A TGI without a model, wire-faithful to {@code contracts/specs/engines.md} and scriptable in its faults
 * ({@link DoubleScript}): no space after {@code data:}, errors of any kind in a frame at HTTP 200, a last frame with a token.
 *
 * <pre>
 *   knobs:  slots (max_concurrent_requests: more are refused, in-band), max_stops, unhealthy (checks that fail from now on)
 *   faults: overloaded validation generation generation_memory incomplete; a generation error makes the next check fail
 * </pre>
 */
public final class TgiServerDouble extends EngineDouble {
    private int maxStops = 4;
    private int unhealthyChecks;

    private TgiServerDouble() {}

    /** Starts one in this process on a free port. */
    public static TgiServerDouble start(String... knobs) {
        TgiServerDouble engine = new TgiServerDouble();
        engine.start(knobsOf(knobs));
        return engine;
    }

    /** Runs one as a process. */
    public static void main(String[] args) throws IOException {
        run(new TgiServerDouble(), args);
    }

    @Override
    boolean knob(String name, String value) {
        switch (name) {
            case "max_stops" -> maxStops = Integer.parseInt(value);
            case "unhealthy" -> unhealthyChecks = Integer.parseInt(value);
            default -> {
                return false;
            }
        }
        return true;
    }

    @Override
    void route(EngineDoubleConnection client, String what, byte[] body) throws IOException {
        switch (what) {
            case "GET /health", "GET /ping", "GET /" -> health(client);
            case "GET /info" ->
                client.reply(
                        200,
                        "application/json",
                        "{\"model_id\":\"double\",\"model_sha\":null,\"model_dtype\":\"float16\","
                                + "\"max_concurrent_requests\":" + state.slots
                                + ",\"max_best_of\":2,\"max_stop_sequences\":" + maxStops
                                + ",\"max_input_tokens\":4095,\"max_total_tokens\":4096,\"validation_workers\":2,"
                                + "\"max_client_batch_size\":4,\"router\":\"text-generation-router\","
                                + "\"version\":\"3.3.6-double\",\"sha\":\"abc\",\"docker_label\":null}");
            case "GET /metrics" ->
                client.reply(
                        200,
                        "text/plain; version=0.0.4",
                        String.join(
                                "\n",
                                "# TYPE tgi_queue_size gauge",
                                "tgi_queue_size 3",
                                "",
                                "tgi_batch_current_size " + state.running,
                                "tgi_batch_current_max_tokens 1024",
                                "tgi_batch_max_total_tokens 4096",
                                "tgi_request_queue_duration_count 7",
                                ""));
            case "POST /generate" -> {
                if (state.running >= state.slots) {
                    client.reply(429, "application/json", fault("Model is overloaded", "overloaded"));
                } else {
                    client.reply(200, "application/json", "{\"generated_text\":\"\"}");
                }
            }
            case "POST /generate_stream" -> generate(client, DoubleJson.paths(body));
            default -> client.reply(404, "text/plain", "");
        }
    }

    private void health(EngineDoubleConnection client) {
        if (unhealthyChecks > 0) {
            unhealthyChecks--;
            client.reply(503, "application/json", fault("unhealthy", "healthcheck"));
        } else {
            client.reply(200, "text/plain", "");
        }
    }

    private void generate(EngineDoubleConnection client, Map<String, String> body) throws IOException {
        String prompt = body.get("inputs");
        if (prompt == null || !body.containsKey("parameters")) {
            client.reply(422, "text/plain", "Failed to deserialize the JSON body into the target type");
            return;
        }
        DoubleScript script = state.defaults.with(prompt);
        String fault = script.fault == null ? "" : script.fault;
        switch (fault) {
            case "http401" -> client.reply(401, "text/plain", "");
            case "http413" -> client.reply(413, "text/plain", "length limit exceeded");
            case "http500" -> client.reply(500, "application/json", fault("broke", "incomplete_generation"));
            case "http503" -> client.reply(503, "application/json", fault("unhealthy", "healthcheck"));
            default -> {
                String invalid = invalid(body);
                if (invalid != null) {
                    script.fault = "validation";
                    script.faultAt = 0;
                } else if (state.running >= state.slots) {
                    script.fault = "overloaded";
                    script.faultAt = 0;
                }
                Answer answer = new Answer(prompt, body, invalid == null ? "" : invalid);
                int limit = Integer.parseInt(body.getOrDefault("parameters.max_new_tokens", "100"));
                client.stream(new EngineDoubleStream(state, client.channel(), script, answer, limit));
            }
        }
    }

    /** What the router's validation would refuse; null where nothing. */
    private @Nullable String invalid(Map<String, String> body) {
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
        if (body.containsKey("parameters.stop." + maxStops)) {
            return "`stop` supports up to " + maxStops + " stop sequences";
        }
        return body.getOrDefault("inputs", "").isEmpty() ? "`inputs` cannot be empty" : null;
    }

    private static String fault(String error, String type) {
        return "{\"error\":\"" + DoubleJson.escape(error) + "\",\"error_type\":\"" + type + "\"}";
    }

    private final class Answer implements EngineDoubleStream.Frames {
        private final String prompt;
        private final long seed;
        private final boolean details;
        private final String invalid;
        private final List<String> stops = new ArrayList<>();
        private final StringBuilder text = new StringBuilder();
        private int index;

        Answer(String prompt, Map<String, String> body, String invalid) {
            this.prompt = prompt;
            this.seed = Long.parseUnsignedLong(body.getOrDefault("parameters.seed", "0"));
            this.details = body.getOrDefault("parameters.details", "false").equals("true");
            this.invalid = invalid;
            for (int i = 0; body.containsKey("parameters.stop." + i); i++) {
                stops.add(body.getOrDefault("parameters.stop." + i, ""));
            }
        }

        @Override
        public String headers() {
            return String.join(
                    "\r\n",
                    "content-type: text/event-stream",
                    "cache-control: no-cache",
                    "x-compute-type: 1-double",
                    "x-accel-buffering: no",
                    "");
        }

        @Override
        public String token(EngineDoubleStream stream, int i) {
            StringBuilder out = new StringBuilder();
            DoubleScript script = stream.script;
            if (script.specialEvery > 0 && i % script.specialEvery == 0) {
                out.append(frame("<s>", true, null));
            }
            if (script.emptyEvery > 0 && i % script.emptyEvery == 0) {
                out.append(frame("", false, null));
            }
            String token = DoubleText.token(prompt, seed, i);
            text.append(DoubleText.plain(token));
            String stop = stopped();
            boolean limit = stream.isLast(i) && !stream.isEos();
            if (stop != null || limit) {
                stream.finish();
                return out.append(frame(token, false, ending(stop == null ? "length" : "stop_sequence", i + 1, stop)))
                        .toString();
            }
            if (script.cutChars && token.endsWith("🙂")) {
                return out.append(frame(" \\ud83d", false, null))
                        .append(frame("\\ude42", false, null))
                        .toString();
            }
            return out.append(frame(token, false, null)).toString();
        }

        @Override
        public String last(EngineDoubleStream stream) {
            return stream.isEos() && stopped() == null
                    ? frame("</s>", true, ending("eos_token", stream.sent() + 1, null))
                    : "";
        }

        @Override
        public @Nullable String fault(String kind) {
            String frame =
                    switch (kind) {
                        case "overloaded" -> TgiServerDouble.fault("Model is overloaded", "overloaded");
                        case "validation" ->
                            TgiServerDouble.fault(
                                    "Input validation error: " + invalid + " near " + prompt, "validation");
                        case "generation" -> {
                            unhealthyChecks++;
                            yield TgiServerDouble.fault("Request failed during generation: broke", "generation");
                        }
                        case "generation_memory" -> {
                            unhealthyChecks++;
                            yield TgiServerDouble.fault(
                                    "Request failed during generation: CUDA out of memory", "generation");
                        }
                        case "incomplete" ->
                            TgiServerDouble.fault("Incomplete generation stream", "incomplete_generation_stream");
                        default -> "";
                    };
            return frame.isEmpty() ? null : "data:" + frame + "\n\n";
        }

        private @Nullable String stopped() {
            for (String stop : stops) {
                if (text.indexOf(stop) >= 0) {
                    return stop;
                }
            }
            return null;
        }

        private String ending(String reason, int tokens, @Nullable String stop) {
            String whole = stop == null ? text.toString() : text.substring(0, text.indexOf(stop));
            String figures = "{\"finish_reason\":\"" + reason + "\",\"generated_tokens\":" + tokens + ",\"seed\":"
                    + seed + ",\"input_length\":" + Math.max(1, prompt.length() / 4) + "}";
            return "\"" + DoubleJson.escape(whole) + "\",\"details\":" + (details ? figures : "null");
        }

        private String frame(String token, boolean special, @Nullable String ending) {
            index++;
            return "data:{\"index\":" + (index + 1) + ",\"token\":{\"id\":" + (100 + index) + ",\"text\":\"" + token
                    + "\",\"logprob\":-0.5,\"special\":" + special + "},\"generated_text\":"
                    + (ending == null ? "null,\"details\":null" : ending) + "}\n\n";
        }
    }
}
