package io.llamaorch.orchestratord.adapters.gpu;

/**
 * Who is told at once what a reader of snapshots would find late or not at all.
 *
 * <p><b>Threads:</b> called on {@code gpu-sampler} and {@code gpu-events}, so on two threads at a time. It must not
 * block: hand over and return.
 */
public interface GpuListener {
    /** The state, its reason or the limits differ from those before: once for each change, on {@code gpu-sampler}. */
    void onState(GpuSnapshot snapshot);

    /** An event, of any severity. Not coalesced: a broken program can cause many. */
    void onEvent(GpuEvent event);
}
