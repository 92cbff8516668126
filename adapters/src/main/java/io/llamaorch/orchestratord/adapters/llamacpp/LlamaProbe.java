package io.llamaorch.orchestratord.adapters.llamacpp;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.HttpExchange;
import io.llamaorch.orchestratord.adapters.wire.HttpFailure;
import io.llamaorch.orchestratord.adapters.wire.HttpRequests;
import io.llamaorch.orchestratord.adapters.wire.HttpResponseParser;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** {@code GET /health}, then {@code GET /props}: how a llama-server is. Owned by its loop; answers once. */
final class LlamaProbe {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int BODY_MAX_BYTES = 1 << 20;

    private final EngineHttpClient client;
    private final ByteBufAllocator allocator;
    private final EngineTarget target;
    private final EventLoop loop;
    private final Consumer<ReplicaStatus> answer;

    LlamaProbe(
            EngineHttpClient client,
            ByteBufAllocator allocator,
            EngineTarget target,
            EventLoop loop,
            Consumer<ReplicaStatus> answer) {
        this.client = client;
        this.allocator = allocator;
        this.target = target;
        this.loop = loop;
        this.answer = answer;
    }

    void begin() {
        String problem = EngineHttpClient.problemOf(target.url());
        if (!problem.isEmpty()) {
            loop.execute(() -> down(problem));
            return;
        }
        get("/health", this::onHealth);
    }

    private void onHealth(int status, byte[] body) {
        if (status == 200) {
            get("/props", this::onProps);
            return;
        }
        LlamaFrame.Fault error = LlamaFrame.read(body).error();
        String words = error == null ? "" : LlamaErrors.presentable(error.message(), null);
        String said = "/health answered " + status + (words.isEmpty() ? "" : ": " + words);
        if (status == 503) {
            answer.accept(new ReplicaStatus(ReplicaStatus.State.LOADING, null, 0, 0, said));
        } else {
            down(said);
        }
    }

    private void onProps(int status, byte[] body) {
        if (status == 200) {
            answer.accept(read(body));
        } else if (status == 503) {
            answer.accept(new ReplicaStatus(ReplicaStatus.State.LOADING, null, 0, 0, "/props answered 503"));
        } else if (status == 401 || status == 403) {
            down("/props answered " + status + ": the engine wants an API key");
        } else {
            // A build or a proxy without /props: healthy, and the figures come from the configuration.
            answer.accept(new ReplicaStatus(ReplicaStatus.State.READY, null, 0, 0, null));
        }
    }

    /** Reads {@code /props}. */
    static ReplicaStatus read(byte[] body) {
        String build = null;
        int slots = 0;
        int ctx = 0;
        boolean router = false;
        try (JsonParser p = JSON.createParser(body)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("not an object");
            }
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                if (name.equals("total_slots") && value == JsonToken.VALUE_NUMBER_INT) {
                    slots = Math.max(0, p.getIntValue());
                } else if (name.equals("build_info") && value == JsonToken.VALUE_STRING) {
                    build = LlamaErrors.presentable(p.getText(), null);
                } else if (name.equals("role") && value == JsonToken.VALUE_STRING) {
                    router = p.getText().equals("router");
                } else if (name.equals("default_generation_settings") && value == JsonToken.START_OBJECT) {
                    ctx = ctx(p);
                }
                p.skipChildren();
            }
        } catch (IOException e) {
            return new ReplicaStatus(ReplicaStatus.State.DOWN, null, 0, 0, "/props is not what llama-server answers");
        }
        if (router) {
            return new ReplicaStatus(
                    ReplicaStatus.State.DOWN, build, 0, 0, "a llama-server router: name one of its models' servers");
        }
        return new ReplicaStatus(ReplicaStatus.State.READY, build, slots, ctx, null);
    }

    private static int ctx(JsonParser p) throws IOException {
        int ctx = 0;
        while (p.nextToken() != JsonToken.END_OBJECT) {
            boolean isCtx = p.currentName().equals("n_ctx");
            if (p.nextToken() == JsonToken.VALUE_NUMBER_INT && isCtx) {
                ctx = Math.max(0, p.getIntValue());
            }
            p.skipChildren();
        }
        return ctx;
    }

    private void down(String why) {
        answer.accept(new ReplicaStatus(ReplicaStatus.State.DOWN, null, 0, 0, why));
    }

    private void get(String path, Answered then) {
        Fetch fetch = new Fetch(then);
        fetch.exchange = client.send(target, HttpRequests.get(allocator, target.url(), path, false), loop, fetch);
    }

    /** Told of a whole answer. */
    private interface Answered {
        void with(int status, byte[] body);
    }

    private final class Fetch implements HttpExchange.Listener {
        private final Answered then;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private @Nullable HttpExchange exchange;
        private int status;
        private boolean over;

        Fetch(Answered then) {
            this.then = then;
        }

        @Override
        public void onHead(HttpResponseParser response) {
            status = response.status();
        }

        @Override
        public void onBody(ByteBuf buf, int offset, int length) {
            if (over) {
                return;
            }
            if (body.size() + length > BODY_MAX_BYTES) {
                over = true;
                HttpExchange running = exchange;
                if (running != null) {
                    running.abort();
                }
                down("an answer longer than " + BODY_MAX_BYTES + " bytes");
                return;
            }
            try {
                buf.getBytes(offset, body, length);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void onBatchEnd() {}

        @Override
        public void onComplete() {
            then.with(status, body.toByteArray());
        }

        @Override
        public void onFailure(HttpFailure failure, String what) {
            down(what);
        }
    }
}
