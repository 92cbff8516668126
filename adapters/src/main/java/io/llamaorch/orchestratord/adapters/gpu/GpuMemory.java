package io.llamaorch.orchestratord.adapters.gpu;

/**
 * A GPU's memory, bytes, read in one call.
 *
 * @param totalBytes all of it
 * @param usedBytes allocated by any process of the host; without what the driver reserves for itself, but with it where
 *     the driver is too old to tell the two apart (before 510)
 * @param freeBytes what can still be allocated
 */
public record GpuMemory(long totalBytes, long usedBytes, long freeBytes) {}
