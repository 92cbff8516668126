package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.EngineInquiry;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.netty.channel.EventLoop;
import java.util.function.Consumer;

/**
 * Models of a llama-server in router mode: {@code POST /models/load} and {@code /models/unload}, which answer before they
 * are done, then {@code GET /models} until they are. A server with one model refuses both.
 */
final class LlamaRouter implements ModelControl {
    private static final int POLL_MS = 200;

    private final EngineHttpClient client;

    LlamaRouter(EngineHttpClient client) {
        this.client = client;
    }

    @Override
    public void load(EngineTarget target, String model, int limitMs, EventLoop loop, Consumer<Outcome> answer) {
        new Order(target, model, limitMs, loop, answer, true).begin();
    }

    @Override
    public void unload(EngineTarget target, String model, int limitMs, EventLoop loop, Consumer<Outcome> answer) {
        new Order(target, model, limitMs, loop, answer, false).begin();
    }

    private final class Order {
        private final EngineInquiry<Outcome> inquiry;
        private final String model;
        private final boolean load;

        Order(EngineTarget target, String model, int limitMs, EventLoop loop, Consumer<Outcome> answer, boolean load) {
            this.model = model;
            this.load = load;
            this.inquiry = EngineInquiry.order(client, target, loop, limitMs, answer);
        }

        void begin() {
            inquiry.begin(() -> look(true));
        }

        /** How the model is; orders what is to be done where {@code order}. */
        private void look(boolean order) {
            inquiry.get("/models", (status, body) -> {
                LlamaModel found = status == 200 ? LlamaModel.find(body, model) : null;
                if (status != 200) {
                    refused("/models", status, body);
                } else if (found == null) {
                    finish(Result.UNKNOWN_MODEL, "the router does not know model " + EngineWords.presentable(model));
                } else if (isDone(found)) {
                    inquiry.answer(Outcome.DONE);
                } else if (order && !(load && found.isComing())) {
                    order();
                } else if (load && !order && hasStopped(found)) {
                    finish(Result.FAILED, "model " + EngineWords.presentable(model) + " is " + found.words());
                } else {
                    inquiry.after(POLL_MS, () -> look(false));
                }
            });
        }

        private void order() {
            JsonBody body = g -> JsonBody.text(g, "model", model);
            inquiry.post(load ? "/models/load" : "/models/unload", body, (status, answer) -> {
                // 400: it was on its way there already, or never was; the next look tells which.
                if (status == 200 || status == 400) {
                    inquiry.after(POLL_MS, () -> look(false));
                } else if (status == 404) {
                    finish(Result.UNKNOWN_MODEL, "the router does not know model " + EngineWords.presentable(model));
                } else {
                    refused(load ? "/models/load" : "/models/unload", status, answer);
                }
            });
        }

        private boolean isDone(LlamaModel found) {
            return load
                    ? found.isUsable()
                    : !found.isUsable() && !found.isComing() && !found.value().isEmpty();
        }

        /** Neither there nor coming: its process ended. */
        private boolean hasStopped(LlamaModel found) {
            return found.failed() || found.value().equals("unloaded");
        }

        private void refused(String path, int status, byte[] body) {
            finish(Result.FAILED, EngineFault.told(path + " answered " + status, body));
        }

        private void finish(Result result, String message) {
            inquiry.answer(new Outcome(result, message));
        }
    }
}
