package io.llamaorch.orchestratord.llamaworker.binding;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The shared library of llama.cpp that the jar of {@code de.kherud:llama} holds, opened for this process's life.
 *
 * <p>It is copied to a folder of this process, opened, and deleted at once: what is mapped stays, and a process that is
 * killed leaves nothing behind. Before anything in it runs, what it was compiled for is held against what this CPU has:
 * otherwise the process would die of an illegal instruction without a word.
 */
@SuppressWarnings("restricted") // Calling C is what it is for; the launcher allows it.
public final class NativeLibrary {
    /** What the library's own answer (compiled in) is held against: its function, the kernel's name of the flag. */
    private static final Map<String, String> CPU_FLAGS = cpuFlags();

    private static final int RTLD_NOW = 2;
    private static final Linker LINKER = Linker.nativeLinker();

    private final SymbolLookup symbols;

    private NativeLibrary(SymbolLookup symbols) {
        this.symbols = symbols;
    }

    /** Opens the library for this operating system and CPU. */
    public static NativeLibrary open() throws NativeLibraryException {
        return open(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    }

    static NativeLibrary open(String osName, String osArch) throws NativeLibraryException {
        String resource = resourceOf(osName, osArch);
        Path folder;
        Path file;
        try (InputStream bytes = NativeLibrary.class.getResourceAsStream(resource)) {
            if (bytes == null) {
                throw new NativeLibraryException(
                        "there is no llama.cpp library for " + osName + " on " + osArch + " (" + resource + ")");
            }
            folder = Files.createTempDirectory("llama-worker-");
            file = folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
            Files.copy(bytes, file);
        } catch (IOException e) {
            throw new NativeLibraryException("cannot unpack the llama.cpp library: " + e);
        }
        try {
            openWithReason(file);
            NativeLibrary library = new NativeLibrary(SymbolLookup.libraryLookup(file, Arena.global()));
            library.checkCpu(osArch, cpuInfo());
            return library;
        } finally {
            delete(file);
            delete(folder);
        }
    }

    private static String resourceOf(String osName, String osArch) throws NativeLibraryException {
        boolean arm = osArch.equals("aarch64");
        if (arm || osArch.equals("amd64") || osArch.equals("x86_64")) {
            String arch = arm ? "aarch64" : "x86_64";
            if (osName.equals("Linux")) {
                return "/de/kherud/llama/Linux/" + arch + "/libjllama.so";
            }
            if (osName.toLowerCase(Locale.ROOT).startsWith("mac")) {
                return "/de/kherud/llama/Mac/" + arch + "/libjllama.dylib";
            }
        }
        throw new NativeLibraryException("there is no llama.cpp library for " + osName + " on " + osArch
                + "; Linux and macOS on x86_64 or aarch64 have one");
    }

    /** Opens {@code file} by hand once, for the dynamic linker's own words where it refuses. */
    private static void openWithReason(Path file) throws NativeLibraryException {
        MethodHandle dlopen = LINKER.downcallHandle(
                LINKER.defaultLookup().find("dlopen").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        MethodHandle dlerror = LINKER.downcallHandle(
                LINKER.defaultLookup().find("dlerror").orElseThrow(), FunctionDescriptor.of(ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = (MemorySegment) dlopen.invokeExact(arena.allocateFrom(file.toString()), RTLD_NOW);
            if (handle.address() == 0) {
                MemorySegment words = (MemorySegment) dlerror.invokeExact();
                throw new NativeLibraryException("the llama.cpp library does not load on "
                        + System.getProperty("os.name") + " " + System.getProperty("os.arch") + ": "
                        + words.reinterpret(4096).getString(0));
            }
        } catch (NativeLibraryException e) {
            throw e;
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    /** Refuses a CPU that lacks what the library was compiled to use; {@code info} as in {@code /proc/cpuinfo}. */
    void checkCpu(String osArch, String info) throws NativeLibraryException {
        if (osArch.equals("aarch64") || info.isEmpty()) {
            return;
        }
        Set<String> has = Set.copyOf(Arrays.asList(lineOf(info, "flags").split(" ", -1)));
        Set<String> lacks = new TreeSet<>();
        for (Map.Entry<String, String> flag : CPU_FLAGS.entrySet()) {
            if (compiledWith(flag.getKey()) && !has.contains(flag.getValue())) {
                lacks.add(flag.getValue());
            }
        }
        if (!lacks.isEmpty()) {
            throw new NativeLibraryException("the llama.cpp library was built for CPUs with " + String.join(", ", lacks)
                    + ", which this one (" + lineOf(info, "model name") + ") lacks");
        }
    }

    private boolean compiledWith(String function) {
        try {
            return (int) function(function, FunctionDescriptor.of(ValueLayout.JAVA_INT))
                            .invokeExact()
                    != 0;
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    private static String cpuInfo() {
        try {
            return Files.readString(Path.of("/proc/cpuinfo"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    private static String lineOf(String info, String name) {
        return info.lines()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("");
    }

    /** The function of that name, called as {@code descriptor} says. */
    MethodHandle function(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(symbols.findOrThrow(name), descriptor);
    }

    /** Build of llama.cpp that the library says it is, such as {@code b4916-c6af2161}. */
    public String build() {
        int number = symbols.findOrThrow("LLAMA_BUILD_NUMBER").reinterpret(4).get(ValueLayout.JAVA_INT, 0);
        MemorySegment commit =
                symbols.findOrThrow("LLAMA_COMMIT").reinterpret(8).get(ValueLayout.ADDRESS, 0);
        return "b" + number + "-" + commit.reinterpret(64).getString(0);
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // A file left in the temporary folder is no reason not to serve.
            path.toFile().deleteOnExit();
        }
    }

    private static Map<String, String> cpuFlags() {
        Map<String, String> flags = new LinkedHashMap<>();
        flags.put("ggml_cpu_has_ssse3", "ssse3");
        flags.put("ggml_cpu_has_avx", "avx");
        flags.put("ggml_cpu_has_avx2", "avx2");
        flags.put("ggml_cpu_has_f16c", "f16c");
        flags.put("ggml_cpu_has_fma", "fma");
        flags.put("ggml_cpu_has_bmi2", "bmi2");
        flags.put("ggml_cpu_has_avx512", "avx512f");
        flags.put("ggml_cpu_has_avx512_vnni", "avx512_vnni");
        flags.put("ggml_cpu_has_avx_vnni", "avx_vnni");
        return flags;
    }
}
