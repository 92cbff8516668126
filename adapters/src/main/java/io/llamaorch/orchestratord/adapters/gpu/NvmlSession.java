package io.llamaorch.orchestratord.adapters.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * NVML between its initialization and its shutdown: the GPUs that it shows and how they are sampled.
 *
 * <p><b>Owner thread:</b> {@code gpu-sampler}. {@link #library} and {@link #gpus} may also be used by
 * {@code gpu-events}, which must have ended before {@link #close}.
 */
final class NvmlSession implements AutoCloseable {
    /** NVML's largest buffer for a UUID, a name or a version. */
    private static final int TEXT_BYTES = 96;

    private final NvmlLibrary nvml;
    private final List<GpuHandle> gpus = new ArrayList<>();
    private final List<String> unread = new ArrayList<>();
    private @Nullable String driverVersion;

    private NvmlSession(NvmlLibrary nvml) {
        this.nvml = nvml;
    }

    /**
     * Loads the library, initializes it and finds the GPUs.
     *
     * @throws NvmlUnavailableException where there is no library, no driver, or no GPU that this process may read
     */
    static NvmlSession open(String library) throws NvmlUnavailableException {
        NvmlLibrary nvml = new NvmlLibrary(library);
        int code = nvml.call(NvmlFunction.INIT);
        if (code != NvmlReturn.SUCCESS) {
            String reason = "NVML cannot be initialized: " + nvml.text(code);
            nvml.close();
            throw new NvmlUnavailableException(reason);
        }
        NvmlSession session = new NvmlSession(nvml);
        try {
            session.enumerate();
        } catch (NvmlUnavailableException e) {
            session.close();
            throw e;
        }
        return session;
    }

    private void enumerate() throws NvmlUnavailableException {
        try (Arena arena = Arena.ofConfined()) {
            driverVersion = text(arena, NvmlFunction.DRIVER_VERSION, null);
            MemorySegment out = arena.allocate(JAVA_INT);
            int code = nvml.call(NvmlFunction.DEVICE_COUNT, out);
            if (code != NvmlReturn.SUCCESS) {
                throw new NvmlUnavailableException("NVML does not count GPUs: " + nvml.text(code));
            }
            int count = out.get(JAVA_INT, 0);
            for (int index = 0; index < count; index++) {
                add(arena, index);
            }
        }
        if (gpus.isEmpty()) {
            throw new NvmlUnavailableException(unread.isEmpty() ? "the host has no GPU" : String.join("; ", unread));
        }
    }

    private void add(Arena arena, int index) {
        MemorySegment out = arena.allocate(ADDRESS);
        int code = nvml.call(NvmlFunction.DEVICE_BY_INDEX, index, out);
        if (code != NvmlReturn.SUCCESS) {
            unread.add("GPU " + index + " cannot be read: " + nvml.text(code));
            return;
        }
        MemorySegment device = out.get(ADDRESS, 0);
        String uuid = text(arena, NvmlFunction.DEVICE_UUID, device);
        if (uuid == null) {
            unread.add("GPU " + index + " cannot be read: it has no UUID");
            return;
        }
        gpus.add(new GpuHandle(index, device, uuid, text(arena, NvmlFunction.DEVICE_NAME, device)));
    }

    /** A text that NVML writes into a buffer, of a device or (null) the host; null where it gives none. */
    private @Nullable String text(Arena arena, NvmlFunction function, @Nullable MemorySegment device) {
        MemorySegment out = arena.allocate(TEXT_BYTES);
        int code = device == null ? nvml.call(function, out, TEXT_BYTES) : nvml.call(function, device, out, TEXT_BYTES);
        return code == NvmlReturn.SUCCESS ? out.getString(0) : null;
    }

    NvmlLibrary library() {
        return nvml;
    }

    /** The GPUs, by index. */
    List<GpuHandle> gpus() {
        return List.copyOf(gpus);
    }

    /** GPUs that NVML counts and does not let this process read, a sentence each. */
    List<String> unread() {
        return List.copyOf(unread);
    }

    /** The driver's version; null where it does not tell. */
    @Nullable
    String driverVersion() {
        return driverVersion;
    }

    /**
     * Reads every GPU once. Blocks as long as the driver does.
     *
     * @throws NvmlUnavailableException where the driver went away; the session is to be closed then
     */
    List<GpuDevice> sample() throws NvmlUnavailableException {
        try (Arena arena = Arena.ofConfined()) {
            List<GpuDevice> devices = new ArrayList<>(gpus.size());
            for (GpuHandle gpu : gpus) {
                devices.add(GpuReadings.read(nvml, gpu, arena));
            }
            return devices;
        }
    }

    /** Shuts NVML down and unloads it. No thread may be in it. */
    @Override
    public void close() {
        nvml.call(NvmlFunction.SHUTDOWN);
        nvml.close();
    }
}
