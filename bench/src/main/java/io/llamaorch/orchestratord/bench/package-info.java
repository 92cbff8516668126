/** bench. */
@NullMarked
package io.llamaorch.orchestratord.bench;

import org.jspecify.annotations.NullMarked;
