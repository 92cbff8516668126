package io.llamaorch.orchestratord.adapters;

import io.netty.channel.EventLoop;
import java.util.function.Consumer;

/**
 * Loading and unloading within an engine that runs, by the engine's own API. Each method answers exactly once, on
 * {@code loop}, within the limit; an engine that took the order and is not done by then goes on with it.
 */
public interface ModelControl {

    /** How an order ended. */
    enum Result {
        /** The model is as asked for, whether or not it was before. */
        DONE,
        /** The engine knows no such model. */
        UNKNOWN_MODEL,
        /** The engine refused, or tried and failed. */
        FAILED,
        /** Not done within the limit. */
        TIMED_OUT
    }

    /**
     * The end of an order.
     *
     * @param result how it ended
     * @param message what the engine said, empty where it is {@link Result#DONE}; bounded
     */
    record Outcome(Result result, String message) {
        /** It is done. */
        public static final Outcome DONE = new Outcome(Result.DONE, "");
    }

    /**
     * Loads a model and waits until it can be used.
     *
     * @param model name by which the engine knows it
     * @param limitMs on the whole, ms
     */
    void load(EngineTarget target, String model, int limitMs, EventLoop loop, Consumer<Outcome> answer);

    /** Unloads a model and waits until it is gone; parameters as of {@link #load}. */
    void unload(EngineTarget target, String model, int limitMs, EventLoop loop, Consumer<Outcome> answer);
}
