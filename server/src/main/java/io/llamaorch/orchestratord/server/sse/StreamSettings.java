package io.llamaorch.orchestratord.server.sse;

/**
 * Limits and periods of streams; the configuration's {@code streams} section.
 *
 * @param heartbeatMs silence after which a reader gets a comment, ms
 * @param metricsPeriodMs time between two metrics frames, ms
 * @param readerStallMs time without progress after which a reader is cut, ms
 * @param readerLagBytes bytes behind the newest frame at which a live reader is cut
 * @param interactiveGraceMs time without a reader after which an interactive task is canceled, ms; negative: never
 * @param batchGraceMs the same for batch tasks
 * @param retryMs reconnection time told to clients, ms
 * @param sealWaitMs most time that a cancel waits for bytes already handed to a reader's socket, ms
 * @param queueSlabs capacity of the hand-off between an engine's loop and a stream's loop
 */
public record StreamSettings(
        long heartbeatMs,
        long metricsPeriodMs,
        long readerStallMs,
        long readerLagBytes,
        long interactiveGraceMs,
        long batchGraceMs,
        int retryMs,
        long sealWaitMs,
        int queueSlabs) {}
