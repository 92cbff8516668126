package io.llamaorch.orchestratord.server.json;

import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.KvHint;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Sampling;
import io.llamaorch.orchestratord.contracts.task.Workload;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The members of one TaskRequest as they come, and what the contract asks of them. For one request, one thread. */
final class TaskMembers {
    static final int STOP_MAX = 16;
    static final int STOP_CHARS_MAX = 256;
    static final int INPUTS_MAX = 2048;
    static final int POOLS_MAX = 256;
    static final int ID_CHARS_MAX = 128;
    private static final int ANY = Integer.MAX_VALUE;

    private final JsonInput in;

    private @Nullable UUID taskId;
    private @Nullable UUID sessionId;
    private @Nullable Workload workload;
    private @Nullable String modelRef;
    private @Nullable EngineKind engine;
    private int ctx = -1;
    private @Nullable Priority priority;
    private int maxTokens;
    private long deadlineMs;
    private boolean deadlineSeen;
    private @Nullable String prompt;
    private @Nullable List<String> inputs;
    private OptionalLong seed = OptionalLong.empty();
    private Determinism determinism = Determinism.BEST_EFFORT;
    private @Nullable String samplerProfileVersion;
    private int expectedTokens;
    private @Nullable KvHint kvHint;
    private @Nullable String outputMode;
    private Sampling sampling = Sampling.DEFAULT;
    private Placement placement = Placement.AUTO;
    private boolean detached;

    TaskMembers(JsonInput in) {
        this.in = in;
    }

    /** Reads the object that begins here to its end; false where refused. */
    boolean readAll() throws IOException {
        long seen = 0;
        for (String name = in.nextMember(); name != null; name = in.nextMember()) {
            seen = read(name, seen);
            if (seen < 0) {
                return false;
            }
        }
        return true;
    }

    /** Reads one member; the mask of those seen, or −1 where refused. */
    private long read(String name, long seen) throws IOException {
        return switch (name) {
            case "task_id" -> {
                taskId = in.uuid("/task_id");
                yield once(taskId != null, seen, 0, "/task_id");
            }
            case "session_id" -> {
                sessionId = in.uuid("/session_id");
                yield once(sessionId != null, seen, 1, "/session_id");
            }
            case "workload" -> {
                workload = in.string("/workload", 0, ANY) ? Workload.fromWire(in.text()) : null;
                yield once(known(workload, "/workload", "completion, embedding, rerank"), seen, 2, "/workload");
            }
            case "model_ref" -> once(modelRef(), seen, 3, "/model_ref");
            case "engine" -> {
                engine = in.string("/engine", 0, ANY) ? EngineKind.fromWire(in.text()) : null;
                yield once(known(engine, "/engine", "llamacpp, vllm, tgi, triton, openai, mock"), seen, 4, "/engine");
            }
            case "ctx" -> {
                boolean ctxRead = in.integer("/ctx", 0, Integer.MAX_VALUE);
                ctx = (int) in.integer();
                yield once(ctxRead, seen, 5, "/ctx");
            }
            case "priority" -> {
                priority = in.string("/priority", 0, ANY) ? Priority.fromWire(in.text()) : null;
                yield once(known(priority, "/priority", "interactive, batch"), seen, 6, "/priority");
            }
            case "max_tokens" -> {
                boolean maxRead = in.integer("/max_tokens", 1, Integer.MAX_VALUE);
                maxTokens = (int) in.integer();
                yield once(maxRead, seen, 7, "/max_tokens");
            }
            case "deadline_ms" -> {
                deadlineSeen = true;
                boolean deadlineRead = in.integer("/deadline_ms", Long.MIN_VALUE, Long.MAX_VALUE);
                deadlineMs = in.integer();
                yield once(deadlineRead, seen, 8, "/deadline_ms");
            }
            case "prompt" -> {
                boolean promptRead = in.string("/prompt", 0, ANY);
                prompt = in.text();
                yield once(promptRead, seen, 9, "/prompt");
            }
            case "inputs" -> {
                boolean inputsRead = in.strings("/inputs", INPUTS_MAX, 0, ANY);
                inputs = in.texts();
                yield once(inputsRead, seen, 10, "/inputs");
            }
            default -> readOptional(name, seen);
        };
    }

