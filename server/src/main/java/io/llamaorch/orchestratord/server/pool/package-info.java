/**
 * Pools that live: who watches their replicas, what is made of it, and how they are drained, reloaded and started.
 *
 * <pre>
 *   Watches ── ReplicaWatch (one a replica) ── probe ──▶ EngineAdapter;  view ──▶ ring, log, gauges, Fleet
 *   PoolControl ── drain, Reload ── ModelLoader (native, process) ──▶ engines;  events ──▶ ring
 *   Fleet ──▶ EngineSupervisor (adapters.process): the engines that the daemon starts
 * </pre>
 *
 * <p><b>Owner threads:</b> a watch is its loop's; drains, reloads and the fleet are the control loop's, which is the first
 * event loop. Each class says what may be called elsewhere.
 */
@NullMarked
package io.llamaorch.orchestratord.server.pool;

import org.jspecify.annotations.NullMarked;
