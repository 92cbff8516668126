package io.llamaorch.orchestratord.adapters.process;

/** Hears of supervised engines. */
@FunctionalInterface
public interface EngineListener {
    /**
     * An engine's status changed: its state, or its pid became known. On the thread {@code engine-supervisor}, in order;
     * must not block. What it throws is dropped.
     */
    void onEngine(EngineStatus status);
}
