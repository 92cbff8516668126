package io.llamaorch.orchestratord.adapters.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;

/**
 * NVML's functions that are called, by the versioned names that the library exports (its header's plain names are
 * aliases of these). All but {@link #ERROR_STRING} return a code of {@link NvmlReturn}.
 */
@SuppressWarnings("ImmutableEnumChecker") // a function descriptor is an immutable value
enum NvmlFunction {
    INIT("nvmlInit_v2"),
    SHUTDOWN("nvmlShutdown"),
    ERROR_STRING("nvmlErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT)),
    DRIVER_VERSION("nvmlSystemGetDriverVersion", ADDRESS, JAVA_INT),
    DEVICE_COUNT("nvmlDeviceGetCount_v2", ADDRESS),
    DEVICE_BY_INDEX("nvmlDeviceGetHandleByIndex_v2", JAVA_INT, ADDRESS),
    DEVICE_UUID("nvmlDeviceGetUUID", ADDRESS, ADDRESS, JAVA_INT),
    DEVICE_NAME("nvmlDeviceGetName", ADDRESS, ADDRESS, JAVA_INT),
    UTILIZATION("nvmlDeviceGetUtilizationRates", ADDRESS, ADDRESS),
    MEMORY("nvmlDeviceGetMemoryInfo", ADDRESS, ADDRESS),
    MEMORY_V2("nvmlDeviceGetMemoryInfo_v2", ADDRESS, ADDRESS),
    TEMPERATURE("nvmlDeviceGetTemperature", ADDRESS, JAVA_INT, ADDRESS),
    TEMPERATURE_V("nvmlDeviceGetTemperatureV", ADDRESS, ADDRESS),
    POWER("nvmlDeviceGetPowerUsage", ADDRESS, ADDRESS),
    ECC_ERRORS("nvmlDeviceGetTotalEccErrors", ADDRESS, JAVA_INT, JAVA_INT, ADDRESS),
    SUPPORTED_EVENTS("nvmlDeviceGetSupportedEventTypes", ADDRESS, ADDRESS),
    EVENT_SET_CREATE("nvmlEventSetCreate", ADDRESS),
    REGISTER_EVENTS("nvmlDeviceRegisterEvents", ADDRESS, JAVA_LONG, ADDRESS),
    EVENT_SET_WAIT("nvmlEventSetWait_v2", ADDRESS, ADDRESS, JAVA_INT),
    EVENT_SET_FREE("nvmlEventSetFree", ADDRESS);

    private final String symbol;
    private final FunctionDescriptor descriptor;

    NvmlFunction(String symbol, MemoryLayout... arguments) {
        this(symbol, FunctionDescriptor.of(JAVA_INT, arguments));
    }

    NvmlFunction(String symbol, FunctionDescriptor descriptor) {
        this.symbol = symbol;
        this.descriptor = descriptor;
    }

    /** The exported name. */
    String symbol() {
        return symbol;
    }

    /** The C signature. */
    FunctionDescriptor descriptor() {
        return descriptor;
    }
}
