/**
 * What {@code /metrics} shows.
 *
 * <p>{@link Metrics} holds every counter, gauge and histogram; callers resolve a series once, keep the handle, and
 * count on it without a look-up. Values that another thread owns (queues, leases, rings) are asked for at scrape time
 * through a {@link GaugeSource}.
 *
 * <p><b>Threads:</b> handles may be used from any thread and never block. {@link Metrics#render()} may take
 * milliseconds: never on an event loop.
 *
 * <p><b>May import:</b> {@code contracts} and the Prometheus simpleclient.
 */
@NullMarked
package io.llamaorch.orchestratord.server.metrics;

import org.jspecify.annotations.NullMarked;
