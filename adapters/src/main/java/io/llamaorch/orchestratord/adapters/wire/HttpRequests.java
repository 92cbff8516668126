package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Request bytes as engines take them: HTTP/1.1, a known {@code Content-Length}, {@code application/json}. */
public final class HttpRequests {
    private static final int TRACEPARENT_MAX = 256;

    private HttpRequests() {}

    /** {@code GET} of {@code path} below the base {@code url}. */
    public static ByteBuf get(ByteBufAllocator allocator, URI url, String path, boolean keepAlive) {
        ByteBuf out = allocator.buffer(256);
        writeHead(out, "GET", url, path, null, keepAlive);
        out.writeCharSequence("\r\n", StandardCharsets.US_ASCII);
        return out;
    }

    /**
     * {@code POST} of JSON to {@code path} below the base {@code url}, answered by an event stream.
     *
     * @param body the JSON; released here
     * @param traceparent W3C trace context to pass on; dropped where it holds anything but visible ASCII
     */
    public static ByteBuf post(
            ByteBufAllocator allocator,
            URI url,
            String path,
            ByteBuf body,
            @Nullable String traceparent,
            boolean keepAlive) {
        ByteBuf out = allocator.buffer(384 + body.readableBytes());
        writeHead(out, "POST", url, path, traceparent, keepAlive);
        out.writeCharSequence(
                "Content-Type: application/json\r\nContent-Length: " + body.readableBytes() + "\r\n\r\n",
                StandardCharsets.US_ASCII);
        out.writeBytes(body);
        body.release();
        return out;
    }

    private static void writeHead(
            ByteBuf out, String method, URI url, String path, @Nullable String traceparent, boolean keepAlive) {
        StringBuilder head = new StringBuilder(256);
        String base = url.getRawPath() == null ? "" : url.getRawPath();
        while (base.endsWith("/")) {
            base = base.substring(0, base.length() - 1);
        }
        head.append(method).append(' ').append(base).append(path).append(" HTTP/1.1\r\nHost: ");
        head.append(url.getHost());
        if (url.getPort() >= 0) {
            head.append(':').append(url.getPort());
        }
        head.append("\r\nAccept: ").append(method.equals("GET") ? "*/*" : "text/event-stream, application/json");
        head.append("\r\n");
        if (traceparent != null && isVisibleAscii(traceparent)) {
            head.append("traceparent: ").append(traceparent).append("\r\n");
        }
        if (!keepAlive) {
            head.append("Connection: close\r\n");
        }
        out.writeCharSequence(head, StandardCharsets.US_ASCII);
    }

    private static boolean isVisibleAscii(String value) {
        if (value.isEmpty() || value.length() > TRACEPARENT_MAX) {
            return false;
        }
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) <= ' ' || value.charAt(i) >= 0x7f) {
                return false;
            }
        }
        return true;
    }
}
