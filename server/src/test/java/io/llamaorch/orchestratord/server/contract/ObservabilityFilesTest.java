package io.llamaorch.orchestratord.server.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** {@code contracts/observability}: what alerts and board ask for exists, and each alert has a page that helps. */
@NullUnmarked
class ObservabilityFilesTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path FOLDER = ROOT.resolve("contracts/observability");

    private static final Pattern STRING = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"");
    private static final Pattern LABEL_LIST = Pattern.compile("\\b(?:by|on|without|ignoring)\\s*\\(([^)]*)\\)");
    private static final Pattern MATCHER = Pattern.compile("([a-z_]+)\\s*(?:=~|!~|!=|=)");
    private static final Pattern NAME = Pattern.compile("[a-z_][a-z0-9_]*");
    private static final Set<String> PROMQL =
            Set.of("sum", "max", "rate", "increase", "histogram_quantile", "or", "and", "unless", "offset", "by", "on");
    /** What Prometheus and the client library bring. */
    private static final Set<String> FOREIGN_LABELS = Set.of("job", "instance", "le", "area", "gc");

    private record Metric(String type, Set<String> labels, String row) {}

    private static Map<String, Metric> metrics() throws IOException {
        Map<String, Metric> metrics = new LinkedHashMap<>();
        for (JsonNode metric : lint().path("metrics")) {
            String name = metric.path("name").asString();
            Set<String> labels = new TreeSet<>();
            List<String> ordered = new ArrayList<>();
            for (JsonNode label : metric.path("labels")) {
                labels.add(label.asString());
                ordered.add(label.asString());
            }
            String row = "| `" + name + "` | " + metric.path("type").asString() + " | "
                    + (ordered.isEmpty() ? "none" : String.join(", ", ordered)) + " | "
                    + (metric.path("required").asBoolean() ? "yes" : "where it applies") + " | "
                    + metric.path("description").asString() + " |";
            metrics.put(name, new Metric(metric.path("type").asString(), labels, row));
        }
        return metrics;
    }

    private static JsonNode lint() throws IOException {
        return OpenApiDocuments.readJson(Files.readString(ROOT.resolve("ci/metrics.lint.json")));
    }

    /** What is wrong with a query, one line each. */
    private static List<String> problems(String expr, Map<String, Metric> metrics) {
        List<String> problems = new ArrayList<>();
        String bare = STRING.matcher(expr).replaceAll("\"\"");
        Set<String> labels = new TreeSet<>();
        Matcher lists = LABEL_LIST.matcher(bare);
        while (lists.find()) {
            labels.addAll(List.of(lists.group(1).trim().split("\\s*,\\s*", -1)));
        }
        bare = lists.replaceAll(" ");
        Matcher selectors = Pattern.compile("\\{([^}]*)}").matcher(bare);
        while (selectors.find()) {
            Matcher matcher = MATCHER.matcher(selectors.group(1));
            while (matcher.find()) {
                labels.add(matcher.group(1));
            }
        }
        bare = selectors.replaceAll(" ").replaceAll("\\[[0-9a-z]+]", " ").replaceAll("offset [0-9a-z]+", " ");
        Set<String> known = new TreeSet<>(FOREIGN_LABELS);
        Matcher names = NAME.matcher(bare);
        while (names.find()) {
            String name = names.group();
            String family = name.replaceAll("_(bucket|sum|count)$", "");
            Metric metric = metrics.get(name);
            if (metric == null && metrics.containsKey(family)) {
                metric = metrics.get(family).type().equals("histogram") ? metrics.get(family) : null;
            }
            if (metric != null) {
                known.addAll(metric.labels());
            } else if (!PROMQL.contains(name) && !name.equals("up") && !name.matches("(process|jvm)_.*")) {
                problems.add("no metric " + name + " in: " + expr);
            }
        }
        for (String label : labels) {
            if (!known.contains(label)) {
                problems.add("no label " + label + " in: " + expr);
            }
        }
        return problems;
    }

    private static List<String> boardQueries() throws IOException {
        List<String> queries = new ArrayList<>();
        JsonNode board = OpenApiDocuments.readJson(Files.readString(FOLDER.resolve("dashboard.json")));
        for (JsonNode panel : board.path("panels")) {
            for (JsonNode target : panel.path("targets")) {
                queries.add(target.path("expr").asString());
            }
        }
        return queries;
    }

    private static List<JsonNode> alerts() throws IOException {
        List<JsonNode> alerts = new ArrayList<>();
        for (JsonNode group : OpenApiDocuments.readYamlText(Files.readString(FOLDER.resolve("alerts.yaml")))
                .path("groups")) {
            group.path("rules").forEach(alerts::add);
        }
        return alerts;
    }

    @Test
    void shouldAskOnlyForMetricsAndLabelsThatExist() throws IOException {
        Map<String, Metric> metrics = metrics();
        List<String> queries = boardQueries();
        alerts().forEach(alert -> queries.add(alert.path("expr").asString()));
        assertThat(queries).hasSizeGreaterThan(60);
        List<String> problems = new ArrayList<>();
        queries.forEach(query -> problems.addAll(problems(query, metrics)));
        assertThat(problems).isEmpty();
    }

    @Test
    void shouldNoticeMetricsAndLabelsThatDoNotExist() throws IOException {
        Map<String, Metric> metrics = metrics();
        assertThat(problems("sum by (pool_id) (rate(tokens_out_total{job=\"x\"}[5m])) > 0", metrics))
                .isEmpty();
        assertThat(problems("rate(tokens_total[5m])", metrics)).hasSize(1);
        assertThat(problems("sum by (pool) (queue_depth)", metrics)).hasSize(1);
        assertThat(problems("queue_depth{pol_id=\"tokens_total\"}", metrics)).hasSize(1);
        assertThat(problems("queue_depth_bucket", metrics)).hasSize(1);
    }

    @Test
    void shouldShowEveryMetricOnTheBoardOrInAnAlert() throws IOException {
        String asked = String.join("\n", boardQueries())
                + alerts().stream().map(alert -> alert.path("expr").asString()).collect(Collectors.joining("\n"));
        for (JsonNode metric : lint().path("metrics")) {
            if (!metric.path("since").asString().equals("catalog")) { // which is not there yet
                assertThat(asked).containsPattern("\\b" + metric.path("name").asString() + "(_bucket)?\\b");
            }
        }
    }

    @Test
    void shouldDescribeEveryMetricInItsTable() throws IOException {
        List<String> rows = Files.readString(FOLDER.resolve("metrics.md"))
                .lines()
                .filter(line -> line.startsWith("| `"))
                .toList();
        assertThat(rows).isEqualTo(metrics().values().stream().map(Metric::row).toList());
    }

    @Test
    void shouldHaveAPageForEachAlertAndTestIt() throws IOException {
        String tests = Files.readString(FOLDER.resolve("alerts.test.yaml"));
        Set<String> pages = new TreeSet<>();
        try (Stream<Path> files = Files.list(FOLDER.resolve("runbooks"))) {
            files.forEach(file -> pages.add(file.getFileName().toString()));
        }
        Set<String> expected = new TreeSet<>();
        for (JsonNode alert : alerts()) {
            String name = alert.path("alert").asString();
            expected.add(name + ".md");
            assertThat(alert.at("/annotations/runbook").asString()).isEqualTo("runbooks/" + name + ".md");
            assertThat(alert.at("/labels/severity").asString()).isIn("critical", "warning", "info");
            assertThat(tests).contains("name: " + name + " fires", "name: " + name + " stays quiet");
            String page = Files.readString(FOLDER.resolve("runbooks").resolve(name + ".md"));
            assertThat(page).startsWith("# " + name + "\n").contains("**Impact.**", "\n## Look at\n- ", "\n## Do\n- ");
        }
        assertThat(pages).isEqualTo(expected);
    }
}
