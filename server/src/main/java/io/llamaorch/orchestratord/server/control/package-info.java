/**
 * The control plane: what the daemon can do, how its pools are, whether it is alive and ready, and its metrics.
 *
 * <p>Everything here reads what other threads have published ({@code SchedulerSnapshot}, probe results): it changes
 * nothing. <b>Owner thread:</b> the asking connection's loop; {@code /metrics} is rendered on a thread of its own.
 */
@NullMarked
package io.llamaorch.orchestratord.server.control;

import org.jspecify.annotations.NullMarked;
