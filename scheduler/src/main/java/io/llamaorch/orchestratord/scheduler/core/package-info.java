/**
 * The admission state machine: which task holds which slot, and in what order.
 *
 * <p>Flow: {@code ring event -> Scheduler method -> Effects}. Nothing else enters.
 *
 * <p><b>Owner thread:</b> {@code scheduler-0}, for every mutable object here. <b>Determinism:</b> no clock, randomness,
 * I/O or unordered iteration; time arrives with the event. The same calls yield the same effects, in the same order.
 *
 * <p><b>May import:</b> {@code contracts} and {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.NullMarked;
