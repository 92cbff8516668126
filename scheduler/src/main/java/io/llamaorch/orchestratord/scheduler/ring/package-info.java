/**
 * The way into the scheduler: a multi-producer Disruptor ring, and the one thread that drains it into the core.
 *
 * <pre>
 *   event loops (N) ── offerX() ──▶ ring ──▶ scheduler-0 ── core.x(nowNs, …) ──▶ Effects
 * </pre>
 *
 * <p>An offer never blocks: a full ring is answered with false. Admissions are refused earlier than the rest, so that
 * what gives slots back always finds room. <b>May import:</b> {@code scheduler.core}, {@code contracts}, the Disruptor.
 */
@NullMarked
package io.llamaorch.orchestratord.scheduler.ring;

import org.jspecify.annotations.NullMarked;
