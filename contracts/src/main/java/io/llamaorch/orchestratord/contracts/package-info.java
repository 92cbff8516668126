/** contracts. */
@NullMarked
package io.llamaorch.orchestratord.contracts;

import org.jspecify.annotations.NullMarked;
