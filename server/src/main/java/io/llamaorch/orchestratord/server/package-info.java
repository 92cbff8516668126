/** server. */
@NullMarked
package io.llamaorch.orchestratord.server;

import org.jspecify.annotations.NullMarked;
