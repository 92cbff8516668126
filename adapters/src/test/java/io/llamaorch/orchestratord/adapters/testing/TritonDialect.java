package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Triton with TensorRT-LLM (engines.md, Triton): keys in the order of the alphabet, one-element tensors as scalars, streams
 * that end with nothing, the status of the first response, 400 for what is not ready, metrics elsewhere.
 *
 * <p>Models: {@code ensemble} (pieces; input {@code seed}), {@code old} (pieces; input {@code random_seed}),
 * {@code tensorrt_llm} (LLM API: the whole text in each frame, {@code finish_reason}), {@code spare} and {@code broken}, which
 * are not loaded; {@code broken} can't be.
 *
 * <p>The knob {@code slots} is the length of its queue: more are refused with 503.
 */
public final class TritonDialect implements DoubleDialect {
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

    /** How a double of Triton differs from the plain one. */
    public enum Trait {
        /** Model control is explicit: models can be loaded and unloaded. */
        EXPLICIT,
        /** Stop words are not noticed. */
        OVERLOOKS_STOPS,
        /** The LLM API model can't be asked for its finish reason. */
        NO_REASON,
        /** Something between has taken the chunks away: a stream ends with its connection. */
        UNFRAMED,
        /** It is the metrics port, and nothing else. */
        METRICS
    }

    private final Set<Trait> traits;
    private final Map<String, String> models = new TreeMap<>(
            Map.of("ensemble", "READY", "old", "READY", "tensorrt_llm", "READY", "spare", "", "broken", ""));

    /** A Triton with these traits. */
    public TritonDialect(Trait... traits) {
        this.traits = Set.of(traits);
    }

    @Override
    public String engine() {
        return "triton";
    }

    @Override
    public byte[] streamHead() {
        byte[] head = DoubleStream.head("Content-Type: text/event-stream; charset=utf-8");
        // The sizes of chunks are then lines of no field, which a reader of events ignores.
        return traits.contains(Trait.UNFRAMED)
                ? new String(head, StandardCharsets.US_ASCII)
                        .replace("Transfer-Encoding: chunked\r\n", "")
                        .getBytes(StandardCharsets.US_ASCII)
                : head;
    }

    @Override
    public String error(int status, String type, String message) {
        return "{\"error\":\"" + message + "\"}";
    }

    private static String error(String message) {
        return "{\"error\":\"" + DoubleJson.escape(message) + "\"}";
    }

    @Override
    public void route(DoubleExchange exchange) throws IOException {
        String what = exchange.what();
        if (!exchange.isAuthorized()) {
            exchange.reply(403, error("This API is restricted, expecting header 'authorization'"));
        } else if (traits.contains(Trait.METRICS)) {
            boolean asked = what.equals("GET /metrics");
            exchange.reply(asked ? 200 : 404, "text/plain", asked ? metrics(exchange.state()) : "");
        } else if (what.equals("GET /v2")) {
            exchange.reply(200, "{\"name\":\"triton\",\"version\":\"2.60.0-double\",\"extensions\":[\"generate\"]}");
        } else if (what.equals("POST /v2/repository/index")) {
            exchange.reply(200, index());
        } else if (what.startsWith("POST /v2/repository/models/")) {
            repository(exchange, what.substring("POST /v2/repository/models/".length()));
        } else if (what.contains(" /v2/models/")) {
            String rest = what.substring(what.indexOf(" /v2/models/") + " /v2/models/".length());
            String[] parts = rest.split("/", 2);
            model(exchange, parts[0], parts.length == 1 ? "" : parts[1]);
        } else {
            exchange.reply(404, "text/plain", "Not Found");
        }
    }

