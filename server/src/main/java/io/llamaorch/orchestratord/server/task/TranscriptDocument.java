package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.ledger.EndedTask;
import io.llamaorch.orchestratord.artifacts.store.Digest;
import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptHead;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptRef;
import io.llamaorch.orchestratord.contracts.task.KvHint;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.server.json.ByteSink;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.sse.Ending;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import io.llamaorch.orchestratord.server.sse.TranscriptMaker;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Schema {@code TranscriptMetadata} of {@code contracts/openapi/data.yaml}: what is kept of a task beside its events. */
final class TranscriptDocument implements TranscriptMaker {
    private static final int FORMAT = 1;
    private static final int USUAL_BYTES = 2048;

    private final boolean prompts;
    private final TaskRegistry registry;

    /**
     * Makes documents.
     *
     * @param prompts whether prompts and inputs stand in them in clear, beside their digests
     * @param registry where the streams' tasks are
     */
    TranscriptDocument(boolean prompts, TaskRegistry registry) {
        this.prompts = prompts;
        this.registry = registry;
    }

    @Override
    public Made of(TaskStream stream) {
        Task task = registry.get(stream.info().id());
        Ending ending = stream.ending();
        if (task == null || ending == null) {
            throw new IllegalStateException("a transcript of an unknown task");
        }
        Dispatch dispatch = stream.dispatch();
        return new Snapshot(
                EndedTasks.of(task),
                ending,
                dispatch == null ? "" : dispatch.engineVersion(),
                stream.request(),
                prompts);
    }

    private record Snapshot(
            EndedTask task, Ending ending, String engineVersion, @Nullable TaskRequest request, boolean prompts)
            implements Made {
        @Override
        public ArchivedTask archived(TranscriptRef ref) {
            return EndedTasks.archived(task, ref);
        }

        @Override
        public TranscriptHead head() {
            JsonWriter json = new JsonWriter(new ByteSink(USUAL_BYTES));
            json.beginObject()
                    .member("format", FORMAT)
                    .member("owner", task.owner())
                    .member("engine_version", engineVersion.isEmpty() ? null : engineVersion)
                    .member("outcome", ending.outcome().name().toLowerCase(Locale.ROOT))
                    .member("cancel_reason", ending.cancelReason());
            if (request != null) {
                request(json, request);
            }
            json.name("state");
            int from = json.sink().length();
            TaskJson.ended(json, task);
            int to = json.sink().length();
            json.endObject();
            return new TranscriptHead(json.sink().toByteArray(), from, to);
        }

        private void request(JsonWriter json, TaskRequest asked) {
            json.name("request")
                    .beginObject()
                    .member("workload", asked.workload().wireName())
                    .member("model_ref", asked.modelRef())
                    .member("ctx", asked.ctx())
                    .member("max_tokens", asked.maxTokens())
                    .member("deadline_ms", asked.deadlineMs())
                    .member("determinism", asked.determinism().wireName())
                    .member("sampler_profile_version", asked.samplerProfileVersion())
                    .member("detached", asked.detached());
            if (asked.seed().isPresent()) {
                json.member("seed", asked.seed().getAsLong());
            }
            if (asked.expectedTokens() > 0) {
                json.member("expected_tokens", asked.expectedTokens());
            }
            KvHint hint = asked.kvHint();
            json.member("kv_hint", hint == null ? null : hint.wireName()).member("output_mode", asked.outputMode());
            text(json, asked);
            sampling(json, asked.sampling());
            placement(json, asked.placement());
            json.endObject();
        }

        private void text(JsonWriter json, TaskRequest asked) {
            String prompt = asked.prompt();
            if (prompt != null) {
                json.member("prompt_sha256", sha256(prompt)).member("prompt", prompts ? prompt : null);
            }
            if (!asked.inputs().isEmpty()) {
                strings(
                        json,
                        "inputs_sha256",
                        asked.inputs().stream().map(Snapshot::sha256).toList());
                if (prompts) {
                    strings(json, "inputs", asked.inputs());
                }
            }
        }

        private static String sha256(String text) {
            return Digest.of(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)))
                    .hex();
        }

        private static void sampling(JsonWriter json, TaskRequest.Sampling sampling) {
            json.name("sampling").beginObject();
            real(json, "temperature", sampling.temperature());
            real(json, "top_p", sampling.topP());
            if (sampling.topK() >= 0) {
                json.member("top_k", sampling.topK());
            }
            real(json, "min_p", sampling.minP());
            real(json, "repeat_penalty", sampling.repeatPenalty());
            if (!sampling.stop().isEmpty()) {
                strings(json, "stop", sampling.stop());
            }
            json.member("grammar", sampling.grammar())
                    .member("json_schema", sampling.jsonSchema())
                    .endObject();
        }

        private static void placement(JsonWriter json, TaskRequest.Placement placement) {
            json.name("placement")
                    .beginObject()
                    .member("mode", placement.mode().wireName())
                    .member("pin_pool_id", placement.pinPoolId());
            strings(json, "prefer_pools", placement.preferPools());
            strings(json, "avoid_pools", placement.avoidPools());
            json.member("require_device_mask", placement.requireDeviceMask())
                    .member("allow_fallback", placement.allowFallback())
                    .endObject();
        }

        private static void real(JsonWriter json, String name, double value) {
            if (!Double.isNaN(value)) {
                json.member(name, value);
            }
        }

        private static void strings(JsonWriter json, String name, List<String> values) {
            json.name(name).beginArray();
            values.forEach(json::value);
            json.endArray();
        }
    }
}
