package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExitClassifierTest {
    private static ExitReason of(int status, String... tail) {
        return ExitClassifier.classify(new ExitEvidence(status, false, List.of(tail), 0, 0, null, List.of()));
    }

    /** What engines print: the shapes of llama-server, vLLM, SGLang, TGI, Triton and of what is below them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "VRAM_OUT_OF_MEMORY|ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9000.00 MiB on device 0: cudaMalloc failed: out of memory",
                "VRAM_OUT_OF_MEMORY|llama_model_load: error loading model: unable to allocate CUDA0 buffer",
                "VRAM_OUT_OF_MEMORY|alloc_tensor_range: failed to allocate ROCm0 buffer of size 9437184000",
                "VRAM_OUT_OF_MEMORY|CUDA error: out of memory",
                "VRAM_OUT_OF_MEMORY|torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 9.00 GiB. GPU 0 has a total capacity of 8 GiB",
                "VRAM_OUT_OF_MEMORY|torch.OutOfMemoryError: HIP out of memory. Tried to allocate 2.00 GiB.",
                "VRAM_OUT_OF_MEMORY|ValueError: Free memory on device (3.1/79.2 GiB) on startup is less than desired GPU memory utilization (0.9, 71.3 GiB).",
                "VRAM_OUT_OF_MEMORY|ValueError: No available memory for the cache blocks. Try increasing gpu_memory_utilization.",
                "VRAM_OUT_OF_MEMORY|RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
                "VRAM_OUT_OF_MEMORY|ERROR shard-manager: Not enough memory to handle 4096 prefill tokens.",
                "VRAM_OUT_OF_MEMORY|ggml_vulkan: vk::Device::allocateMemory: ErrorOutOfDeviceMemory",
                "VRAM_OUT_OF_MEMORY|hipMalloc failed: out of memory",
                "HOST_OUT_OF_MEMORY|terminate called after throwing an instance of 'std::bad_alloc'",
                "HOST_OUT_OF_MEMORY|RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.",
                "HOST_OUT_OF_MEMORY|OSError: [Errno 12] Cannot allocate memory",
                "HOST_OUT_OF_MEMORY|alloc_tensor_range: failed to allocate CPU buffer of size 9437184000",
                "PORT_IN_USE|start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 8080",
                "PORT_IN_USE|OSError: [Errno 98] Address already in use",
                "PORT_IN_USE|Error: Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }",
                "MODEL_MISSING|gguf_init_from_file: failed to open GGUF file '/m/x.gguf'",
                "MODEL_MISSING|OSError: m/x is not a local folder and is not a valid model identifier listed on the hub",
                "MODEL_MISSING|OSError: /m/x does not appear to have a file named config.json.",
                "MODEL_MISSING|huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error",
                "MODEL_MISSING|FileNotFoundError: [Errno 2] No such file or directory: '/m/x/model.safetensors'",
                "MODEL_MISSING|gguf_init_from_file_impl: invalid magic characters: 'abcd', expected 'GGUF'",
                "DRIVER_FAULT|CUDA error: an illegal memory access was encountered",
                "DRIVER_FAULT|RuntimeError: CUDA error: unspecified launch failure",
                "DRIVER_FAULT|Failed to initialize NVML: Driver/library version mismatch",
                "DRIVER_FAULT|ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected",
                "DRIVER_FAULT|RuntimeError: No CUDA GPUs are available",
                "DRIVER_FAULT|ROCm error: invalid device function",
                "DRIVER_FAULT|NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.",
                "DRIVER_FAULT|x: error while loading shared libraries: libcuda.so.1: cannot open shared object file",
                "CANNOT_START|x: error while loading shared libraries: libllama.so: cannot open shared object file",
                "CANNOT_START|error: invalid argument: --no-such-flag",
                "CANNOT_START|ModuleNotFoundError: No module named 'vllm'",
            })
    void shouldReadTheCauseFromTheLog(ExitKind kind, String line) {
        ExitReason reason = of(1, "loading", line, "exiting");
        assertThat(reason.kind()).isEqualTo(kind);
        assertThat(reason.certain()).isTrue();
        assertThat(reason.exitCode()).isEqualTo(1);
        assertThat(reason.sentence())
                .contains("(exit code 1): \"" + line.substring(0, 12))
                .doesNotContain("presum");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "warning: failed to mlock 99-byte buffer (after previously locking 0 bytes): Cannot allocate memory",
                "srv  log_server_r: request: POST /completion 127.0.0.1 200",
                "INFO: 127.0.0.1:5 - \"POST /v1/chat/completions HTTP/1.1\" 200 OK",
            })
    void shouldNotReadACauseIntoOrdinaryLines(String line) {
        assertThat(of(1, line).kind()).isEqualTo(ExitKind.EXIT_CODE);
    }

    @Test
    void shouldPutTheCauseAboveWhatFollowsFromIt() {
        assertThat(of(
                                1,
                                "torch.OutOfMemoryError: CUDA out of memory.",
                                "CUDA error: unspecified launch failure",
                                "RuntimeError: Engine core initialization failed.")
                        .kind())
                .isEqualTo(ExitKind.VRAM_OUT_OF_MEMORY);
    }

    @Test
    void shouldSayPresumablyWhereALineOnlyFits() {
        ExitReason reason = of(1, "init: failed to allocate the thing");
        assertThat(reason.kind()).isEqualTo(ExitKind.VRAM_OUT_OF_MEMORY);
        assertThat(reason.certain()).isFalse();
        assertThat(reason.sentence()).startsWith("presumably out of GPU memory");
    }

    @Test
    void shouldForgetLinesThatAreLongGone() {
        List<String> tail = new ArrayList<>();
        tail.add("CUDA error: out of memory");
        for (int i = 0; i < ExitSigns.LINES; i++) {
            tail.add("ordinary " + i);
        }
        assertThat(of(1, tail.toArray(new String[0])).kind()).isEqualTo(ExitKind.EXIT_CODE);
    }

    @Test
    void shouldKnowTheWordsOfTheLlamaWorker() {
        assertThat(of(66, "llama-worker: model_missing: /m/x.gguf is not readable")
                        .kind())
                .isEqualTo(ExitKind.MODEL_MISSING);
        assertThat(of(65, "llama-worker: model_refused: no GGUF").kind()).isEqualTo(ExitKind.MODEL_MISSING);
        assertThat(of(69, "llama-worker: native_unavailable: libgomp.so.1").kind())
                .isEqualTo(ExitKind.CANNOT_START);
        assertThat(of(64, "llama-worker: usage: --ctx is no number").kind()).isEqualTo(ExitKind.CANNOT_START);
    }

    @Test
    void shouldTellCrashSignalAndCodeApart() {
        assertThat(of(139, "about to go")).satisfies(reason -> {
            assertThat(reason.kind()).isEqualTo(ExitKind.CRASH);
            assertThat(reason.signal()).isEqualTo(11);
            assertThat(reason.exitCode()).isEqualTo(-1);
            assertThat(reason.sentence()).isEqualTo("crashed: ended by SIGSEGV: \"about to go\"");
        });
        assertThat(of(137).kind()).isEqualTo(ExitKind.SIGNAL);
        assertThat(of(137).sentence()).isEqualTo("ended by SIGKILL from outside the daemon");
        assertThat(of(143).sentence()).isEqualTo("ended by SIGTERM");
        assertThat(of(3)).isEqualTo(new ExitReason(ExitKind.EXIT_CODE, true, 3, 0, "exit code 3"));
        assertThat(of(255).exitCode()).isEqualTo(255);
        assertThat(of(0).kind()).isEqualTo(ExitKind.CLEAN);
        assertThat(of(127).kind()).isEqualTo(ExitKind.CANNOT_START);
        assertThat(of(-1).kind()).isEqualTo(ExitKind.GUARD_LOST);
    }

    @Test
    void shouldNameTheKernelsKillByWhatIsKnown() {
        ExitReason cgroup = ExitClassifier.classify(new ExitEvidence(137, false, List.of("x"), 1, 1, null, List.of()));
        assertThat(cgroup.kind()).isEqualTo(ExitKind.HOST_OUT_OF_MEMORY);
        assertThat(cgroup.certain()).isTrue();
        ExitReason host = ExitClassifier.classify(new ExitEvidence(137, false, List.of(), 0, 2, null, List.of()));
        assertThat(host.kind()).isEqualTo(ExitKind.HOST_OUT_OF_MEMORY);
        assertThat(host.sentence()).startsWith("presumably killed by the kernel");
        ExitReason worker = ExitClassifier.classify(new ExitEvidence(1, false, List.of(), 1, 1, null, List.of()));
        assertThat(worker.kind()).isEqualTo(ExitKind.HOST_OUT_OF_MEMORY);
        assertThat(worker.certain()).isFalse();
        ExitReason others = ExitClassifier.classify(new ExitEvidence(1, false, List.of(), 0, 5, null, List.of()));
        assertThat(others.kind()).isEqualTo(ExitKind.EXIT_CODE);
    }

    @Test
    void shouldTakeTheDriversWord() {
        ExitReason reason =
                ExitClassifier.classify(new ExitEvidence(134, false, List.of("abort"), 0, 0, "Xid 79", List.of()));
        assertThat(reason.kind()).isEqualTo(ExitKind.DRIVER_FAULT);
        assertThat(reason.sentence()).isEqualTo("presumably a driver fault, Xid 79 (ended by SIGABRT): \"abort\"");
    }

    @Test
    void shouldNotBlameAnEngineThatWasToldToStop() {
        ExitReason reason = ExitClassifier.classify(
                new ExitEvidence(137, true, List.of("CUDA error: out of memory"), 1, 1, null, List.of(7L, 8L)));
        assertThat(reason.kind()).isEqualTo(ExitKind.STOPPED);
        assertThat(reason.sentence()).isEqualTo("stopped as asked; could not be killed: 7, 8");
    }

    @Test
    void shouldBoundTheSentence() {
        String line = "CUDA error: out of memory " + "\ud83d\ude00".repeat(5_000);
        assertThat(of(1, line).sentence())
                .hasSizeLessThan(ExitClassifier.LINE_MAX + 100)
                .endsWith("…\"");
    }

    @Test
    void shouldReadTheKernelsCounters(@TempDir Path root) throws IOException {
        Path proc = Files.createDirectories(root.resolve("proc/self"));
        Files.writeString(root.resolve("proc/vmstat"), "pgfault 5\noom_kill 12\n");
        Files.writeString(proc.resolve("cgroup"), "0::/system.slice/orchestratord.service\n");
        Path own = Files.createDirectories(root.resolve("cg/system.slice/orchestratord.service"));
        Files.writeString(own.resolve("memory.events"), "low 0\noom 4\noom_kill 3\noom_group_kill 0\n");
        assertThat(OomCounters.read(root.resolve("proc"), root.resolve("cg"))).isEqualTo(new OomCounters(3, 12));

        Files.writeString(proc.resolve("cgroup"), "4:cpu,memory:/a/b\n0::/\n");
        Files.createDirectories(root.resolve("cg/memory"));
        Files.writeString(root.resolve("cg/memory/memory.oom_control"), "oom_kill_disable 0\noom_kill 7\n");
        assertThat(OomCounters.read(root.resolve("proc"), root.resolve("cg")).cgroup())
                .isEqualTo(7);
        assertThat(OomCounters.read(root.resolve("none"), root.resolve("none"))).isEqualTo(new OomCounters(0, 0));
    }
}
