package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A Triton with TensorRT-LLM without either, wire-faithful to {@code contracts/specs/engines.md} and scriptable in its
 * faults ({@link DoubleScript}): keys in the order of the alphabet, one-element tensors as scalars, streams that end with
 * nothing, the status of the first response, 400 for what is not ready, metrics on a port of their own.
 *
 * <pre>
 *   models: ensemble (delta; input seed), old (delta; input random_seed), tensorrt_llm (LLM API: cumulative, finish_reason)
 *   knobs:  slots (max_queue_size: more are refused), explicit (model control, else 503), loaded=a,b (models that are),
 *           overlooks (stop words are not noticed), says_reason (0: the LLM API model has no return_finish_reason),
 *           broken (a model whose load fails)
 *   faults: inband_error cancelled; at once: first503 (status of the first response) error200 http500 http403
 *           nothing (an end before any frame)
 * </pre>
 */
public final class TritonServerDouble extends EngineDouble {
    private static final String JSON = "application/json";
    private static final Set<String> ENSEMBLE = Set.of(
            "text_input",
            "max_tokens",
            "stream",
            "temperature",
            "top_k",
            "top_p",
            "repetition_penalty",
            "stop_words",
            "exclude_input_in_output",
            "return_num_input_tokens",
            "guided_decoding_guide_type",
            "guided_decoding_guide");
    private static final Set<String> LLM_API = Set.of(
            "text_input",
            "streaming",
            "return_finish_reason",
            "sampling_param_max_tokens",
            "sampling_param_temperature",
            "sampling_param_top_k",
            "sampling_param_top_p",
            "sampling_param_seed",
            "sampling_param_stop",
            "sampling_param_exclude_input_from_output");

    private final Map<String, String> models = new TreeMap<>(
            Map.of("ensemble", "READY", "old", "READY", "tensorrt_llm", "READY", "spare", "", "broken", ""));
    private boolean explicit;
    private boolean overlooks;
    private boolean saysReason = true;
    private int metricsPort;

    private TritonServerDouble() {}

    /** Starts one in this process on free ports. */
    public static TritonServerDouble start(String... knobs) {
        TritonServerDouble engine = new TritonServerDouble();
        engine.start(knobsOf(knobs));
        engine.metricsPort = engine.listen(0);
        return engine;
    }

    /** Runs one as a process; its metrics are on its one port too. */
    public static void main(String[] args) throws IOException {
        run(new TritonServerDouble(), args);
    }

    /** Where its metrics are. */
    public URI metricsUrl() {
        return URI.create("http://127.0.0.1:" + metricsPort + "/metrics");
    }

