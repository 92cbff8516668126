/** Stress tests (jcstress) of what two threads share in the server's package of this name. */
@NullMarked
package io.llamaorch.orchestratord.server.sse;

import org.jspecify.annotations.NullMarked;
