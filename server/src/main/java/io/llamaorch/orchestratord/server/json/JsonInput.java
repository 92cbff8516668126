package io.llamaorch.orchestratord.server.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Typed values from a JSON parser that stands on a member's value; a refusal is kept in {@link #error()} and told by
 * {@code false} or null, never thrown. Messages name the JSON pointer and the limit; text of the client is not repeated.
 *
 * <p>Not shared between threads.
 */
final class JsonInput {
    private static final int ECHOED_CHARS_MAX = 40;

    private final JsonParser parser;
    private @Nullable ApiError error;

    private String text = "";
    private long integer;
    private double real;
    private boolean truth;
    private List<String> texts = List.of();

    JsonInput(JsonParser parser) {
        this.parser = parser;
    }

    @Nullable
    ApiError error() {
        return error;
    }

    /** The error after something was refused. */
    ApiError refusal() {
        ApiError kept = error;
        if (kept == null) {
            throw new IllegalStateException("refused without an error");
        }
        return kept;
    }

    /** The value that the last successful call read. */
    String text() {
        return text;
    }

    long integer() {
        return integer;
    }

    double real() {
        return real;
    }

    boolean truth() {
        return truth;
    }

    List<String> texts() {
        return texts;
    }

    /** The next member's name with the parser on its value, or null at the object's end. */
    @Nullable
    String nextMember() throws IOException {
        String name = parser.nextFieldName();
        if (name != null) {
            parser.nextToken();
        }
        return name;
    }

    /** The mask with the member's bit, or −1 where it was there before. */
    long once(long seen, int bit, String pointer) {
        if ((seen & 1L << bit) != 0) {
            refuse(pointer, "appears twice; send it once", "duplicate member");
            return -1;
        }
        return seen | 1L << bit;
    }

    boolean unknown(String parent, String name) {
        StringBuilder shown = new StringBuilder(parent).append('/');
        for (int i = 0; i < Math.min(name.length(), ECHOED_CHARS_MAX); i++) {
            char c = name.charAt(i);
            switch (c) {
                case '~' -> shown.append("~0");
                case '/' -> shown.append("~1");
                default -> shown.append(c >= ' ' && c < 127 ? c : '?');
            }
        }
        return refuse(shown.toString(), "is not a known member; remove it or correct its name", "unknown member");
    }

    boolean isString() {
        return parser.currentToken() == JsonToken.VALUE_STRING;
    }

    boolean object(String pointer) {
        return parser.currentToken() == JsonToken.START_OBJECT || wrongType(pointer, "an object");
    }

