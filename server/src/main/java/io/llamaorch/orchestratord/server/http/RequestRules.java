package io.llamaorch.orchestratord.server.http;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Small rules on header values, without allocation where the usual value comes. */
final class RequestRules {
    private static final String JSON = "application/json";

    private RequestRules() {}

    /** Whether the Content-Type is JSON in UTF-8, or absent. */
    static boolean isJson(@Nullable String contentType) {
        if (contentType == null || contentType.equals(JSON)) {
            return true;
        }
        if (!contentType.regionMatches(true, 0, JSON, 0, JSON.length())) {
            return false;
        }
        String rest = contentType.substring(JSON.length()).strip();
        if (rest.isEmpty()) {
            return true;
        }
        if (rest.charAt(0) != ';') {
            return false;
        }
        for (String parameter : rest.substring(1).split(";", 16)) {
            String text = parameter.strip().toLowerCase(Locale.ROOT);
            if (text.startsWith("charset=") && !text.equals("charset=utf-8") && !text.equals("charset=\"utf-8\"")) {
                return false;
            }
        }
        return true;
    }

    /** Type and subtype of a Content-Type, in lower case; empty where there is none. */
    static String mediaType(@Nullable String contentType) {
        if (contentType == null) {
            return "";
        }
        int semicolon = contentType.indexOf(';');
        return (semicolon < 0 ? contentType : contentType.substring(0, semicolon))
                .strip()
                .toLowerCase(Locale.ROOT);
    }

    /** Whether the body is sent as it is. */
    static boolean isIdentity(@Nullable String contentEncoding) {
        return contentEncoding == null || contentEncoding.equalsIgnoreCase("identity");
    }

    /**
     * Whether Accept (RFC 9110 §12.5.1) allows a media type: absent, or a range that matches with q above 0.
     *
     * @param wanted such as {@code text/event-stream}, in lower case
     */
    static boolean accepts(@Nullable String accept, String wanted) {
        if (accept == null || accept.isBlank() || accept.equals("*/*") || accept.equals(wanted)) {
            return true;
        }
        String anySubtype = wanted.substring(0, wanted.indexOf('/') + 1) + "*";
        int best = -1;
        boolean accepted = false;
        for (String range : accept.split(",", 64)) {
            int semicolon = range.indexOf(';');
            String type = (semicolon < 0 ? range : range.substring(0, semicolon))
                    .strip()
                    .toLowerCase(Locale.ROOT);
            int precision = type.equals(wanted) ? 2 : type.equals(anySubtype) ? 1 : type.equals("*/*") ? 0 : -1;
            if (precision > best) {
                best = precision;
                accepted = semicolon < 0 || !isZeroQuality(range.substring(semicolon + 1));
            }
        }
        return accepted;
    }

    private static boolean isZeroQuality(String parameters) {
        for (String parameter : parameters.split(";", 16)) {
            String text = parameter.strip().toLowerCase(Locale.ROOT);
            if (text.startsWith("q=0") && text.substring(3).chars().allMatch(c -> c == '.' || c == '0')) {
                return true;
            }
        }
        return false;
    }
}
