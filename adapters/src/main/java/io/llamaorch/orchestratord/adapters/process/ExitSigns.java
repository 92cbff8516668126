package io.llamaorch.orchestratord.adapters.process;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The one table of what engines print before they end, and what it means. Rules are tried from the top, each on the
 * newest line first: what has a cause further up (memory) stands above what follows from it (a driver error).
 *
 * <p>Lines are those of llama-server, vLLM, SGLang, TGI, Triton and of CUDA, HIP and the C and Python runtimes below
 * them. Patterns are wide on purpose: they are looked at only after an engine ended without being asked to.
 */
final class ExitSigns {
    /** Lines looked at, the last ones. */
    static final int LINES = 200;

    /**
     * A line that explains the end.
     *
     * @param certain whether it names the cause, or only fits it
     */
    record Sign(ExitKind kind, boolean certain, String line) {}

    private record Rule(ExitKind kind, boolean certain, Pattern pattern) {}

    private static final List<Rule> RULES = List.of(
            rule(
                    ExitKind.VRAM_OUT_OF_MEMORY,
                    true,
                    "(?:CUDA|HIP|ROCm|XPU|GPU|device) (?:error: )?out of memory",
                    "(?:cuda|hip|musa)Malloc\\w* failed: out of memory",
                    "cudaErrorMemoryAllocation|hipErrorOutOfMemory|CUDA_ERROR_OUT_OF_MEMORY|ErrorOutOfDeviceMemory",
                    "CUBLAS_STATUS_ALLOC_FAILED",
                    "torch\\.(?:cuda\\.)?OutOfMemoryError",
                    "ggml_backend_(?:cuda|hip|vk|sycl|musa)_buffer_type_alloc_buffer\\b.*(?:failed|error)",
                    "(?:failed|unable) to allocate (?:CUDA|ROCm|HIP|Vulkan|SYCL|MUSA)\\d*\\w* (?:buffer|memory)",
                    "free memory on device.*less than desired gpu memory utilization",
                    "no available memory for the cache blocks",
                    "larger than the (?:available KV cache memory|maximum number of tokens that can be stored)",
                    "not enough memory\\. please try to increase --mem-fraction-static",
                    "not enough memory to handle .*prefill tokens"),
            rule(
                    ExitKind.HOST_OUT_OF_MEMORY,
                    true,
                    "std::bad_alloc",
                    "DefaultCPUAllocator: (?:can't|not enough)",
                    "^(?!.*mlock).*\\bcannot allocate memory\\b",
                    "\\bMemoryError\\b",
                    "(?:failed|unable) to allocate (?:CPU|host)\\w* (?:buffer|memory)",
                    "ggml_aligned_malloc: .*(?:insufficient|failed)",
                    "no space left on device.*(?:shm|shared memory)|unable to allocate shared memory"),
            rule(
                    ExitKind.PORT_IN_USE,
                    true,
                    "address (?:is )?already in use",
                    "EADDRINUSE",
                    "\\[errno 98\\]",
                    "couldn't bind (?:HTTP|to)\\b"),
            rule(
                    ExitKind.MODEL_MISSING,
                    true,
                    "llama-worker: (?:model_missing|model_refused): ",
                    "gguf_init_from_file\\w*: failed to open",
                    "failed to open GGUF file",
                    "invalid magic characters",
                    "error loading model.*no such file",
                    "is not a local folder and is not a valid model identifier",
                    "does not appear to have a file named",
                    "can't load the configuration of",
                    "(?:Repository|Entry|LocalEntry|Revision)NotFoundError",
                    "(?:no local weights|no safetensors weights|cannot find any model weights)",
                    "invalid repository id or local directory",
                    "FileNotFoundError:.*(?:model|\\.safetensors|\\.gguf|config\\.json|tokenizer)",
                    "failed to stat file.*model|unable to find.*model repository|model repository.*not (?:found|exist)"),
            rule(
                    ExitKind.DRIVER_FAULT,
                    true,
                    "\\bXid\\b",
                    "driver/library version mismatch",
                    "no CUDA-capable device",
                    "no CUDA GPUs are available",
                    "CUDA driver version is insufficient",
                    "(?:CUDA|HIP|ROCm) error:",
                    "\\b(?:CUDA_ERROR_|cudaError|hipError)\\w+",
                    "uncorrectable ECC",
                    "fallen off the bus",
                    "GPU is lost",
                    "lib(?:cuda|nvidia-ml|amdhip64|hsa-runtime64)\\.so[.\\d]*: cannot open shared object",
                    "failed to initialize NVML",
                    "found no NVIDIA driver",
                    "NCCL error: unhandled (?:cuda|system) error"),
            rule(
                    ExitKind.CANNOT_START,
                    true,
                    "llama-worker: (?:native_unavailable|usage): ",
                    "error while loading shared libraries",
                    "engine-guard\\.sh: .*exec: ",
                    "bad interpreter",
                    "version `GLIBC\\w*_[\\d.]+' not found",
                    "exec format error",
                    "ModuleNotFoundError: ",
                    "(?:error|warning): (?:invalid|unknown|unrecognized) argument",
                    "error: unrecognized arguments",
                    "error: unexpected argument"),
            rule(ExitKind.VRAM_OUT_OF_MEMORY, false, "failed to allocate", "out of memory"));

    private ExitSigns() {}

    private static Rule rule(ExitKind kind, boolean certain, String... patterns) {
        return new Rule(
                kind, certain, Pattern.compile("(?:" + String.join(")|(?:", patterns) + ")", Pattern.CASE_INSENSITIVE));
    }

    /** The line among the last of {@code tail} that explains the end best, null where none does. */
    static @Nullable Sign find(List<String> tail) {
        int oldest = Math.max(0, tail.size() - LINES);
        for (Rule rule : RULES) {
            for (int i = tail.size() - 1; i >= oldest; i--) {
                if (rule.pattern().matcher(tail.get(i)).find()) {
                    return new Sign(rule.kind(), rule.certain(), tail.get(i));
                }
            }
        }
        return null;
    }
}