    private long readOptional(String name, long seen) throws IOException {
        return switch (name) {
            case "seed" -> {
                boolean seedRead = in.integer("/seed", 0, Integer.MAX_VALUE);
                seed = OptionalLong.of(in.integer());
                yield once(seedRead, seen, 11, "/seed");
            }
            case "determinism" -> {
                Determinism how = in.string("/determinism", 0, ANY) ? Determinism.fromWire(in.text()) : null;
                determinism = how == null ? Determinism.BEST_EFFORT : how;
                yield once(known(how, "/determinism", "strict, best_effort"), seen, 12, "/determinism");
            }
            case "sampler_profile_version" -> {
                boolean versionRead = in.string("/sampler_profile_version", 1, ID_CHARS_MAX);
                samplerProfileVersion = in.text();
                yield once(versionRead, seen, 13, "/sampler_profile_version");
            }
            case "expected_tokens" -> {
                boolean expectedRead = in.integer("/expected_tokens", 0, Integer.MAX_VALUE);
                expectedTokens = (int) in.integer();
                yield once(expectedRead, seen, 14, "/expected_tokens");
            }
            case "kv_hint" -> {
                kvHint = in.string("/kv_hint", 0, ANY) ? KvHint.fromWire(in.text()) : null;
                yield once(known(kvHint, "/kv_hint", "reuse, cold"), seen, 15, "/kv_hint");
            }
            case "output_mode" -> {
                boolean modeRead = in.string("/output_mode", 0, ID_CHARS_MAX);
                outputMode = isOutputMode(in.text()) ? in.text() : null;
                yield once(modeRead, seen, 16, "/output_mode");
            }
            case "sampling" -> once(in.object("/sampling") && readSampling(), seen, 17, "/sampling");
            case "placement" -> once(in.object("/placement") && readPlacement(), seen, 18, "/placement");
            case "detached" -> {
                boolean detachedRead = in.truth("/detached");
                detached = in.truth();
                yield once(detachedRead, seen, 19, "/detached");
            }
            default -> {
                in.unknown("", name);
                yield -1;
            }
        };
    }

    private long once(boolean read, long seen, int bit, String pointer) {
        return read ? in.once(seen, bit, pointer) : -1;
    }

    /** Whether an enum's word was found; otherwise refuses, unless the value was refused already. */
    private boolean known(@Nullable Object constant, String pointer, String words) {
        return constant != null || in.refuse(pointer, "must be one of " + words, "unknown value");
    }

    private static boolean isOutputMode(String mode) {
        return mode.equals("text") || mode.equals("json") || mode.equals("edits");
    }

    private boolean modelRef() throws IOException {
        if (!in.string("/model_ref", 0, ANY)) {
            return false;
        }
        modelRef = in.text();
        String problem = ModelRefs.problem(in.text());
        return problem == null || in.refuse("/model_ref", problem, "malformed reference");
    }

    private boolean readSampling() throws IOException {
        double temperature = Double.NaN;
        double topP = Double.NaN;
        int topK = -1;
        double minP = Double.NaN;
        double repeatPenalty = Double.NaN;
        List<String> stop = List.of();
        String grammar = null;
        String jsonSchema = null;
        long seen = 0;
        for (String name = in.nextMember(); name != null; name = in.nextMember()) {
            boolean read;
            int bit;
            String pointer;
            switch (name) {
                case "temperature" -> {
                    pointer = "/sampling/temperature";
                    read = in.real(pointer, 0, true, 2);
                    temperature = in.real();
                    bit = 0;
                }
                case "top_p" -> {
                    pointer = "/sampling/top_p";
                    read = in.real(pointer, 0, true, 1);
                    topP = in.real();
                    bit = 1;
                }
                case "top_k" -> {
                    pointer = "/sampling/top_k";
                    read = in.integer(pointer, 0, Integer.MAX_VALUE);
                    topK = (int) in.integer();
                    bit = 2;
                }
                case "min_p" -> {
                    pointer = "/sampling/min_p";
                    read = in.real(pointer, 0, true, 1);
                    minP = in.real();
                    bit = 3;
                }
                case "repeat_penalty" -> {
                    pointer = "/sampling/repeat_penalty";
                    read = in.real(pointer, 0, false, Float.MAX_VALUE);
                    repeatPenalty = in.real();
                    bit = 4;
                }
                case "stop" -> {
                    pointer = "/sampling/stop";
                    read = in.strings(pointer, STOP_MAX, 1, STOP_CHARS_MAX);
                    stop = in.texts();
                    bit = 5;
                }
                case "grammar" -> {
                    pointer = "/sampling/grammar";
                    read = in.string(pointer, 1, ANY);
                    grammar = in.text();
                    bit = 6;
                }
                case "json_schema" -> {
                    pointer = "/sampling/json_schema";
                    jsonSchema = jsonSchema(pointer);
                    read = jsonSchema != null;
                    bit = 7;
                }
                default -> {
                    return in.unknown("/sampling", name);
                }
            }
            seen = once(read, seen, bit, pointer);
            if (seen < 0) {
                return false;
            }
        }
        if (grammar != null && jsonSchema != null) {
            return in.refuse("/sampling/grammar", "and json_schema exclude each other; send one", "both");
        }
        sampling = new Sampling(temperature, topP, topK, minP, repeatPenalty, stop, grammar, jsonSchema);
        return true;
    }

    private @Nullable String jsonSchema(String pointer) throws IOException {
        if (in.isString()) {
            return in.string(pointer, 2, ANY) ? in.text() : null;
        }
        return in.object(pointer) ? in.compactObject(pointer) : null;
    }

