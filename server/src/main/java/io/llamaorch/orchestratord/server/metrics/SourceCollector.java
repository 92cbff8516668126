package io.llamaorch.orchestratord.server.metrics;

import io.prometheus.client.Collector;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Asks the {@link GaugeSource}s at scrape time, so that a series that is gone is not shown any more. */
final class SourceCollector extends Collector {
    private final List<GaugeSource> sources;
    private final LabelBudget budget;

    SourceCollector(List<GaugeSource> sources, LabelBudget budget) {
        this.sources = sources;
        this.budget = budget;
    }

    @Override
    public List<MetricFamilySamples> collect() {
        Map<GaugeSource.Family, List<MetricFamilySamples.Sample>> found = new EnumMap<>(GaugeSource.Family.class);
        for (GaugeSource source : sources) {
            source.read((family, value, labels) -> {
                String[] names = family.labels();
                if (labels.length != names.length) {
                    throw new IllegalArgumentException(family.metric() + " has " + names.length + " labels");
                }
                String[] values = budget.admit(family.metric(), names, labels.clone());
                found.computeIfAbsent(family, key -> new ArrayList<>())
                        .add(new MetricFamilySamples.Sample(family.metric(), List.of(names), List.of(values), value));
            });
        }
        List<MetricFamilySamples> families = new ArrayList<>();
        found.forEach((family, samples) ->
                families.add(new MetricFamilySamples(family.metric(), type(family), family.help(), samples)));
        return families;
    }

    private static Type type(GaugeSource.Family family) {
        return family.metric().endsWith("_total") ? Type.COUNTER : Type.GAUGE;
    }
}
