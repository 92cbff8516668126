package io.llamaorch.orchestratord.artifacts.transcript;

import java.nio.file.Path;

/**
 * Limits of a {@link TranscriptLog}.
 *
 * @param root its folder, absolute
 * @param bytesMax bytes of all segments, from which on the oldest goes
 * @param tasksMax ended tasks that are known
 * @param keepMs how long each is known after its end, ms; −1: for ever
 * @param segmentBytes length of a segment
 * @param queueMax transcripts and parts that wait for the writer
 * @param queueBytesMax their bytes
 * @param threads that read
 */
public record TranscriptSettings(
        Path root,
        long bytesMax,
        int tasksMax,
        long keepMs,
        int segmentBytes,
        int queueMax,
        long queueBytesMax,
        int threads) {}
