/**
 * The file system as the daemon uses it: a port of few calls, its one real implementation, writes that are whole and
 * durable or did not happen, and folders that are guarded by a format number and a lock.
 *
 * <p>Everything here blocks: never on an event loop. <b>May import:</b> {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.artifacts.disk;

import org.jspecify.annotations.NullMarked;
