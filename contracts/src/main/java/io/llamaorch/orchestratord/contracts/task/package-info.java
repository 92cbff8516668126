/**
 * What a client may ask for, and in what words: the wire types of {@code contracts/openapi/data.yaml} as records and
 * enums.
 *
 * <p>Immutable values, safe on every thread. Ranges are checked where a request is read (the server's JSON reader);
 * the constructors check only what would make an object meaningless. <b>May import:</b> {@code contracts.error} and
 * {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.contracts.task;

import org.jspecify.annotations.NullMarked;
