/**
 * What can go wrong in operation, as a bounded set of codes with their HTTP status, and the one envelope that
 * carries them.
 *
 * <p>Immutable values, safe on every thread. <b>May import:</b> {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.contracts.error;

import org.jspecify.annotations.NullMarked;
