package io.llamaorch.orchestratord.server.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * Which documented answers were seen. An answer is named {@code "GET /v1/tasks/{id} 200"}; one that may come before
 * any route is {@code "* 431"}. Safe on every thread.
 */
public final class Coverage {

    private final Set<String> documented;
    private final Set<String> seen = new ConcurrentSkipListSet<>();

    Coverage(Set<String> documented) {
        this.documented = new TreeSet<>(documented);
    }

    void saw(String answer) {
        seen.add(answer);
    }

    /** Every answer that the documents name. */
    public Set<String> documented() {
        return new TreeSet<>(documented);
    }

    /** Every answer that was recorded. */
    public Set<String> seen() {
        return new TreeSet<>(seen);
    }

    /**
     * What is wrong with the coverage, one line each.
     *
     * @param exemptions answers that need not be seen, each with its reason; one that is seen all the same, or that
     *     nobody documents, is a problem too
     */
    public List<String> problems(Map<String, String> exemptions) {
        List<String> problems = new ArrayList<>();
        for (String answer : documented) {
            if (!seen.contains(answer) && !exemptions.containsKey(answer)) {
                problems.add("documented, never seen, not exempt: " + answer);
            }
        }
        for (Map.Entry<String, String> exemption : new TreeMap<>(exemptions).entrySet()) {
            String answer = exemption.getKey();
            if (!documented.contains(answer)) {
                problems.add("exempt, but nobody documents it: " + answer);
            } else if (seen.contains(answer)) {
                problems.add("exempt, but it was seen: " + answer);
            }
            if (exemption.getValue().isBlank()) {
                problems.add("exempt without a reason: " + answer);
            }
        }
        return problems;
    }
}
