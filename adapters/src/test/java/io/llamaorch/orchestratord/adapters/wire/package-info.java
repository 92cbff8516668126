/** Tests of {@code adapters.wire}. */
@NullMarked
package io.llamaorch.orchestratord.adapters.wire;

import org.jspecify.annotations.NullMarked;
