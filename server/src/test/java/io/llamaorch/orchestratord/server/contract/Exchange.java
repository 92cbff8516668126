package io.llamaorch.orchestratord.server.contract;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One request and its answer as they went over a socket. Immutable; the arrays are the caller's and are not written.
 *
 * <p>A client that speaks raw bytes says {@link Builder#malformed()} where its request is one that the daemon should
 * refuse before it reaches a route; method and target then do not matter.
 */
public final class Exchange {

    /** One header line, name as sent. */
    public record Header(String name, String value) {}

    private final String method;
    private final String target;
    private final boolean malformed;
    private final List<Header> requestHeaders;
    private final byte[] requestBody;
    private final int status;
    private final List<Header> responseHeaders;
    private final byte[] body;
    private final boolean complete;

    private Exchange(Builder builder) {
        this.method = builder.method;
        this.target = builder.target;
        this.malformed = builder.malformed;
        this.requestHeaders = List.copyOf(builder.requestHeaders);
        this.requestBody = builder.requestBody;
        this.status = builder.status;
        this.responseHeaders = List.copyOf(builder.responseHeaders);
        this.body = builder.body;
        this.complete = builder.complete;
    }

    /** Starts an exchange: the request's method, and its target with the query. */
    public static Builder of(String method, String target) {
        return new Builder(method, target);
    }

    String method() {
        return method;
    }

    /** The target without its query. */
    String path() {
        int query = target.indexOf('?');
        return query < 0 ? target : target.substring(0, query);
    }

    boolean malformed() {
        return malformed;
    }

    byte[] requestBody() {
        return requestBody;
    }

    int status() {
        return status;
    }

    byte[] body() {
        return body;
    }

    /** Whether the body was read to its end: by Content-Length, or to the last chunk. */
    boolean complete() {
        return complete;
    }

    List<Header> responseHeaders() {
        return responseHeaders;
    }

    List<String> requestHeader(String name) {
        return valuesOf(requestHeaders, name);
    }

    List<String> responseHeader(String name) {
        return valuesOf(responseHeaders, name);
    }

    /** The first value of a response header, or null. */
    @Nullable
    String firstResponseHeader(String name) {
        List<String> values = responseHeader(name);
        return values.isEmpty() ? null : values.get(0);
    }

    private static List<String> valuesOf(List<Header> headers, String name) {
        List<String> values = new ArrayList<>();
        for (Header header : headers) {
            if (header.name().toLowerCase(Locale.ROOT).equals(name.toLowerCase(Locale.ROOT))) {
                values.add(header.value());
            }
        }
        return values;
    }

    @Override
    public String toString() {
        return (malformed ? "malformed request" : method + " " + target) + " -> " + status;
    }

    /** Builds an {@link Exchange}; for one thread. */
    public static final class Builder {
        private static final byte[] EMPTY = new byte[0];

        private final String method;
        private final String target;
        private final List<Header> requestHeaders = new ArrayList<>();
        private final List<Header> responseHeaders = new ArrayList<>();
        private boolean malformed;
        private byte[] requestBody = EMPTY;
        private int status;
        private byte[] body = EMPTY;
        private boolean complete = true;

        private Builder(String method, String target) {
            this.method = method;
            this.target = target;
        }

        /** The request was meant to be refused before it reaches a route. */
        public Builder malformed() {
            this.malformed = true;
            return this;
        }

        /** Adds a header line of the request. */
        public Builder requestHeader(String name, String value) {
            requestHeaders.add(new Header(name, value));
            return this;
        }

        /** The request's body, without its framing. */
        public Builder requestBody(byte[] bytes) {
            this.requestBody = bytes;
            return this;
        }

        /** The same, from text. */
        public Builder requestBody(String text) {
            return requestBody(text.getBytes(StandardCharsets.UTF_8));
        }

        /** The answer's status. */
        public Builder status(int code) {
            this.status = code;
            return this;
        }

        /** Adds a header line of the answer. */
        public Builder responseHeader(String name, String value) {
            responseHeaders.add(new Header(name, value));
            return this;
        }

        /** The answer's body without its framing, as far as it was read. */
        public Builder body(byte[] bytes) {
            this.body = bytes;
            return this;
        }

        /** The same, from text. */
        public Builder body(String text) {
            return body(text.getBytes(StandardCharsets.UTF_8));
        }

        /** The reader stopped, or was cut off, before the body's end. */
        public Builder incomplete() {
            this.complete = false;
            return this;
        }

        /** The exchange. */
        public Exchange build() {
            return new Exchange(this);
        }
    }
}