    private boolean readPlacement() throws IOException {
        PlacementMode mode = PlacementMode.AUTO;
        String pinPoolId = null;
        List<String> preferPools = List.of();
        List<String> avoidPools = List.of();
        String deviceMask = null;
        boolean allowFallback = true;
        long seen = 0;
        for (String name = in.nextMember(); name != null; name = in.nextMember()) {
            boolean read;
            int bit;
            String pointer;
            switch (name) {
                case "mode" -> {
                    pointer = "/placement/mode";
                    PlacementMode found = in.string(pointer, 0, ANY) ? PlacementMode.fromWire(in.text()) : null;
                    read = known(found, pointer, "pin, prefer, auto");
                    mode = found == null ? PlacementMode.AUTO : found;
                    bit = 0;
                }
                case "pin_pool_id" -> {
                    pointer = "/placement/pin_pool_id";
                    read = in.string(pointer, 1, ID_CHARS_MAX);
                    pinPoolId = in.text();
                    bit = 1;
                }
                case "prefer_pools" -> {
                    pointer = "/placement/prefer_pools";
                    read = in.strings(pointer, POOLS_MAX, 1, ID_CHARS_MAX);
                    preferPools = in.texts();
                    bit = 2;
                }
                case "avoid_pools" -> {
                    pointer = "/placement/avoid_pools";
                    read = in.strings(pointer, POOLS_MAX, 1, ID_CHARS_MAX);
                    avoidPools = in.texts();
                    bit = 3;
                }
                case "require_device_mask" -> {
                    pointer = "/placement/require_device_mask";
                    read = in.string(pointer, 1, ID_CHARS_MAX);
                    deviceMask = in.text();
                    bit = 4;
                }
                case "allow_fallback" -> {
                    pointer = "/placement/allow_fallback";
                    read = in.truth(pointer);
                    allowFallback = in.truth();
                    bit = 5;
                }
                default -> {
                    return in.unknown("/placement", name);
                }
            }
            seen = once(read, seen, bit, pointer);
            if (seen < 0) {
                return false;
            }
        }
        if (mode == PlacementMode.PIN && pinPoolId == null) {
            return in.refuse("/placement/pin_pool_id", "is missing; mode pin needs it", "missing");
        }
        placement = new Placement(mode, pinPoolId, preferPools, avoidPools, deviceMask, allowFallback);
        return true;
    }

    /** The request, once everything required is there; null where refused. A deadline may still be 0 or less. */
    @Nullable
    TaskRequest build() {
        UUID task = required(taskId, "/task_id");
        UUID session = required(sessionId, "/session_id");
        Workload what = required(workload, "/workload");
        String model = required(modelRef, "/model_ref");
        EngineKind wire = required(engine, "/engine");
        boolean ctxSeen = ctx >= 0 || missing("/ctx");
        Priority queue = required(priority, "/priority");
        boolean numbers =
                ctxSeen && (maxTokens > 0 || missing("/max_tokens")) && (deadlineSeen || missing("/deadline_ms"));
        if (task == null
                || session == null
                || what == null
                || model == null
                || wire == null
                || queue == null
                || !numbers
                || !inputsFit(what)) {
            return null;
        }
        List<String> given = inputs;
        return new TaskRequest(
                task,
                session,
                what,
                model,
                wire,
                ctx,
                queue,
                maxTokens,
                deadlineMs,
                prompt,
                given == null ? List.of() : given,
                seed,
                determinism,
                samplerProfileVersion,
                expectedTokens,
                kvHint,
                outputMode,
                sampling,
                placement,
                detached);
    }

    private boolean inputsFit(Workload what) {
        if (determinism == Determinism.STRICT && seed.isEmpty()) {
            return in.refuse("/seed", "is missing; determinism strict needs it", "missing");
        }
        if (what == Workload.COMPLETION) {
            if (prompt == null) {
                return in.refuse("/prompt", "is missing; workload completion needs it", "missing");
            }
            return inputs == null || in.refuse("/inputs", "is for embedding and rerank; remove it", "not used");
        }
        if (prompt != null) {
            return in.refuse("/prompt", "is for completion; send inputs", "not used");
        }
        int least = what == Workload.RERANK ? 2 : 1;
        List<String> given = inputs;
        if (given == null) {
            return in.refuse("/inputs", "is missing; this workload needs it", "missing");
        }
        return given.size() >= least
                || in.refuse(
                        "/inputs",
                        "has " + given.size() + " items; it must have " + least + " or more",
                        given.size() + " items");
    }

    private <T> @Nullable T required(@Nullable T value, String pointer) {
        if (value == null) {
            missing(pointer);
        }
        return value;
    }

    private boolean missing(String pointer) {
        return in.refuse(pointer, "is missing; it is required", "missing");
    }
}
