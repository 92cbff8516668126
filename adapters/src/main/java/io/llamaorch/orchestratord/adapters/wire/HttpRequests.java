package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineAuth;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Request bytes as engines take them: HTTP/1.1, a known {@code Content-Length}, {@code application/json}. */
public final class HttpRequests {
    private static final int TRACEPARENT_MAX = 256;
    private static final int BODY_HINT_BYTES = 1024;

    private HttpRequests() {}

    /** {@code GET} of {@code path} below the target's base URL. */
    public static ByteBuf get(ByteBufAllocator allocator, EngineTarget target, String path, boolean keepAlive) {
        ByteBuf out = allocator.buffer(256);
        writeHead(out, "GET", target, path, null, keepAlive);
        out.writeCharSequence("\r\n", StandardCharsets.US_ASCII);
        return out;
    }

    /**
     * {@code POST} of JSON to {@code path} below the target's base URL, answered by an event stream or by JSON.
     *
     * @param body the JSON; released here
     * @param traceparent W3C trace context to pass on; dropped where it holds anything but visible ASCII
     */
    public static ByteBuf post(
            ByteBufAllocator allocator,
            EngineTarget target,
            String path,
            ByteBuf body,
            @Nullable String traceparent,
            boolean keepAlive) {
        ByteBuf out = allocator.buffer(384 + body.readableBytes());
        writeHead(out, "POST", target, path, traceparent, keepAlive);
        out.writeCharSequence(
                "Content-Type: application/json\r\nContent-Length: " + body.readableBytes() + "\r\n\r\n",
                StandardCharsets.US_ASCII);
        out.writeBytes(body);
        body.release();
        return out;
    }

    /** {@link #post} of a body that is written here. */
    static ByteBuf post(
            EngineHttpClient client, EngineTarget target, String path, JsonBody body, @Nullable String traceparent)
            throws IOException {
        ByteBufAllocator allocator = client.allocator();
        ByteBuf content = body.write(allocator, BODY_HINT_BYTES);
        return post(allocator, target, path, content, traceparent, client.isKeepAlive());
    }

    private static void writeHead(
            ByteBuf out,
            String method,
            EngineTarget target,
            String path,
            @Nullable String traceparent,
            boolean keepAlive) {
        URI url = target.url();
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
        EngineAuth auth = target.auth();
        if (auth != null) {
            head.append(auth.header()).append(": ").append(auth.value()).append("\r\n");
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
