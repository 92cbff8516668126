/**
 * Who asks: named keys, kept as digests, and what each may do.
 *
 * <p>Immutable values, safe on every thread. Nothing here logs, echoes or keeps a key. <b>May import:</b> {@code
 * java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.server.auth;

import org.jspecify.annotations.NullMarked;
