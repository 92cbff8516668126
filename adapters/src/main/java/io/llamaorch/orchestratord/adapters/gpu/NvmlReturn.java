package io.llamaorch.orchestratord.adapters.gpu;

/** What NVML's functions return ({@code nvmlReturn_t}, NVML API 13), as far as anything here depends on it. */
final class NvmlReturn {
    static final int SUCCESS = 0;
    static final int UNINITIALIZED = 1;
    static final int NOT_SUPPORTED = 3;
    static final int DRIVER_NOT_LOADED = 9;
    static final int TIMEOUT = 10;
    static final int LIBRARY_NOT_FOUND = 12;
    static final int FUNCTION_NOT_FOUND = 13;
    static final int GPU_IS_LOST = 15;
    static final int RESET_REQUIRED = 16;
    static final int LIB_RM_VERSION_MISMATCH = 18;
    static final int GPU_NOT_FOUND = 28;
    static final int UNKNOWN = 999;

    private NvmlReturn() {}

    /** Whether the code is about the driver and not about one GPU or one reading: then the whole session is over. */
    static boolean endsSession(int code) {
        return code == UNINITIALIZED
                || code == DRIVER_NOT_LOADED
                || code == LIBRARY_NOT_FOUND
                || code == LIB_RM_VERSION_MISMATCH
                || code == GPU_NOT_FOUND;
    }

    /** Whether the code says that this GPU takes no work until it is reset or the host restarts. */
    static boolean losesGpu(int code) {
        return code == GPU_IS_LOST || code == RESET_REQUIRED;
    }
}
