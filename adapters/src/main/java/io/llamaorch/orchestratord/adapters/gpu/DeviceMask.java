package io.llamaorch.orchestratord.adapters.gpu;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The GPUs that a mask such as {@code 0,1} or {@code GPU-8a1f,GPU-77} names, as an engine with that mask in
 * {@code CUDA_VISIBLE_DEVICES} would see them: in the mask's order, and none from the first wrong entry on.
 *
 * <p>A number is NVML's index. CUDA counts the same way only with {@code CUDA_DEVICE_ORDER=PCI_BUS_ID}; a UUID, or a
 * beginning of it that only one GPU has, means the same GPU everywhere.
 *
 * @param devices the GPUs
 * @param problem what is wrong with the first wrong entry; null where none is
 */
public record DeviceMask(List<GpuDevice> devices, @Nullable String problem) {
    private static final String UUID_START = "GPU-";
    private static final int INDEX_DIGITS_MAX = 4;

    /** Copies the list. */
    public DeviceMask {
        devices = List.copyOf(devices);
    }

    /**
     * Resolves a mask.
     *
     * @param mask entries between commas, blanks around them ignored; empty names no GPU
     * @param present the host's GPUs, as in {@link GpuSnapshot#devices}
     */
    public static DeviceMask resolve(String mask, List<GpuDevice> present) {
        List<GpuDevice> found = new ArrayList<>();
        if (mask.isBlank()) {
            return new DeviceMask(found, null);
        }
        for (String part : mask.split(",", -1)) {
            String entry = part.strip();
            List<GpuDevice> named = named(entry, present);
            if (named.size() != 1) {
                return new DeviceMask(
                        found, "\"" + entry + "\" names " + (named.isEmpty() ? "no GPU" : named.size() + " GPUs"));
            }
            if (found.contains(named.get(0))) {
                return new DeviceMask(found, "\"" + entry + "\" names a GPU for the second time");
            }
            found.add(named.get(0));
        }
        return new DeviceMask(found, null);
    }

    private static List<GpuDevice> named(String entry, List<GpuDevice> present) {
        int index = index(entry);
        List<GpuDevice> named = new ArrayList<>();
        for (GpuDevice device : present) {
            if (device.index() == index
                    || (entry.startsWith(UUID_START) && device.uuid().startsWith(entry))) {
                named.add(device);
            }
        }
        return named;
    }

    /** The index that an entry is; −1 where it is none. */
    private static int index(String entry) {
        if (entry.isEmpty() || entry.length() > INDEX_DIGITS_MAX) {
            return -1;
        }
        for (int i = 0; i < entry.length(); i++) {
            if (entry.charAt(i) < '0' || entry.charAt(i) > '9') {
                return -1;
            }
        }
        return Integer.parseInt(entry);
    }
}