    private static String metrics(DoubleState state) {
        return """
               # TYPE nv_inference_pending_request_count gauge
               nv_inference_pending_request_count{model="ensemble",version="1"} 5
               nv_inference_pending_request_count{model="tensorrt_llm",version="1"} 2
               nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="tensorrt_llm",version="1"} 0.25
               nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="free",model="tensorrt_llm",version="1"} 75
               nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 3
               nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="active",version="1"} %d
               nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="max",version="1"} %d
               """
                .formatted(state.running, state.slots);
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

    private void repository(DoubleExchange exchange, String what) {
        String model = what.substring(0, what.indexOf('/'));
        if (!traits.contains(Trait.EXPLICIT)) {
            exchange.reply(503, error("explicit model load / unload is not allowed if polling is enabled"));
        } else if (!models.containsKey(model)) {
            exchange.reply(400, error("failed to load '" + model + "', failed to poll from model repository"));
        } else {
            boolean ready = what.endsWith("/load") && !model.equals("broken");
            models.put(model, ready ? "READY" : "UNAVAILABLE");
            exchange.reply(200, "");
        }
    }

    private void model(DoubleExchange exchange, String model, String what) throws IOException {
        boolean ready = "READY".equals(models.get(model)) && !exchange.state().loading;
        switch (what) {
            case "ready" -> exchange.reply(ready ? 200 : 400, ready ? "" : error("Model version not ready"));
            case "generate" ->
                exchange.reply(200, error("generate expects model to produce exactly 1 response, use generate stream"));
            case "", "generate_stream" -> {
                if (!ready) {
                    exchange.reply(400, error("Request for unknown model: '" + model + "' is not found"));
                } else if (what.isEmpty()) {
                    exchange.reply(200, metadata(model));
                } else {
                    generate(exchange, model, DoubleJson.paths(exchange.body()));
                }
            }
            default -> exchange.reply(404, "text/plain", "Not Found");
        }
    }

    private Set<String> inputs(String model) {
        Set<String> inputs = new TreeSet<>(isLlmApi(model) ? LLM_API : ENSEMBLE);
        if (traits.contains(Trait.NO_REASON)) {
            inputs.remove("return_finish_reason");
        }
        if (!isLlmApi(model)) {
            inputs.add(model.equals("old") ? "random_seed" : "seed");
        }
        return inputs;
    }

    private static boolean isLlmApi(String model) {
        return model.equals("tensorrt_llm");
    }

    private String metadata(String model) {
        StringBuilder out = new StringBuilder("{\"name\":\"" + model + "\",\"versions\":[\"1\"],\"inputs\":[");
        for (String input : inputs(model)) {
            out.append("{\"name\":\"").append(input).append("\",\"datatype\":\"BYTES\",\"shape\":[-1,1]},");
        }
        out.setLength(out.length() - 1);
        return out.append("],\"outputs\":[{\"name\":\"text_output\",\"datatype\":\"BYTES\",\"shape\":[-1,1]}]}")
                .toString();
    }

    private void generate(DoubleExchange exchange, String model, Map<String, String> body) {
        DoubleState state = exchange.state();
        Set<String> inputs = inputs(model);
        String prefix = isLlmApi(model) ? "sampling_param_" : "";
        String prompt = body.get("text_input");
        if (prompt == null || !body.containsKey(prefix + "max_tokens")) {
            exchange.reply(400, error("expected 2 inputs but got 1 inputs for model '" + model + "'"));
            return;
        }
        for (String name : body.keySet()) {
            // What is no input becomes a request parameter, which may be a scalar only.
            if (name.contains(".") && !inputs.contains(name.substring(0, name.indexOf('.')))) {
                exchange.reply(400, error("parameter '" + name + "' has invalid type"));
                return;
            }
        }
        if (body.getOrDefault(prefix + "temperature", "1").matches("0(\\.0)?")) {
            exchange.reply(400, error("temperature must be larger than 0"));
            return;
        }
        DoubleScript script = state.defaults.with(prompt);
        body.put("model", model);
        script.asked = body;
        script.lastText = isLlmApi(model) && script.tokens < 0 && inputs.contains("return_finish_reason");
        String fault = script.fault == null ? "" : script.fault;
        switch (state.running >= state.slots ? "first503" : fault) {
            case "first503" ->
                exchange.reply(
                        503,
                        "text/event-stream; charset=utf-8",
                        "data: " + error("Exceeds maximum queue size") + "\n\n");
            case "error200" -> exchange.reply(200, error("backend broke on " + prompt));
            case "http403" -> exchange.reply(403, error("This API is restricted, expecting header 'x'"));
            case "http500" -> exchange.reply(500, error("backend broke on " + prompt));
            default -> {
                String seedName = inputs.contains(prefix + "seed") ? prefix + "seed" : "random_seed";
                long seed = Long.parseUnsignedLong(body.getOrDefault(seedName, "0"));
                exchange.stream(script, prompt, seed, Integer.parseInt(body.getOrDefault(prefix + "max_tokens", "16")));
            }
        }
    }

    @Override
    public String partial(DoubleStream s, String text) {
        if (!isLlmApi(model(s))) {
            if (stop(s) != null) {
                s.script().tokens = s.sent();
            }
            return frame(s, echo(s) + text, "None");
        }
        if (stop(s) != null) {
            s.endWith(text);
            return "";
        }
        // The detokenizer's word for bytes that are not a character yet.
        String whole = text.endsWith("\\ud83d")
                ? DoubleText.text(s.prompt(), s.seed(), s.sent() - 1) + " \ufffd"
                : DoubleText.text(s.prompt(), s.seed(), s.sent());
        return frame(s, echo(s) + whole, "None");
    }

    @Override
    public String last(DoubleStream s) {
        s.takeHeldText();
        if (!isLlmApi(model(s)) || !"true".equals(s.script().asked.get("return_finish_reason"))) {
            return "";
        }
        String stop = stop(s);
        String whole = DoubleText.text(s.prompt(), s.seed(), s.sent());
        String cut = stop == null ? whole : whole.substring(0, whole.indexOf(stop));
        return frame(s, echo(s) + cut, stop != null || s.endedByItself() ? "stop" : "length");
    }

    @Override
    public @Nullable String inBand(DoubleStream s, String fault) {
        return switch (fault) {
            case "inband_error" -> "data: " + error("backend broke") + "\n\n";
            case "cancelled" -> "data: " + error("Request cancelled by client") + "\n\n";
            default -> null;
        };
    }

    private static String model(DoubleStream s) {
        return s.script().asked.getOrDefault("model", "");
    }

    /** The prompt, where nobody asked to leave it out. */
    private static String echo(DoubleStream s) {
        boolean excluded = List.of("exclude_input_in_output", "sampling_param_exclude_input_from_output").stream()
                .anyMatch(name -> "true".equals(s.script().asked.get(name)));
        return excluded ? "" : DoubleJson.escape(s.prompt());
    }

    /** The stop string, escaped, that the text so far holds; null without one. */
    private @Nullable String stop(DoubleStream s) {
        Map<String, String> asked = s.script().asked;
        String name = isLlmApi(model(s)) ? "sampling_param_stop." : "stop_words.";
        if (traits.contains(Trait.OVERLOOKS_STOPS) || !asked.containsKey(name + 0)) {
            return null;
        }
        String text = DoubleText.text(s.prompt(), s.seed(), s.sent());
        for (int i = 0; asked.containsKey(name + i); i++) {
            String stop = DoubleJson.escape(asked.getOrDefault(name + i, ""));
            if (text.contains(stop)) {
                return stop;
            }
        }
        return null;
    }

    private static String frame(DoubleStream s, String output, String finish) {
        Map<String, String> asked = s.script().asked;
        boolean llmApi = isLlmApi(model(s));
        return "data: {" + (llmApi ? "" : "\"context_logits\":0.0,\"cum_log_probs\":0.0,")
                + ("true".equals(asked.get("return_finish_reason")) ? "\"finish_reason\":\"" + finish + "\"," : "")
                + "\"model_name\":\"" + model(s) + "\",\"model_version\":\"1\""
                + ("true".equals(asked.get("return_num_input_tokens"))
                        ? ",\"num_input_tokens\":" + s.promptTokens()
                        : "")
                + (llmApi ? "" : ",\"output_log_probs\":[0.0,-1.5]")
                + ",\"sequence_end\":false,\"sequence_id\":0,\"sequence_start\":false,\"text_output\":\"" + output
                + "\"}\n\n";
    }
}
