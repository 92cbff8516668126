/**
 * What the daemon says to a service manager, and takes from one: systemd's notification and socket-passing protocols.
 *
 * <p>Flow: {@code ServiceNotifier} sends datagrams to {@code NOTIFY_SOCKET}; {@code Watchdog} sends a baton round all event
 * loops and the scheduler before each {@code WATCHDOG=1}; {@code ListenSockets} finds the sockets that were passed.
 *
 * <p><b>Owner threads:</b> none of its own; each class says from where it may be called.
 *
 * <p><b>May import:</b> Netty's native transports, {@code server.log}.
 */
@NullMarked
package io.llamaorch.orchestratord.server.systemd;

import org.jspecify.annotations.NullMarked;
