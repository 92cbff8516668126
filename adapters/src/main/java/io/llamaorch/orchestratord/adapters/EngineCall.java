package io.llamaorch.orchestratord.adapters;

/** One decode under way at an engine. All methods on the loop given to {@link EngineAdapter#start}. */
public interface EngineCall {

    /**
     * Ends the call at once: the engine is told (by closing the connection, where its wire has no better way), and the
     * sink hears nothing more. Idempotent; does nothing after the end.
     */
    void abort();

    /** Reads on after {@link EngineSink#token} returned false. Does nothing where reading never stopped. */
    void resume();
}
