package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Embeddings and scores of all doubles: pure functions of the texts. */
public final class DoubleOutputs {
    /** Numbers a vector. */
    public static final int DIMENSIONS = 3;

    private DoubleOutputs() {}

    /** Number {@code i} of the vector of {@code text}. */
    public static float component(String text, int i) {
        return (text.hashCode() >> (i * 7) & 127) / 128f - 0.5f;
    }

    /** How close {@code document} is to {@code query}. */
    public static double score(String query, String document) {
        return ((query + '\n' + document).hashCode() & 0xffff) / 1024.0 - 32;
    }

    static void embeddings(DoubleExchange exchange) throws IOException {
        List<String> inputs = DoubleJson.strings(exchange.body(), "input");
        if (fault(exchange, inputs)) {
            return;
        }
        StringBuilder out = new StringBuilder("{\"model\":\"m\",\"object\":\"list\",\"usage\":{\"prompt_tokens\":")
                .append(inputs.size())
                .append(",\"total_tokens\":")
                .append(inputs.size())
                .append("},\"data\":[");
        for (int k = inputs.size() - 1; k >= 0; k--) {
            out.append("{\"embedding\":[");
            for (int i = 0; i < DIMENSIONS; i++) {
                out.append(i == 0 ? "" : ",").append(component(inputs.get(k), i));
            }
            out.append("],\"index\":")
                    .append(k)
                    .append(",\"object\":\"embedding\"}")
                    .append(k == 0 ? "" : ",");
        }
        exchange.reply(200, out.append("]}").toString());
    }

    static void rerank(DoubleExchange exchange) throws IOException {
        String query = exchange.members().get("query");
        List<String> documents = DoubleJson.strings(exchange.body(), "documents");
        if (query == null || fault(exchange, documents)) {
            return;
        }
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < documents.size(); i++) {
            order.add(i);
        }
        order.sort(Comparator.comparingDouble(i -> -score(query, documents.get(i))));
        StringBuilder out = new StringBuilder("{\"model\":\"m\",\"object\":\"list\",\"usage\":{\"prompt_tokens\":9,")
                .append("\"total_tokens\":9},\"results\":[");
        for (int k = 0; k < order.size(); k++) {
            int i = order.get(k);
            out.append(k == 0 ? "" : ",").append("{\"index\":").append(i).append(",\"document\":{\"text\":\"x\"},");
            out.append("\"relevance_score\":")
                    .append(score(query, documents.get(i)))
                    .append('}');
        }
        exchange.reply(200, out.append("]}").toString());
    }

    /** The markers of a script work in the first text too. */
    private static boolean fault(DoubleExchange exchange, List<String> inputs) {
        String marked = inputs.isEmpty() ? "" : inputs.get(0);
        if (marked.contains("[[fault=http400]]")) {
            exchange.reply(400, "{\"error\":{\"code\":400,\"message\":\"bad: " + DoubleJson.escape(marked) + "\"}}");
            return true;
        }
        if (marked.contains("[[fault=garbage]]")) {
            exchange.reply(200, "{\"data\":[{\"index\":0}],\"results\":[{\"index\":0}]}");
            return true;
        }
        return false;
    }
}
