package io.llamaorch.orchestratord.bench.report;

import java.util.List;
import java.util.function.ToDoubleFunction;

/** Writes {@link Results} as Markdown: a table a case, a row a target. */
final class MarkdownReport {
    /**
     * A column.
     *
     * @param title with its unit
     * @param number of a sample
     */
    record Column(String title, ToDoubleFunction<Sample> number) {}

    private final StringBuilder text = new StringBuilder();
    private final Results results;

    MarkdownReport(Results results) {
        this.results = results;
    }

    void line(String line) {
        text.append(line).append('\n');
    }

    /**
     * A case's table: median and range of each column; after the first, its ratio to each reference in the same run.
     */
    void table(String title, String test, List<Column> columns, List<String> references) {
        List<String> targets = results.targets(test);
        if (targets.isEmpty()) {
            return;
        }
        List<String> present = references.stream().filter(targets::contains).toList();
        StringBuilder head = new StringBuilder("| |");
        StringBuilder rule = new StringBuilder("|---|");
        for (int i = 0; i < columns.size(); i++) {
            head.append(' ').append(columns.get(i).title()).append(" |");
            rule.append("---|");
            if (i == 0) {
                present.forEach(
                        reference -> head.append(" / ").append(reference).append(" |"));
                rule.append("---|".repeat(present.size()));
            }
        }
        line("");
        line("**" + title + "**");
        line("");
        line(head.toString());
        line(rule.toString());
        for (String target : targets) {
            StringBuilder row = new StringBuilder("| ").append(target).append(" |");
            for (int i = 0; i < columns.size(); i++) {
                Column column = columns.get(i);
                Series series = results.series(test, target, column.number());
                row.append(' ').append(series.text()).append(" |");
                if (i == 0) {
                    for (String reference : present) {
                        double base =
                                results.series(test, reference, column.number()).median();
                        row.append(' ')
                                .append(Series.number(series.median() / base))
                                .append(" |");
                    }
                }
            }
            line(row.toString());
        }
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
