package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/**
 * One session at one moment.
 *
 * @param ttlMsRemaining until it is forgotten if nothing else came, ms; the whole span while it has open tasks
 * @param turns tasks admitted to it
 * @param openTasks those of them that are queued or run
 * @param kvWarmth whether the replica that it last ran on is thought to hold its prefix
 * @param allowance what it has left; null where nothing is limited
 */
public record SessionInfo(
        long ttlMsRemaining, int turns, int openTasks, boolean kvWarmth, @Nullable Allowance allowance) {}
