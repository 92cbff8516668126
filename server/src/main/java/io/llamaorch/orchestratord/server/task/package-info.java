/**
 * Where the parts meet: a task between HTTP, the scheduler, its engine and its stream.
 *
 * <pre>
 *   TaskRoutes ── offerAdmit ──▶ ring ──▶ Scheduler ──▶ SchedulerBridge ── LoopMailbox ──▶ Task (home loop)
 *   Task.stream ── StreamEvents ──▶ TaskLifecycle ── offerX ──▶ ring; metrics; log
 *   ReplicaProber ── probe ──▶ EngineAdapter; offerReplicaChanged ──▶ ring
 * </pre>
 *
 * <p><b>Owner threads:</b> {@code SchedulerBridge} is called on {@code scheduler-0}; everything else on event loops,
 * each class says which.
 */
@NullMarked
package io.llamaorch.orchestratord.server.task;

import org.jspecify.annotations.NullMarked;
