package io.llamaorch.orchestratord.adapters.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assertions;

/**
 * The double of NVML, built from {@code nvml_stub.c} by the system's C compiler; without one the test is skipped. Each
 * has a file of its own, so the linker loads it anew and nothing of another test is in it. Tests of other modules script
 * it by the names of NVML's functions.
 */
@SuppressWarnings({"restricted", "MustBeClosedChecker"})
public final class NvmlStub implements AutoCloseable {
    /** As a device: those functions that are not about one, or all devices. */
    public static final int ANY = -1;
    /** As an answer: none, until the answer is changed. */
    public static final int HANG = -1;

    private final Path file;
    private final Arena arena = Arena.ofShared();
    private final MethodHandle answer;
    private final MethodHandle event;
    private final MethodHandle figure;
    private final MethodHandle set;
    private final MethodHandle layout;

    private NvmlStub(Path file) {
        this.file = file;
        SymbolLookup symbols = SymbolLookup.libraryLookup(file, arena);
        answer = bind(symbols, "stub_answer", FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, JAVA_INT));
        event = bind(symbols, "stub_event", FunctionDescriptor.ofVoid(JAVA_INT, JAVA_LONG, JAVA_LONG));
        figure = bind(symbols, "stub_figure", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
        set = bind(symbols, "stub_set", FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG));
        layout = bind(symbols, "stub_layout", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    }

    /** The library of a driver of today, built into {@code folder}. */
    public static NvmlStub build(Path folder) {
        return new NvmlStub(compile(folder));
    }

    /** The library of a driver that lacks the newer functions. */
    static NvmlStub buildOld(Path folder) {
        return new NvmlStub(compile(folder, "-DOLD_DRIVER"));
    }

    private static MethodHandle bind(SymbolLookup symbols, String name, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), descriptor);
    }

    private static Path compile(Path folder, String... options) {
        String compiler = compiler();
        assumeTrue(
                compiler != null, "skipped: no C compiler (cc, gcc or clang) on the PATH to build NVML's double with");
        Path source = folder.resolve("nvml_stub.c");
        Path library = folder.resolve("libnvml_stub.so");
        List<String> command = new ArrayList<>(List.of(
                String.valueOf(compiler), "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"));
        command.addAll(List.of("-fvisibility=hidden", "-pthread", "-o", library.toString(), source.toString()));
        command.addAll(List.of(options));
        try (InputStream text = NvmlStub.class.getResourceAsStream("nvml_stub.c")) {
            assertThat(text).isNotNull();
            Files.copy(text, source);
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Assertions.fail(e);
        }
        return library;
    }

    private static @Nullable String compiler() {
        for (String name : List.of("cc", "gcc", "clang")) {
            for (String folder : String.valueOf(System.getenv("PATH")).split(File.pathSeparator, -1)) {
                if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, name))) {
                    return name;
                }
            }
        }
        return null;
    }

    /** The library's path, as {@link GpuSettings#library}. */
    public String library() {
        return file.toString();
    }

    /** From now on {@code function} answers {@code code} for {@code device}, or hangs. */
    void answer(NvmlFunction function, int device, int code) {
        answer(function.symbol(), device, code);
    }

    /** The same, by the function's name in the library. */
    public void answer(String function, int device, int code) {
        try (Arena text = Arena.ofConfined()) {
            answer.invokeExact(text.allocateFrom(function), device, code);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** All functions answer as at first, and what hangs goes on. */
    public void release() {
        for (NvmlFunction function : NvmlFunction.values()) {
            answer(function, ANY, 0);
        }
    }

    /** An event happens. */
    void event(int device, long type, long data) {
        try {
            event.invokeExact(device, type, data);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** The driver reports an Xid. */
    public void xid(int device, int xid) {
        event(device, GpuEventWatch.XID, xid);
    }

    /** A figure of the library's side. */
    public long figure(String name) {
        return number(figure, name);
    }

    /** Offset or size, as the C compiler has it. */
    long layout(String name) {
        return number(layout, name);
    }

    /** Changes what the library tells. */
    void set(String name, long value) {
        try (Arena text = Arena.ofConfined()) {
            set.invokeExact(text.allocateFrom(name), value);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static long number(MethodHandle function, String name) {
        long number;
        try (Arena text = Arena.ofConfined()) {
            MemorySegment argument = text.allocateFrom(name);
            number = (long) function.invokeExact(argument);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        assertThat(number).as(name).isNotEqualTo(-1);
        return number;
    }

    @Override
    public void close() {
        arena.close();
    }
}
