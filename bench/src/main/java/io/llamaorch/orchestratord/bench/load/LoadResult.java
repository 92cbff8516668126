package io.llamaorch.orchestratord.bench.load;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.errorprone.annotations.FormatMethod;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What a run found, as one JSON line and as a short table.
 *
 * @param unfinished requests that had no whole answer when the drain ended
 * @param firstRefusal status and body of the first answer with an unwanted status
 */
record LoadResult(
        LoadOptions options,
        Measurements figures,
        Snapshot before,
        Snapshot after,
        long unfinished,
        @Nullable String firstRefusal) {

    double tokensPerSecond() {
        return figures.tokens / figures.seconds();
    }

    double requestsPerSecond() {
        return figures.requests / figures.seconds();
    }

    /** Target's processor seconds for a million tokens; 0 when unknown. */
    double cpuSecondsPerMillionTokens() {
        return figures.tokens == 0 ? 0 : targetCpuSeconds() / figures.tokens * 1e6;
    }

    double targetCpuSeconds() {
        return (after.targetCpuNs() - before.targetCpuNs()) / 1e9;
    }

    /** Processors kept busy by processes that are no part of the bench, 0 to their number. */
    double foreignProcessors() {
        long known = after.targetCpuNs()
                - before.targetCpuNs()
                + after.loaderCpuNs()
                - before.loaderCpuNs()
                + after.besideCpuNs()
                - before.besideCpuNs();
        return Math.max(0, (after.hostBusyNs() - before.hostBusyNs() - known) / 1e9 / figures.seconds());
    }

    /** Share of one processor that the load generator used: near 1, it is the limit. */
    double loaderProcessors() {
        return (after.loaderCpuNs() - before.loaderCpuNs()) / 1e9 / figures.seconds();
    }

    String json() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("label", options.label);
            json.writeStringField("mode", options.mode.name());
            json.writeNumberField("connections", options.connections);
            json.writeNumberField("rate", options.rate);
            json.writeNumberField("tokens_per_task", options.tokens);
            json.writeNumberField("seed", options.seed);
            json.writeNumberField("seconds", figures.seconds());
            json.writeNumberField("requests", figures.requests);
            json.writeNumberField("requests_s", requestsPerSecond());
            json.writeNumberField("tokens", figures.tokens);
            json.writeNumberField("tokens_s", tokensPerSecond());
            json.writeNumberField("reads", figures.reads);
            json.writeNumberField("bytes", figures.bytes);
            json.writeNumberField("reconnects", figures.reconnects);
            json.writeNumberField("unfinished", unfinished);
            json.writeNumberField("faults", figures.faultCount());
            for (Fault fault : Fault.values()) {
                if (figures.faultCount(fault) > 0) {
                    json.writeNumberField("fault_" + fault.name().toLowerCase(Locale.ROOT), figures.faultCount(fault));
                }
            }
            String firstFault = figures.firstFault();
            if (firstFault != null) {
                json.writeStringField("first_fault", firstFault);
            }
            if (firstRefusal != null) {
                json.writeStringField("first_refusal", firstRefusal);
            }
            for (int status = 0; status < 1000; status++) {
                if (figures.statusCount(status) > 0) {
                    json.writeNumberField("status_" + status, figures.statusCount(status));
                }
            }
            percentiles(json, "ttft", figures.firstTokenNs);
            percentiles(json, "gap", figures.gapNs);
            percentiles(json, "admission", figures.admissionNs);
            percentiles(json, "delivery", figures.deliveryNs);
            percentiles(json, "lateness", figures.latenessNs);
            json.writeNumberField("loader_processors", loaderProcessors());
            json.writeNumberField("foreign_processors", foreignProcessors());
            if (options.pid != 0) {
                json.writeNumberField("target_cpu_s", targetCpuSeconds());
                json.writeNumberField("target_cpu_s_per_mtok", cpuSecondsPerMillionTokens());
                json.writeNumberField("target_rss_bytes_before", before.targetRssBytes());
                json.writeNumberField("target_rss_bytes", after.targetRssBytes());
            }
            if (options.heap) {
                json.writeNumberField("allocated_bytes", after.allocatedBytes() - before.allocatedBytes());
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory", e);
        }
        return text.toString();
    }

    private static void percentiles(JsonGenerator json, String name, Histogram ns) throws IOException {
        if (ns.getTotalCount() > 0) {
            json.writeNumberField(name + "_n", ns.getTotalCount());
            json.writeNumberField(name + "_p50_us", ns.getValueAtPercentile(50) / 1e3);
            json.writeNumberField(name + "_p90_us", ns.getValueAtPercentile(90) / 1e3);
            json.writeNumberField(name + "_p99_us", ns.getValueAtPercentile(99) / 1e3);
            json.writeNumberField(name + "_p999_us", ns.getValueAtPercentile(99.9) / 1e3);
            json.writeNumberField(name + "_max_us", ns.getMaxValue() / 1e3);
        }
    }

    String table() {
        StringBuilder text = new StringBuilder();
        line(
                text,
                "%s %s: %d connections, %.2f s",
                options.mode,
                options.label,
                options.connections,
                figures.seconds());
        line(text, "requests %d (%.0f/s)", figures.requests, requestsPerSecond());
        line(text, "tokens   %d (%.0f/s)", figures.tokens, tokensPerSecond());
        line(text, "faults   %d, unfinished %d", figures.faultCount(), unfinished);
        String firstFault = figures.firstFault();
        if (firstFault != null) {
            line(text, "first    %s", firstFault);
        }
        if (firstRefusal != null) {
            line(text, "refusal  %s", firstRefusal);
        }
        latency(text, "ttft", figures.firstTokenNs);
        latency(text, "gap", figures.gapNs);
        latency(text, "admission", figures.admissionNs);
        latency(text, "delivery", figures.deliveryNs);
        latency(text, "lateness", figures.latenessNs);
        if (options.pid != 0) {
            line(
                    text,
                    "target   %.2f s CPU, %.2f s per million tokens, %.1f MB resident",
                    targetCpuSeconds(),
                    cpuSecondsPerMillionTokens(),
                    after.targetRssBytes() / 1e6);
        }
        line(text, "loader   %.2f processors; foreign %.2f", loaderProcessors(), foreignProcessors());
        return text.toString();
    }

    private static void latency(StringBuilder text, String name, Histogram ns) {
        if (ns.getTotalCount() > 0) {
            line(
                    text,
                    "%-9s p50 %.3f, p99 %.3f, p99.9 %.3f, max %.3f ms (%d)",
                    name,
                    ns.getValueAtPercentile(50) / 1e6,
                    ns.getValueAtPercentile(99) / 1e6,
                    ns.getValueAtPercentile(99.9) / 1e6,
                    ns.getMaxValue() / 1e6,
                    ns.getTotalCount());
        }
    }

    @FormatMethod
    private static void line(StringBuilder text, String format, Object... arguments) {
        text.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
