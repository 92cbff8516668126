package io.llamaorch.orchestratord.adapters.triton;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.EngineInquiry;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.netty.channel.EventLoop;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Models of a Triton in explicit mode: {@code POST /v2/repository/index}, {@code …/load}, {@code …/unload}. A load answers
 * when it is done, an unload may answer before. In any other mode Triton refuses with 503. An ensemble is unloaded with
 * the models within it, for they hold the memory; loading it loads them.
 */
final class TritonRepository implements ModelControl {
    private static final int POLL_MS = 200;

    private final EngineHttpClient client;

    TritonRepository(EngineHttpClient client) {
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

    /**
     * What the index says of a model.
     *
     * @param states of its versions; empty: it was never loaded
     * @param reason why one is unavailable, empty where not said
     */
    record Entry(Set<String> states, String reason) {

        /** Finds {@code model}; null where the repository has none such, or {@code index} is none. */
        static @Nullable Entry find(byte[] index, String model) {
            Set<String> states = new HashSet<>();
            String[] found = {"", ""};
            FrameJson.readArray(index, (element, array) -> {
                if (element != JsonToken.START_OBJECT) {
                    return;
                }
                String[] of = {"", "", ""};
                array.members((name, value, in) -> {
                    switch (name) {
                        case "name" -> of[0] = in.text();
                        case "state" -> of[1] = in.text();
                        case "reason" -> of[2] = in.text();
                        default -> {}
                    }
                });
                if (of[0].equals(model)) {
                    found[0] = model;
                    found[1] = of[2].isEmpty() ? found[1] : of[2];
                    if (!of[1].isEmpty()) {
                        states.add(of[1]);
                    }
                }
            });
            return found[0].isEmpty() ? null : new Entry(states, found[1]);
        }

        boolean isReady() {
            return states.contains("READY");
        }

        boolean isMoving() {
            return states.contains("LOADING") || states.contains("UNLOADING");
        }
    }

    private final class Order {
        private final EngineInquiry<Outcome> inquiry;
        private final String model;
        private final boolean load;
        private boolean ordered;

        Order(EngineTarget target, String model, int limitMs, EventLoop loop, Consumer<Outcome> answer, boolean load) {
            this.model = model;
            this.load = load;
            this.inquiry = EngineInquiry.order(client, patient(target, limitMs), loop, limitMs, answer);
        }

        void begin() {
            inquiry.begin(this::look);
        }

        private void look() {
            inquiry.post(TritonPaths.INDEX, g -> {}, (status, body) -> {
                Entry entry = status == 200 ? Entry.find(body, model) : null;
                if (status != 200) {
                    refused("the index", status, body);
                } else if (entry == null) {
                    finish(Result.UNKNOWN_MODEL, "the repository has no model " + EngineWords.presentable(model));
                } else if (entry.isReady() == load && !entry.isMoving()) {
                    inquiry.answer(Outcome.DONE);
                } else if (!ordered) {
                    order();
                } else if (load && !entry.isMoving()) {
                    String why = EngineWords.presentable(entry.reason());
                    finish(Result.FAILED, "the model is not there after its load" + (why.isEmpty() ? "" : ": " + why));
                } else {
                    inquiry.after(POLL_MS, this::look);
                }
            });
        }

        private void order() {
            ordered = true;
            JsonBody body = load
                    ? g -> {}
                    : g -> {
                        g.writeObjectFieldStart("parameters");
                        g.writeBooleanField("unload_dependents", true);
                        g.writeEndObject();
                    };
            inquiry.post(load ? TritonPaths.load(model) : TritonPaths.unload(model), body, (status, answer) -> {
                if (status == 200) {
                    look();
                } else {
                    refused(load ? "the load" : "the unload", status, answer);
                }
            });
        }

        private void refused(String what, int status, byte[] body) {
            finish(Result.FAILED, EngineFault.told(what + " was answered with " + status, body));
        }

        private void finish(Result result, String message) {
            inquiry.answer(new Outcome(result, message));
        }
    }

    /** The same target for an answer that comes when a model is loaded. */
    private static EngineTarget patient(EngineTarget target, int limitMs) {
        EngineTimeouts limits = target.timeouts();
        return new EngineTarget(
                target.poolId(),
                target.replicaId(),
                target.url(),
                target.model(),
                target.auth(),
                target.tls(),
                new EngineTimeouts(limits.connectMs(), limitMs, limitMs, limits.probeMs()),
                target.options());
    }
}
