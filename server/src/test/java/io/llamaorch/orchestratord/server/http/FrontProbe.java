package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.server.auth.ApiKeys;
import io.llamaorch.orchestratord.server.auth.Scope;
import io.llamaorch.orchestratord.server.json.ByteSink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The whole pipeline on an embedded channel with ticks by hand, and routes that note what ran. */
final class FrontProbe {
    static final String KEY = "sesame";
    static final String KEY_SHA256 = "d0c04f4b1951e4aeaaec8223ed2039e542f3aae805a6fa7f6d794e5afff5d272";

    final List<String> ran = new ArrayList<>();
    final List<Throwable> defects = new ArrayList<>();
    final List<Exchange> kept = new ArrayList<>();
    final LoopTicks ticks = new LoopTicks(() -> 0L);
    final HttpFront front;
    final EmbeddedChannel channel;

    FrontProbe(HttpLimits limits, ApiKeys keys) {
        front = new HttpFront(limits, new Router(routes()), keys, new HttpEvents() {
            @Override
            public void onDefect(String correlationId, Throwable defect) {
                defects.add(defect);
            }
        });
        channel = new EmbeddedChannel();
        front.install(channel, new HttpFront.Loop(front, ticks));
    }

    FrontProbe() {
        this(HttpLimits.DEFAULT, ApiKeys.none());
    }

    List<Route> routes() {
        return List.of(
                Route.get("/livez", Scope.NONE, exchange -> {
                    ran.add("livez");
                    exchange.respond(200, ContentType.of("text/plain"), new ByteSink(8).ascii("ok\n"));
                }),
                Route.post("/v1/tasks", Scope.DATA, BodyPolicy.JSON, exchange -> {
                    String body = exchange.body().toString(StandardCharsets.UTF_8);
                    ran.add("tasks " + body);
                    exchange.respond(
                            202,
                            exchange.json().beginObject().member("body", body).endObject());
                }),
                Route.get("/v1/tasks/{id}", Scope.DATA, exchange -> {
                    ran.add("task " + exchange.id());
                    exchange.respond(
                            200,
                            exchange.json()
                                    .beginObject()
                                    .member("id", exchange.id())
                                    .endObject());
                }),
                Route.events("/v1/tasks/{id}/stream", Scope.DATA, exchange -> {
                    ran.add("stream " + exchange.id());
                    exchange.startStream(200, ContentType.EVENT_STREAM);
                    kept.add(exchange);
                }),
                Route.post("/v1/tasks/{id}/cancel", Scope.DATA, BodyPolicy.NONE, exchange -> {
                    ran.add("cancel " + exchange.id());
                    exchange.respondEmpty(204);
                }),
                Route.post("/later", Scope.NONE, BodyPolicy.OPTIONAL_JSON, kept::add),
                Route.get("/later", Scope.NONE, kept::add),
                Route.get("/defect", Scope.NONE, exchange -> {
                    throw new IllegalStateException("on purpose");
                }));
    }

    FrontProbe send(String latin1) {
        return send(latin1.getBytes(StandardCharsets.ISO_8859_1));
    }

    FrontProbe send(byte[] bytes) {
        if (channel.isOpen()) {
            channel.writeInbound(Unpooled.copiedBuffer(bytes));
        }
        return this;
    }

    /** The client ends its side for writing. */
    void halfClose() {
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownReadComplete.INSTANCE);
    }

    /** Everything written so far, as Latin-1 text. */
    String written() {
        StringBuilder text = new StringBuilder();
        for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            text.append(out.toString(StandardCharsets.ISO_8859_1));
            out.release();
        }
        return text.toString();
    }

    /** The answers written so far. */
    List<Answer> answers() {
        return Answer.parse(written());
    }

    void tick(long ms) {
        for (long passed = 0; passed < ms; passed += LoopTicks.TICK_MS) {
            ticks.advance();
        }
    }

    void close() {
        channel.finishAndReleaseAll();
    }
}
