/** Tests of {@code llamaworker.engine}. */
@NullMarked
package io.llamaorch.orchestratord.llamaworker.engine;

import org.jspecify.annotations.NullMarked;
