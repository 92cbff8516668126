package io.llamaorch.orchestratord.server.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.server.EngineChecks;
import io.llamaorch.orchestratord.server.EngineProbes;
import io.llamaorch.orchestratord.server.config.ConfigLoader;
import io.llamaorch.orchestratord.server.config.EffectiveValue;
import io.llamaorch.orchestratord.server.config.Origin;
import io.llamaorch.orchestratord.server.config.Problem;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code orchestratord check}. */
@Command(
        name = "check",
        description = "Checks a configuration: exit status 0 fine, 1 errors found, 2 wrong usage or unreadable.",
        mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
    @Mixin
    @SuppressWarnings("NullAway.Init")
    private ConfigOptions options;

    @Option(names = "--json", description = "Prints findings and every effective value with its source as JSON.")
    private boolean json;

    @Option(names = "--connect", description = "Also asks each engine how it is; one that does not answer is an error.")
    private boolean connect;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        ConfigLoader.Loaded loaded =
                ServeCommand.load(options.file, options.sets, spec.commandLine().getErr());
        if (loaded == null) {
            return ServeCommand.UNUSABLE;
        }
        loaded = EngineChecks.checked(loaded);
        List<EngineProbes.Probe> probes = List.of();
        if (connect && loaded.config() != null) {
            probes = EngineProbes.ask(loaded.orThrow());
            loaded = EngineChecks.answered(loaded, probes);
        }
        if (json) {
            out.println(toJson(loaded, connect ? probes : null));
        } else {
            for (EngineProbes.Probe probe : probes) {
                out.println(probe.poolId() + "/" + probe.replicaId() + ": " + described(probe.status()));
            }
            loaded.errors().forEach(problem -> out.println("error: " + problem));
            loaded.warnings().forEach(problem -> out.println("warning: " + problem));
            out.println(options.file + ": "
                    + (loaded.errors().isEmpty()
                            ? "ok"
                            : ServeCommand.count(loaded.errors().size(), "error"))
                    + (loaded.warnings().isEmpty()
                            ? ""
                            : ", " + ServeCommand.count(loaded.warnings().size(), "warning")));
        }
        return loaded.errors().isEmpty() ? 0 : ServeCommand.FAILED;
    }

    private static String described(ReplicaStatus status) {
        String version = status.engineVersion() == null ? "" : ", version " + status.engineVersion();
        String slots = status.slots() == 0 ? "" : ", " + ServeCommand.count(status.slots(), "slot");
        String ctx = status.ctx() == 0 ? "" : ", ctx " + status.ctx();
        return status.state().name().toLowerCase(Locale.ROOT) + version + slots + ctx;
    }

    private static void engines(JsonGenerator json, List<EngineProbes.Probe> probes) throws IOException {
        json.writeArrayFieldStart("engines");
        for (EngineProbes.Probe probe : probes) {
            ReplicaStatus status = probe.status();
            json.writeStartObject();
            json.writeStringField("pool_id", probe.poolId());
            json.writeStringField("replica_id", probe.replicaId());
            json.writeStringField("state", status.state().name().toLowerCase(Locale.ROOT));
            if (status.engineVersion() != null) {
                json.writeStringField("engine_version", status.engineVersion());
            }
            if (status.slots() > 0) {
                json.writeNumberField("slots", status.slots());
            }
            if (status.ctx() > 0) {
                json.writeNumberField("ctx", status.ctx());
            }
            if (status.lastError() != null) {
                json.writeStringField("last_error", status.lastError());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /** {@code probes} null: nobody was asked. */
    private static String toJson(ConfigLoader.Loaded loaded, @Nullable List<EngineProbes.Probe> probes) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.useDefaultPrettyPrinter();
            json.writeStartObject();
            json.writeBooleanField("ok", loaded.errors().isEmpty());
            problems(json, "errors", loaded.errors());
            problems(json, "warnings", loaded.warnings());
            if (probes != null) {
                engines(json, probes);
            }
            json.writeArrayFieldStart("values");
            for (EffectiveValue value : loaded.effective()) {
                json.writeStartObject();
                json.writeStringField("path", value.path());
                json.writeStringField("value", value.value());
                origin(json, value.origin());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private static void problems(JsonGenerator json, String name, List<Problem> problems) throws IOException {
        json.writeArrayFieldStart(name);
        for (Problem problem : problems) {
            json.writeStartObject();
            json.writeStringField("path", problem.path());
            json.writeStringField("message", problem.message());
            origin(json, problem.at());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void origin(JsonGenerator json, Origin origin) throws IOException {
        json.writeStringField("layer", origin.layer().name().toLowerCase(Locale.ROOT));
        if (!origin.name().isEmpty()) {
            json.writeStringField("source", origin.name());
        }
        if (origin.line() > 0) {
            json.writeNumberField("line", origin.line());
            json.writeNumberField("column", origin.column());
        }
    }
}
