package io.llamaorch.orchestratord.bench.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One run of the load generator: the members of its JSON line. */
final class Sample {
    private final String json;
    private final Map<String, Double> numbers = new HashMap<>();
    private final Map<String, String> texts = new HashMap<>();

    private Sample(String json) {
        this.json = json;
    }

    /** Reads a flat JSON object. */
    static Sample parse(String json) throws IOException {
        Sample sample = new Sample(json);
        try (JsonParser parser = new JsonFactory().createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("no JSON object: " + json);
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                if (parser.nextToken().isNumeric()) {
                    sample.numbers.put(name, parser.getDoubleValue());
                } else {
                    sample.texts.put(name, parser.getText());
                }
            }
        }
        return sample;
    }

    String json() {
        return json;
    }

    /** NaN where the run did not measure it. */
    double number(String name) {
        return numbers.getOrDefault(name, Double.NaN);
    }

    @Nullable
    String text(String name) {
        return texts.get(name);
    }

    /** What was wrong with the run, in words; null when nothing was. */
    @Nullable
    String complaint() {
        double faults = number("faults");
        double unfinished = number("unfinished");
        if (faults == 0 && unfinished == 0) {
            return null;
        }
        StringBuilder words = new StringBuilder("%.0f faults, %.0f unfinished".formatted(faults, unfinished));
        for (String detail : new String[] {"first_fault", "first_refusal"}) {
            String text = text(detail);
            if (text != null) {
                words.append("; ").append(text);
            }
        }
        return words.toString();
    }
}
