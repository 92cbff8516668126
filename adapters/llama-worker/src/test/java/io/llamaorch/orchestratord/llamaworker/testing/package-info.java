/** A tiny model and the worker as a process, for the tests of several modules. */
@NullMarked
package io.llamaorch.orchestratord.llamaworker.testing;

import org.jspecify.annotations.NullMarked;