    @Override
    boolean knob(String name, String value) {
        switch (name) {
            case "explicit" -> explicit = value.equals("1");
            case "overlooks" -> overlooks = value.equals("1");
            case "says_reason" -> saysReason = value.equals("1");
            case "loaded" -> {
                List<String> loaded = List.of(value.split(",", -1));
                models.replaceAll((model, state) -> loaded.contains(model) ? "READY" : "");
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    @Override
    void route(EngineDoubleConnection client, String what, byte[] body) throws IOException {
        if (what.equals("GET /metrics")) {
            client.reply(200, "text/plain; charset=utf-8", metrics());
        } else if (what.equals("GET /v2")) {
            client.reply(
                    200, JSON, "{\"name\":\"triton\",\"version\":\"2.60.0-double\",\"extensions\":[\"generate\"]}");
        } else if (what.equals("GET /v2/health/live") || what.equals("GET /v2/health/ready")) {
            client.reply(200, "text/plain", "");
        } else if (what.equals("POST /v2/repository/index")) {
            client.reply(200, JSON, index());
        } else if (what.startsWith("POST /v2/repository/models/")) {
            repository(client, what.substring("POST /v2/repository/models/".length()));
        } else if (what.contains(" /v2/models/")) {
            String rest = what.substring(what.indexOf(" /v2/models/") + " /v2/models/".length());
            String[] parts = rest.split("/", 2);
            model(client, parts[0], parts.length == 1 ? "" : parts[1], body);
        } else {
            client.reply(404, "text/plain", "Not Found");
        }
    }

    private String metrics() {
        String kv = "nv_trt_llm_kv_cache_block_metrics{model=\"tensorrt_llm\",version=\"1\",kv_cache_block_type=";
        String requests = "nv_trt_llm_request_metrics{model=\"tensorrt_llm\",version=\"1\",request_type=";
        return String.join(
                "\n",
                "# TYPE nv_inference_pending_request_count gauge",
                "nv_inference_pending_request_count{model=\"ensemble\",version=\"1\"} 5",
                "nv_inference_pending_request_count{model=\"tensorrt_llm\",version=\"1\"} 2",
                kv + "\"fraction\"} 0.25",
                kv + "\"free\"} 75",
                requests + "\"waiting\"} 3",
                requests + "\"active\"} " + state.running,
                requests + "\"max\"} " + state.slots,
                "");
    }

    private String index() {
        StringBuilder out = new StringBuilder("[");
        models.forEach((model, how) -> {
            out.append(out.length() == 1 ? "" : ",")
                    .append("{\"name\":\"")
                    .append(model)
                    .append('"');
            if (!how.isEmpty()) {
                out.append(",\"version\":\"1\",\"state\":\"").append(how).append('"');
                out.append(how.equals("UNAVAILABLE") ? ",\"reason\":\"out of memory\"" : "");
            }
            out.append('}');
        });
        return out.append(']').toString();
    }

    private void repository(EngineDoubleConnection client, String what) {
        String model = what.substring(0, what.indexOf('/'));
        if (!explicit) {
            client.reply(503, JSON, error("explicit model load / unload is not allowed if polling is enabled"));
        } else if (!models.containsKey(model)) {
            client.reply(400, JSON, error("failed to load '" + model + "', failed to poll from model repository"));
        } else {
            boolean load = what.endsWith("/load");
            models.put(model, !load ? "UNAVAILABLE" : model.equals("broken") ? "UNAVAILABLE" : "READY");
            client.reply(200, JSON, "");
        }
    }

    private void model(EngineDoubleConnection client, String model, String what, byte[] body) throws IOException {
        boolean ready = "READY".equals(models.get(model));
        switch (what) {
            case "ready" -> client.reply(ready ? 200 : 400, JSON, ready ? "" : error("Model version not ready"));
            case "" -> {
                if (ready) {
                    client.reply(200, JSON, metadata(model));
                } else {
                    client.reply(400, JSON, error("Request for unknown model: '" + model + "' is not found"));
                }
            }
            case "generate" ->
                client.reply(
                        200, JSON, error("generate expects model to produce exactly 1 response, use generate stream"));
            case "generate_stream" -> {
                if (ready) {
                    generate(client, model, DoubleJson.paths(body));
                } else {
                    client.reply(400, JSON, error("Request for unknown model: '" + model + "' is not found"));
                }
            }
            default -> client.reply(404, "text/plain", "Not Found");
        }
    }

    private Set<String> inputs(String model) {
        Set<String> inputs = new java.util.TreeSet<>(model.equals("tensorrt_llm") ? LLM_API : ENSEMBLE);
        if (!saysReason) {
            inputs.remove("return_finish_reason");
        }
        if (!model.equals("tensorrt_llm")) {
            inputs.add(model.equals("old") ? "random_seed" : "seed");
        }
        return inputs;
    }

    private String metadata(String model) {
        StringBuilder out = new StringBuilder(
                "{\"name\":\"" + model + "\",\"versions\":[\"1\"],\"platform\":\"ensemble\"," + "\"inputs\":[");
        for (String input : inputs(model)) {
            out.append("{\"name\":\"").append(input).append("\",\"datatype\":\"BYTES\",\"shape\":[-1,1]},");
        }
        out.setLength(out.length() - 1);
        return out.append("],\"outputs\":[{\"name\":\"text_output\",\"datatype\":\"BYTES\",\"shape\":[-1,1]}]}")
                .toString();
    }

    private void generate(EngineDoubleConnection client, String model, Map<String, String> body) {
        Set<String> inputs = inputs(model);
        boolean llmApi = model.equals("tensorrt_llm");
        String prefix = llmApi ? "sampling_param_" : "";
        String prompt = body.get("text_input");
        if (prompt == null || !body.containsKey(prefix + "max_tokens")) {
            client.reply(400, JSON, error("expected 2 inputs but got 1 inputs for model '" + model + "'"));
            return;
        }
        for (String name : body.keySet()) {
            // What is no input becomes a request parameter, which may be a scalar only.
            if (name.contains(".") && !inputs.contains(name.substring(0, name.indexOf('.')))) {
                client.reply(400, JSON, error("parameter '" + name + "' has invalid type"));
                return;
            }
        }
        if (body.getOrDefault(prefix + "temperature", "1").matches("0(\\.0)?")) {
            client.reply(400, JSON, error("temperature must be larger than 0"));
            return;
        }
        DoubleScript script = state.defaults.with(prompt);
        String fault = script.fault == null ? "" : script.fault;
        if (state.running >= state.slots) {
            fault = "first503";
        }
        switch (fault) {
            case "first503" ->
                client.reply(
                        503,
                        "text/event-stream; charset=utf-8",
                        "data: " + error("Exceeds maximum queue size") + "\n\n");
            case "error200" -> client.reply(200, JSON, error("backend broke on " + prompt));
            case "http403" -> client.reply(403, JSON, error("This API is restricted, expecting header 'x'"));
            case "http500" -> client.reply(500, JSON, error("backend broke on " + prompt));
            default -> {
                script.tokens = fault.equals("nothing") ? 0 : script.tokens;
                script.fault = fault.equals("nothing") ? null : script.fault;
                int limit = Integer.parseInt(body.getOrDefault(prefix + "max_tokens", "16"));
                boolean reason =
                        body.getOrDefault("return_finish_reason", "false").equals("true")
                                && inputs.contains("return_finish_reason");
                Answer answer = new Answer(model, prompt, body, inputs, reason);
                client.stream(new EngineDoubleStream(state, client.channel(), script, answer, limit));
            }
        }
    }

    private static String error(String message) {
        return "{\"error\":\"" + DoubleJson.escape(message) + "\"}";
    }

    private final class Answer implements EngineDoubleStream.Frames {
        private final String model;
        private final String prompt;
        private final boolean llmApi;
        private final boolean reason;
        private final boolean countsInput;
        private final long seed;
        private final List<String> stops = new ArrayList<>();
        private final StringBuilder text = new StringBuilder();

        Answer(String model, String prompt, Map<String, String> body, Set<String> inputs, boolean reason) {
            this.model = model;
            this.prompt = prompt;
            this.llmApi = model.equals("tensorrt_llm");
            this.reason = reason;
            this.countsInput =
                    body.getOrDefault("return_num_input_tokens", "false").equals("true");
            String seedName = llmApi ? "sampling_param_seed" : inputs.contains("seed") ? "seed" : "random_seed";
            this.seed = Long.parseUnsignedLong(body.getOrDefault(seedName, "0"));
            String stopName = llmApi ? "sampling_param_stop." : "stop_words.";
            for (int i = 0; body.containsKey(stopName + i); i++) {
                stops.add(body.getOrDefault(stopName + i, ""));
            }
            String excluded = llmApi ? "sampling_param_exclude_input_from_output" : "exclude_input_in_output";
            if (!body.getOrDefault(excluded, "false").equals("true")) {
                text.append(DoubleJson.escape(prompt));
            }
        }

        @Override
        public String headers() {
            return "Content-Type: text/event-stream; charset=utf-8\r\n";
        }

        @Override
        public String token(EngineDoubleStream stream, int i) {
            StringBuilder out = new StringBuilder();
            if (stream.script.emptyEvery > 0 && i % stream.script.emptyEvery == 0) {
                out.append(frame(llmApi ? text.toString() : "", "None"));
            }
            String piece = DoubleText.token(prompt, seed, i);
            if (stream.script.cutChars && piece.endsWith("🙂") && llmApi) {
                // The detokenizer's word for bytes that are not a character yet.
                out.append(frame(text + " \ufffd", "None"));
            }
            text.append(piece);
            String stop = stopped();
            boolean last = stop != null || (stream.isLast(i) && !stream.isEos());
            if (last) {
                stream.finish();
            }
            String whole = stop == null || overlooks ? text.toString() : text.substring(0, text.indexOf(stop));
            return out.append(frame(llmApi ? whole : piece, !last ? "None" : stop == null ? "length" : "stop"))
                    .toString();
        }

        @Override
        public String last(EngineDoubleStream stream) {
            return llmApi && reason && stream.isEos() && stream.sent() > 0 ? frame(text.toString(), "stop") : "";
        }

        @Override
        public @Nullable String fault(String kind) {
            return switch (kind) {
                case "inband_error" -> "data: " + error("backend broke") + "\n\n";
                case "cancelled" -> "data: " + error("Request cancelled by client") + "\n\n";
                default -> null;
            };
        }

        private @Nullable String stopped() {
            for (String stop : stops) {
                if (!overlooks && text.indexOf(DoubleJson.escape(stop)) >= 0) {
                    return DoubleJson.escape(stop);
                }
            }
            return null;
        }

        private String frame(String output, String finish) {
            return "data: {" + (llmApi ? "" : "\"context_logits\":0.0,\"cum_log_probs\":0.0,")
                    + (reason ? "\"finish_reason\":\"" + finish + "\"," : "")
                    + "\"model_name\":\"" + model + "\",\"model_version\":\"1\""
                    + (countsInput ? ",\"num_input_tokens\":" + Math.max(1, prompt.length() / 4) : "")
                    + (llmApi ? "" : ",\"output_log_probs\":[0.0,-1.5]")
                    + ",\"sequence_end\":false,\"sequence_id\":0,\"sequence_start\":false,\"text_output\":\"" + output
                    + "\"}\n\n";
        }
    }
}
