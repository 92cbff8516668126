/**
 * JSON Schema to GBNF, and limits on GBNF. The converter is ours, because llama.cpp's converter ends the process on a schema that it does not know.
 *
 * <p>Pure functions, any thread. <b>May import:</b> jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.llamaworker.schema;

import org.jspecify.annotations.NullMarked;
