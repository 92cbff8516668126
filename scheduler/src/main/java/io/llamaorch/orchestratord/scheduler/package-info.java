/** scheduler. */
@NullMarked
package io.llamaorch.orchestratord.scheduler;

import org.jspecify.annotations.NullMarked;
