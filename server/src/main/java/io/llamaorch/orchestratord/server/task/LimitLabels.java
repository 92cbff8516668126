package io.llamaorch.orchestratord.server.task;

/** Which policy labels name a limit of a key or session, or a budget; the others name what a queue does when it is full. */
final class LimitLabels {
    private LimitLabels() {}

    static boolean isLimit(String policyLabel) {
        return policyLabel.startsWith("key_")
                || policyLabel.startsWith("session_")
                || policyLabel.startsWith("budget_");
    }
}
