package io.llamaorch.orchestratord.artifacts.store;

import java.nio.file.Path;

/**
 * Bounds of an {@link ArtifactStore}.
 *
 * @param root folder, absolute
 * @param bytesMax all references together, bytes
 * @param countMax most references
 * @param keyBytesMax references of one owner together, bytes
 * @param keyCountMax most references of one owner
 * @param documentBytesMax longest document as sent, bytes
 * @param retentionMs age from which a reference may be removed, ms; −1: never
 * @param threads that do the I/O
 * @param queueMax most puts and reads that wait or run
 * @param queueBytesMax bytes of puts that wait or run
 * @param readsMax most reads under way, each with an open file
 */
public record ArtifactSettings(
        Path root,
        long bytesMax,
        int countMax,
        long keyBytesMax,
        int keyCountMax,
        int documentBytesMax,
        long retentionMs,
        int threads,
        int queueMax,
        long queueBytesMax,
        int readsMax) {}
