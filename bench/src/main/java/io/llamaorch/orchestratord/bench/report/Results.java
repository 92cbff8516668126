package io.llamaorch.orchestratord.bench.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The samples of a report, by case and target, in the order in which they were first taken. */
final class Results {
    private final Map<String, Map<String, List<Sample>>> samples = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    void add(String test, String target, Sample sample) {
        samples.computeIfAbsent(test, key -> new LinkedHashMap<>())
                .computeIfAbsent(target, key -> new ArrayList<>())
                .add(sample);
    }

    /** A line for the end of the report. */
    void note(String text) {
        if (!notes.contains(text)) {
            notes.add(text);
        }
    }

    List<String> notes() {
        return notes;
    }

    List<Sample> all() {
        return samples.values().stream()
                .flatMap(byTarget -> byTarget.values().stream())
                .flatMap(List::stream)
                .toList();
    }

    /** Targets that have samples of a case. */
    List<String> targets(String test) {
        return List.copyOf(samples.getOrDefault(test, Map.of()).keySet());
    }

    /** The sum of a number over the samples. */
    double sum(String test, String target, String number) {
        return samples.getOrDefault(test, Map.of()).getOrDefault(target, List.of()).stream()
                .mapToDouble(sample -> sample.number(number))
                .sum();
    }

    /** One number of each sample. */
    Series series(String test, String target, ToDoubleFunction<Sample> number) {
        List<Sample> taken = samples.getOrDefault(test, Map.of()).getOrDefault(target, List.of());
        return new Series(taken.stream().mapToDouble(number).toArray());
    }
}
