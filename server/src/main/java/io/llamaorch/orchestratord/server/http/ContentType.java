package io.llamaorch.orchestratord.server.http;

import java.nio.charset.StandardCharsets;

/** A media type as the header lines that announce it, rendered once. Immutable. */
public final class ContentType {
    /** {@code application/json}, never stored by caches. */
    public static final ContentType JSON = new ContentType("application/json", "Cache-Control: no-store\r\n");
    /** {@code text/event-stream} with what keeps proxies from buffering it. */
    public static final ContentType EVENT_STREAM =
            new ContentType("text/event-stream", "Cache-Control: no-cache, no-store\r\nX-Accel-Buffering: no\r\n");
    /** No body. */
    static final ContentType NONE = new ContentType(new byte[0]);

    private final byte[] lines;

    private ContentType(String type, String furtherLines) {
        this(("Content-Type: " + type + "\r\n" + furtherLines).getBytes(StandardCharsets.US_ASCII));
    }

    private ContentType(byte[] lines) {
        this.lines = lines;
    }

    /**
     * A media type with no further header lines.
     *
     * @param type such as {@code text/plain; charset=utf-8}: visible ASCII and spaces
     */
    public static ContentType of(String type) {
        for (int i = 0; i < type.length(); i++) {
            if (type.charAt(i) < ' ' || type.charAt(i) > '~') {
                throw new IllegalArgumentException("a media type with a control or non-ASCII character");
            }
        }
        return new ContentType(type, "");
    }

    byte[] lines() {
        return lines;
    }
}
