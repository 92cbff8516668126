/**
 * The provider verifier: compares what the daemon really answered with {@code contracts/openapi}.
 *
 * <pre>
 *   test's HTTP client ── Exchange ──▶ ContractRecorder ──▶ OpenApiVerifier ──▶ violations
 *                                                │                └─▶ SseStream, StreamRules (event streams)
 *                                                └─▶ Coverage (which documented statuses were seen)
 * </pre>
 *
 * <p>Test code alone. {@link io.llamaorch.orchestratord.server.contract.ContractRecorder} is safe on every thread; the
 * rest is immutable.
 */
@NullMarked
package io.llamaorch.orchestratord.server.contract;

import org.jspecify.annotations.NullMarked;
