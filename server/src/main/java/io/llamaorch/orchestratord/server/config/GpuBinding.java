package io.llamaorch.orchestratord.server.config;

import io.llamaorch.orchestratord.adapters.gpu.GpuSettings;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** The keys of {@code gpu}: type, range, default and meaning of each. See {@link ConfigBinding}. */
final class GpuBinding {
    private static final GpuSettings DEFAULTS = GpuSettings.defaults();

    private GpuBinding() {}

    /** Section {@code gpu}. */
    static Config.Gpu gpu(Section s) {
        return new Config.Gpu(
                s.flag("enabled", true, "GPUs are watched; without a driver there is just nothing to see"),
                s.integer("period_ms", 100, ConfigBinding.HOUR_MS, DEFAULTS.periodMs(), "between two samples, ms"),
                library(s),
                s.number(
                        "fault_clear_ms",
                        0,
                        ConfigBinding.DAY_MS,
                        60_000,
                        "how long a GPU that was faulty must be well before its replicas get tasks again, ms"));
    }

    /** A bare name is for the dynamic linker to find; anything else is a path like others in the file. */
    private static String library(Section s) {
        String text = s.text("library", DEFAULTS.library(), "NVML, the driver's library: a file name or a path");
        if (text == null || text.indexOf('/') < 0 || !s.reading()) {
            return text == null ? DEFAULTS.library() : text;
        }
        try {
            return ConfigBinding.resolve(Path.of(text), s.origin("library")).toString();
        } catch (InvalidPathException e) {
            s.problem("library", "not a path");
            return DEFAULTS.library();
        }
    }
}
