package io.llamaorch.orchestratord.server.contract;

import java.util.List;
import java.util.Map;

/**
 * Where the tests' HTTP clients hand in what they saw. One per JVM, so that coverage adds up over all test classes.
 * Safe on every thread.
 */
public final class ContractRecorder {

    private static final OpenApiVerifier VERIFIER = OpenApiVerifier.load();

    private ContractRecorder() {}

    /**
     * Checks one exchange against the contract and counts it.
     *
     * @throws AssertionError naming every violation
     */
    public static void record(Exchange exchange) {
        List<String> violations = VERIFIER.verify(exchange);
        if (!violations.isEmpty()) {
            throw new AssertionError(exchange + "\n  " + String.join("\n  ", violations));
        }
    }

    /** What has been seen in this JVM so far. */
    public static Coverage coverage() {
        return VERIFIER.coverage();
    }

    /**
     * Asserts that each documented answer was seen in this JVM.
     *
     * @param exemptions answers that need not be seen, each with its reason
     * @throws AssertionError naming what is missing
     */
    public static void assertCovered(Map<String, String> exemptions) {
        List<String> problems = coverage().problems(exemptions);
        if (!problems.isEmpty()) {
            throw new AssertionError(String.join("\n", problems));
        }
    }
}
