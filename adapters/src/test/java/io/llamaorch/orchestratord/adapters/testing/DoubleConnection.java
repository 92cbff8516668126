package io.llamaorch.orchestratord.adapters.testing;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One client of the double: reads a request, routes it. One request a connection, as llama-server in effect does. */
@SuppressWarnings("FutureReturnValueIgnored")
final class DoubleConnection extends ChannelInboundHandlerAdapter {
    private final LlamaServerDouble server;
    private final DoubleState state;
    private final ByteBuf in = Unpooled.buffer(512);
    private @Nullable DoubleStream stream;
    private boolean answered;

    DoubleConnection(LlamaServerDouble server, DoubleState state) {
        this.server = server;
        this.state = state;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        state.open++;
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        state.open--;
        in.release();
        if (stream != null) {
            stream.disconnected();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        ByteBuf buf = (ByteBuf) msg;
        if (!answered) {
            in.writeBytes(buf);
        }
        buf.release();
        if (answered) {
            return;
        }
        String text = in.toString(StandardCharsets.ISO_8859_1);
        int headEnd = text.indexOf("\r\n\r\n");
        if (headEnd < 0) {
            return;
        }
        String head = text.substring(0, headEnd);
        int length = 0;
        for (String line : head.split("\r\n", -1)) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(15).strip());
            }
        }
        if (in.readableBytes() < headEnd + 4 + length) {
            return;
        }
        answered = true;
        state.requests++;
        byte[] body = new byte[length];
        in.getBytes(in.readerIndex() + headEnd + 4, body);
        String[] line = head.substring(0, head.indexOf("\r\n") < 0 ? head.length() : head.indexOf("\r\n"))
                .split(" ", -1);
        try {
            route(ctx, line[0] + " " + line[1], head, body);
        } catch (IOException | IllegalArgumentException e) {
            error(ctx, 400, "invalid_request_error", DoubleJson.escape(String.valueOf(e.getMessage())));
        }
    }

    private void route(ChannelHandlerContext ctx, String what, String head, byte[] body) throws IOException {
        if (what.equals("GET /__stats")) {
            reply(ctx, 200, state.statsJson());
            return;
        }
        if (what.equals("POST /__control")) {
            server.control(DoubleJson.members(body));
            reply(ctx, 200, "{}");
            return;
        }
        if (state.loading) {
            error(ctx, 503, "unavailable_error", "Loading model");
            return;
        }
        if (!state.apiKey.isEmpty()
                && !what.equals("GET /health")
                && !head.contains("Authorization: Bearer " + state.apiKey)) {
            error(ctx, 401, "authentication_error", "Invalid API Key");
            return;
        }
        switch (what) {
            case "GET /health", "GET /v1/health" -> reply(ctx, 200, "{\"status\":\"ok\"}");
            case "GET /props" ->
                reply(
                        ctx,
                        200,
                        "{\"default_generation_settings\":{\"id\":0,\"id_task\":-1,\"n_ctx\":" + state.ctx
                                + ",\"params\":{\"n_predict\":-1,\"n_ctx\":1}},\"total_slots\":" + state.slots
                                + ",\"model_path\":\"double.gguf\",\"chat_template\":\"\",\"build_info\":\"b1-double\"}");
            case "GET /slots" -> reply(ctx, 200, slots());
            case "GET /metrics" ->
                reply(
                        ctx,
                        200,
                        "# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing " + state.running
                                + "\n# TYPE llamacpp:requests_deferred gauge\nllamacpp:requests_deferred "
                                + state.deferred.size() + "\n");
            case "POST /tokenize" -> reply(ctx, 200, "{\"tokens\":[712,363]}");
            case "POST /completion", "POST /completions" -> completion(ctx, DoubleJson.members(body));
            default -> error(ctx, 404, "not_found_error", "File Not Found");
        }
    }

    private void completion(ChannelHandlerContext ctx, Map<String, String> body) {
        String prompt = body.get("prompt");
        if (prompt == null) {
            error(ctx, 400, "invalid_request_error", "\\\"prompt\\\" must be a string");
            return;
        }
        DoubleScript script = state.defaults.with(prompt);
        long seed = Long.parseLong(body.getOrDefault("seed", "0"));
        int limit = Integer.parseInt(body.getOrDefault("n_predict", "16"));
        String fault = script.fault == null ? "" : script.fault;
        switch (fault) {
            case "http400" ->
                error(ctx, 400, "invalid_request_error", "bad parameter near: " + DoubleJson.escape(prompt));
            case "http401" -> error(ctx, 401, "authentication_error", "Invalid API Key");
            case "http500" -> error(ctx, 500, "server_error", "Something broke");
            case "http503" -> error(ctx, 503, "unavailable_error", "Loading model");
            case "toolong" ->
                error(ctx, 400, "exceed_context_size_error", "the request exceeds the available context size");
            default -> {
                DoubleStream started = new DoubleStream(state, ctx.channel(), script, prompt, seed, limit);
                stream = started;
                state.enter(started);
            }
        }
    }

    private String slots() {
        StringBuilder out = new StringBuilder("[");
        for (int i = 0; i < state.slots; i++) {
            out.append(i == 0 ? "" : ",")
                    .append("{\"id\":")
                    .append(i)
                    .append(",\"n_ctx\":")
                    .append(state.ctx);
            out.append(",\"is_processing\":").append(i < state.running).append('}');
        }
        return out.append(']').toString();
    }

    private static void error(ChannelHandlerContext ctx, int status, String type, String message) {
        reply(
                ctx,
                status,
                "{\"error\":{\"code\":" + status + ",\"message\":\"" + message + "\",\"type\":\"" + type + "\"}}");
    }

    private static void reply(ChannelHandlerContext ctx, int status, String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        String head = "HTTP/1.1 " + status + " Status\r\nConnection: close\r\n"
                + "Content-Type: application/json; charset=utf-8\r\nServer: llama.cpp\r\nContent-Length: "
                + bytes.length + "\r\nAccess-Control-Allow-Origin: \r\n\r\n";
        ctx.writeAndFlush(Unpooled.wrappedBuffer(head.getBytes(StandardCharsets.US_ASCII), bytes))
                .addListener(ChannelFutureListener.CLOSE);
    }
}
