package io.llamaorch.orchestratord.adapters.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.EnumMap;
import java.util.Map;

/**
 * The loaded NVML library. A function that this version of it lacks answers {@link NvmlReturn#FUNCTION_NOT_FOUND}, as
 * NVML itself does where the driver lacks one.
 *
 * <p><b>Threads:</b> immutable, and NVML may be called from several threads at once. Every call may block for as long as
 * the driver likes; a thread in it holds up no safepoint. {@link #close} unloads the library, and must not be called
 * while another thread is in it.
 */
@SuppressWarnings({"restricted", "MustBeClosedChecker"
}) // calling C is what this class is for; close() is the arena's end
final class NvmlLibrary implements AutoCloseable {
    /** More than any text that NVML has for a code. */
    private static final long ERROR_TEXT_BYTES = 256;

    private final Arena arena;
    private final Map<NvmlFunction, MethodHandle> handles = new EnumMap<>(NvmlFunction.class);

    /**
     * Loads the library and binds what it exports.
     *
     * @param name a file name that the dynamic linker finds, or a path
     * @throws NvmlUnavailableException where there is none, or the JVM may not call native code
     */
    NvmlLibrary(String name) throws NvmlUnavailableException {
        arena = Arena.ofShared();
        try {
            SymbolLookup symbols = SymbolLookup.libraryLookup(name, arena);
            for (NvmlFunction function : NvmlFunction.values()) {
                symbols.find(function.symbol()).ifPresent(symbol -> handles.put(function, bind(function, symbol)));
            }
        } catch (IllegalArgumentException e) {
            arena.close();
            throw new NvmlUnavailableException(
                    name + " cannot be loaded: no NVIDIA driver is installed, or this process does not see it");
        } catch (IllegalCallerException e) {
            arena.close();
            throw new NvmlUnavailableException(
                    "the JVM may not load " + name + ": start it with --enable-native-access=ALL-UNNAMED");
        }
    }

    /** The function as a handle that takes its arguments in one array: one way to call, whatever the signature. */
    private static MethodHandle bind(NvmlFunction function, MemorySegment symbol) {
        MethodHandle plain = Linker.nativeLinker().downcallHandle(symbol, function.descriptor());
        return plain.asSpreader(Object[].class, plain.type().parameterCount());
    }

    /**
     * Calls a function that returns a code.
     *
     * @param arguments by the function's descriptor: {@link MemorySegment}, {@link Integer} or {@link Long}
     */
    int call(NvmlFunction function, Object... arguments) {
        MethodHandle handle = handles.get(function);
        try {
            return handle == null ? NvmlReturn.FUNCTION_NOT_FOUND : (int) handle.invokeExact(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException("call of " + function.symbol(), e);
        }
    }

    /** What NVML says about a code, with the code. */
    String text(int code) {
        MethodHandle handle = handles.get(NvmlFunction.ERROR_STRING);
        try {
            MemorySegment text =
                    handle == null ? MemorySegment.NULL : (MemorySegment) handle.invokeExact(new Object[] {code});
            return MemorySegment.NULL.equals(text)
                    ? "NVML code " + code
                    : text.reinterpret(ERROR_TEXT_BYTES).getString(0) + " (NVML code " + code + ")";
        } catch (Throwable e) {
            throw new IllegalStateException("call of " + NvmlFunction.ERROR_STRING.symbol(), e);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
