/**
 * Integration tests: the whole daemon in this process, real sockets on the loopback address, engines as doubles.
 *
 * <p>Every exchange of {@link io.llamaorch.orchestratord.server.it.TestClient} is checked against the OpenAPI documents.
 */
@NullMarked
package io.llamaorch.orchestratord.server.it;

import org.jspecify.annotations.NullMarked;
