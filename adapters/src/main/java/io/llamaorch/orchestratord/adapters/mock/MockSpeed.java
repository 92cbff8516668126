package io.llamaorch.orchestratord.adapters.mock;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * How fast the mock engine is, from the query of its URL, such as {@code mock:?tokens_per_s=50&ttft_ms=100}.
 *
 * @param tokensPerS decode speed, tokens/s; 0: as fast as it can
 * @param ttftMs time to the first token beside the prompt's, ms
 * @param promptMsPerToken time for each prompt token, ms
 */
record MockSpeed(double tokensPerS, double ttftMs, double promptMsPerToken) {

    private static final double MAX = 1e9;

    /** The speed that {@code url} asks for, or null where it can't be understood. */
    static @Nullable MockSpeed of(URI url) {
        String text = url.getRawSchemeSpecificPart();
        int mark = text.indexOf('?');
        double tokensPerS = 0;
        double ttftMs = 0;
        double promptMsPerToken = 0;
        for (String pair : mark < 0 ? new String[0] : text.substring(mark + 1).split("&", -1)) {
            int equals = pair.indexOf('=');
            if (pair.isEmpty()) {
                continue;
            }
            double value = equals < 0 ? Double.NaN : number(pair.substring(equals + 1));
            if (Double.isNaN(value)) {
                return null;
            }
            switch (pair.substring(0, equals)) {
                case "tokens_per_s" -> tokensPerS = value;
                case "ttft_ms" -> ttftMs = value;
                case "prompt_ms_per_token" -> promptMsPerToken = value;
                default -> {
                    return null;
                }
            }
        }
        return new MockSpeed(tokensPerS, ttftMs, promptMsPerToken);
    }

    private static double number(String text) {
        try {
            double value = Double.parseDouble(text);
            return value >= 0 && value <= MAX ? value : Double.NaN;
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }
}