    boolean string(String pointer, int charsMin, int charsMax) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            return wrongType(pointer, "a string");
        }
        String value = parser.getText();
        if (value.length() < charsMin || value.length() > charsMax) {
            return refuse(
                    pointer,
                    "has " + value.length() + " characters; it must have " + charsMin + " to " + charsMax,
                    value.length() + " characters");
        }
        if (!Utf8.isWellFormed(value)) {
            return refuse(pointer, "holds half of a surrogate pair", "lone surrogate");
        }
        text = value;
        return true;
    }

    boolean strings(String pointer, int countMax, int charsMin, int charsMax) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            return wrongType(pointer, "an array of strings");
        }
        List<String> values = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (values.size() == countMax) {
                return refuse(pointer, "has more than " + countMax + " items", "more than " + countMax + " items");
            }
            if (!string(pointer + '/' + values.size(), charsMin, charsMax)) {
                return false;
            }
            values.add(text);
        }
        texts = List.copyOf(values);
        return true;
    }

    boolean integer(String pointer, long least, long most) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            return wrongType(pointer, "an integer");
        }
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            return outOfRange(pointer, least + " to " + most);
        }
        integer = parser.getLongValue();
        return (integer >= least && integer <= most) || outOfRange(pointer, least + " to " + most);
    }

    /** A number from least to most; least itself only where it is included. */
    boolean real(String pointer, double least, boolean included, double most) throws IOException {
        JsonToken token = parser.currentToken();
        if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
            return wrongType(pointer, "a number");
        }
        real = parser.getDoubleValue() + 0.0; // −0 becomes 0
        return (real <= most && (real > least || (included && real == least)))
                || outOfRange(pointer, (included ? "from " : "above ") + least + " to " + most);
    }

    boolean truth(String pointer) {
        JsonToken token = parser.currentToken();
        if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
            return wrongType(pointer, "true or false");
        }
        truth = token == JsonToken.VALUE_TRUE;
        return true;
    }

    /** 8-4-4-4-12 hex digits, either case; nothing shorter. */
    @Nullable
    UUID uuid(String pointer) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            wrongType(pointer, "a UUID string");
            return null;
        }
        UUID value = parseUuid(parser.getText());
        if (value == null) {
            refuse(pointer, "is not a UUID of 36 characters", "not a UUID");
        }
        return value;
    }

    static @Nullable UUID parseUuid(String text) {
        if (text.length() != 36) {
            return null;
        }
        long high = 0;
        long low = 0;
        int digits = 0;
        for (int i = 0; i < 36; i++) {
            char c = text.charAt(i);
            if (i == 8 || i == 13 || i == 18 || i == 23) {
                if (c != '-') {
                    return null;
                }
                continue;
            }
            int digit = c < 128 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                return null;
            }
            if (digits++ < 16) {
                high = high << 4 | digit;
            } else {
                low = low << 4 | digit;
            }
        }
        return new UUID(high, low);
    }

    /** The object that begins here as compact JSON text, members in their order; duplicates are refused. */
    @Nullable
    String compactObject(String pointer) throws IOException {
        ByteSink out = new ByteSink(1024);
        ArrayDeque<Set<String>> names = new ArrayDeque<>();
        int depth = 0;
        boolean comma = false;
        JsonToken token = parser.currentToken();
        while (token != null) {
            boolean ends = token == JsonToken.END_OBJECT || token == JsonToken.END_ARRAY;
            if (comma && !ends) {
                out.octet(',');
            }
            comma = true;
            switch (token) {
                case START_OBJECT, START_ARRAY -> {
                    out.octet(token == JsonToken.START_OBJECT ? '{' : '[');
                    names.push(new HashSet<>());
                    depth++;
                    comma = false;
                }
                case END_OBJECT, END_ARRAY -> {
                    out.octet(token == JsonToken.END_OBJECT ? '}' : ']');
                    names.pop();
                    depth--;
                }
                case FIELD_NAME -> {
                    String name = parser.currentName();
                    if (!names.element().add(name) || !Utf8.isWellFormed(name)) {
                        refuse(pointer, "holds a member twice, or one with a lone surrogate", "malformed object");
                        return null;
                    }
                    out.jsonString(name).octet(':');
                    comma = false;
                }
                case VALUE_STRING -> {
                    if (!string(pointer, 0, Integer.MAX_VALUE)) {
                        return null;
                    }
                    out.jsonString(text);
                }
                default -> out.ascii(parser.getText());
            }
            if (depth == 0) {
                return new String(out.array(), 0, out.length(), StandardCharsets.UTF_8);
            }
            token = parser.nextToken();
        }
        return null;
    }

    private boolean outOfRange(String pointer, String range) throws IOException {
        String value = parser.getText();
        String shown = value.length() > ECHOED_CHARS_MAX ? value.substring(0, ECHOED_CHARS_MAX) + "…" : value;
        return refuse(pointer, shown + " is out of range; it must be " + range, shown);
    }

    private boolean wrongType(String pointer, String wanted) {
        JsonToken token = parser.currentToken();
        String found =
                switch (token == null ? JsonToken.NOT_AVAILABLE : token) {
                    case START_OBJECT -> "an object";
                    case START_ARRAY -> "an array";
                    case VALUE_STRING -> "a string";
                    case VALUE_NUMBER_INT -> "an integer";
                    case VALUE_NUMBER_FLOAT -> "a number with a fraction or exponent";
                    case VALUE_TRUE, VALUE_FALSE -> "a boolean";
                    case VALUE_NULL -> "null";
                    default -> "something else";
                };
        return refuse(pointer, "must be " + wanted + ", not " + found, found);
    }

    /** Keeps the first refusal; false, so that callers can return it. */
    boolean refuse(String pointer, String problem, String detail) {
        if (error == null) {
            error = ApiError.of(ErrorCode.INVALID_PARAMS, pointer + ' ' + problem + '.', pointer, detail);
        }
        return false;
    }
}
