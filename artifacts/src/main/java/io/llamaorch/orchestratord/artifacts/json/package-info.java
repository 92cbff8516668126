/**
 * The one canonical form of a JSON value: RFC 8785 (JCS), numbers as ECMAScript writes them.
 *
 * <p>Stateless, for every thread. <b>May import:</b> jackson-core's streaming parser and {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.artifacts.json;

import org.jspecify.annotations.NullMarked;
