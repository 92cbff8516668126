/**
 * Artifacts over HTTP: routes, ranges, bodies that leave slice by slice; and the store's place in the daemon.
 *
 * <p>Routes run on the asking connection's loop, what the store answers comes back to it. Nothing here touches a file.
 * <b>May import:</b> {@code artifacts}, {@code contracts}, {@code server.auth}, {@code server.config}, {@code
 * server.http}, {@code server.json}, {@code server.log}, {@code server.metrics}, Netty.
 */
@NullMarked
package io.llamaorch.orchestratord.server.artifact;

import org.jspecify.annotations.NullMarked;
