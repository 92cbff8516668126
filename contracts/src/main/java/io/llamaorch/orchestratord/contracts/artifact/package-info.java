/**
 * What an artifact can be: the wire words of {@code contracts/specs/artifacts.md}.
 *
 * <p>Immutable values, safe on every thread. <b>May import:</b> {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.contracts.artifact;

import org.jspecify.annotations.NullMarked;
