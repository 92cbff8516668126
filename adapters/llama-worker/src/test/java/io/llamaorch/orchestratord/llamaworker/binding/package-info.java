/** Tests of {@code llamaworker.binding}. */
@NullMarked
package io.llamaorch.orchestratord.llamaworker.binding;

import org.jspecify.annotations.NullMarked;
