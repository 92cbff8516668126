package io.llamaorch.orchestratord.llamaworker;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.llamacpp.LlamaCppAdapter;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.llamaorch.orchestratord.llamaworker.testing.LlamaWorkerProcess;
import io.llamaorch.orchestratord.llamaworker.testing.TinyGguf;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The worker as a process, driven as the daemon drives it. */
@NullUnmarked
@Timeout(60)
class LlamaWorkerIT {
    private static final int CTX = 65_536;
    private static final LlamaCppAdapter ADAPTER =
            new LlamaCppAdapter(new EngineHttpClient(OutboundPolicy.of(List.of("http"), List.of("127.0.0.1"))));
    private static final MultiThreadIoEventLoopGroup GROUP =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

    @TempDir
    static Path folder;

    private static Path model;
    private static LlamaWorkerProcess worker;

    @BeforeAll
    static void start() throws Exception {
        model = TinyGguf.writeInto(folder);
        worker = LlamaWorkerProcess.start(model, "--ctx", String.valueOf(CTX));
    }

    @AfterAll
    static void stop() throws Exception {
        worker.close();
        GROUP.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private static EngineTarget target(LlamaWorkerProcess of) {
        return EngineTarget.of("p", "r0", of.url(), EngineTimeouts.of(5_000, 30_000, 30_000));
    }

    private static EngineCall call(LlamaWorkerProcess of, TaskRequest request, RecordingSink sink) {
        EventLoop loop = GROUP.next();
        return loop.submit(() -> ADAPTER.start(target(of), request, null, loop, sink))
                .syncUninterruptibly()
                .getNow();
    }

    private static ReplicaStatus probe(LlamaWorkerProcess of) {
        CompletableFuture<ReplicaStatus> answer = new CompletableFuture<>();
        EventLoop loop = GROUP.next();
        loop.execute(() -> ADAPTER.probe(target(of), loop, answer::complete));
        return answer.join();
    }

    private static String metrics() throws Exception {
        URI uri = worker.url().resolve("/metrics");
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private static TaskRequest strict(String prompt, int maxTokens, long seed) {
        return new TaskRequest(
                new UUID(1, 1),
                new UUID(2, 2),
                Workload.COMPLETION,
                "hf:org/repo/file.gguf",
                EngineKind.LLAMACPP,
                0,
                Priority.INTERACTIVE,
                maxTokens,
                60_000,
                prompt,
                List.of(),
                OptionalLong.of(seed),
                Determinism.STRICT,
                null,
                0,
                null,
                null,
                TaskRequest.Sampling.DEFAULT,
                TaskRequest.Placement.AUTO,
                false);
    }

    private static RecordingSink run(long seed) {
        RecordingSink sink = new RecordingSink();
        call(worker, strict("bade kilo", 64, seed), sink);
        EngineUsage usage = (EngineUsage) sink.terminal().join();
        assertThat(sink.violations()).isEmpty();
        assertThat(usage.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(usage.tokensOut()).isEqualTo(64);
        assertThat(usage.tokensIn()).isGreaterThan(1);
        return sink;
    }

    @Test
    void shouldBeProbedReadyWithItsVersion() {
        ReplicaStatus status = probe(worker);
        assertThat(status.state()).isEqualTo(ReplicaStatus.State.READY);
        assertThat(status.engineVersion()).matches("worker-.+-llama\\.cpp-b[0-9]+-[0-9a-f]+");
        assertThat(status.slots()).isEqualTo(1);
        assertThat(status.ctx()).isEqualTo(CTX);
    }

    @Test
    void shouldStreamTheSameTextForTheSameSeed() {
        RecordingSink one = run(42);
        assertThat(one.tokens()).hasSize(64);
        assertThat(run(43).text()).isNotEqualTo(one.text());
        assertThat(run(42).text()).isEqualTo(one.text());
    }

    @Test
    void shouldFreeTheSlotWhenTheCallIsAborted() throws Exception {
        CompletableFuture<EngineCall> call = new CompletableFuture<>();
        CompletableFuture<Boolean> aborted = new CompletableFuture<>();
        RecordingSink sink = new RecordingSink(n -> {
            if (n == 3) {
                call.join().abort();
                aborted.complete(true);
            }
            return true;
        });
        EventLoop loop = GROUP.next();
        TaskRequest endless = Requests.completion("bade", 1_000_000, 1);
        loop.execute(() -> call.complete(ADAPTER.start(target(worker), endless, null, loop, sink)));
        aborted.join();
        while (!metrics().contains("\nllamacpp:requests_processing 0\n")) {
            assertThat(Thread.interrupted()).as("timed out").isFalse();
        }
        assertThat(sink.tokens()).hasSize(3);
        assertThat(sink.terminal()).isNotDone();
        // The slot serves again, long before the aborted one could have filled its context.
        run(7);
    }

    @Test
    void shouldRefuseAPromptThatIsTooLong() {
        RecordingSink sink = new RecordingSink();
        call(worker, Requests.completion("bade".repeat(40_000), 5, 1), sink);
        assertThat(((EngineFailure) sink.terminal().join()).code()).isEqualTo(ErrorCode.INVALID_PARAMS);
    }

    @Test
    void shouldBeAWorkerResetWhenItIsKilledAndReadyWhenItIsBack() throws Exception {
        try (LlamaWorkerProcess doomed = LlamaWorkerProcess.start(model)) {
            RecordingSink sink = new RecordingSink(n -> {
                if (n == 3) {
                    doomed.kill();
                }
                return true;
            });
            call(doomed, Requests.completion("bade", 1_000_000, 1), sink);
            assertThat(((EngineFailure) sink.terminal().join()).code()).isEqualTo(ErrorCode.WORKER_RESET);
            assertThat(probe(doomed).state()).isEqualTo(ReplicaStatus.State.DOWN);
        }
        try (LlamaWorkerProcess back = LlamaWorkerProcess.start(model, "--slots", "3")) {
            assertThat(probe(back).slots()).isEqualTo(3);
            assertThat(probe(back).ctx()).isEqualTo(4096);
        }
    }

    @Test
    void shouldEndOnSigtermWhileItDecodes() throws Exception {
        try (LlamaWorkerProcess ending = LlamaWorkerProcess.start(model, "--ctx", String.valueOf(CTX))) {
            CompletableFuture<Boolean> running = new CompletableFuture<>();
            RecordingSink sink = new RecordingSink(n -> {
                running.complete(true);
                return true;
            });
            call(ending, Requests.completion("bade", 1_000_000, 1), sink);
            running.join();
            assertThat(ending.terminate()).isEqualTo(128 + 15);
            assertThat(((EngineFailure) sink.terminal().join()).code()).isEqualTo(ErrorCode.WORKER_RESET);
        }
    }

    @Test
    void shouldSayWhyItDoesNotServe() throws Exception {
        Path text = Files.writeString(folder.resolve("model.txt"), "no model");
        Path cut = Files.write(folder.resolve("cut.gguf"), java.util.Arrays.copyOf(Files.readAllBytes(model), 100_000));
        expectExit(66, "model_missing: there is no file ", List.of("--model", folder + "/none.gguf"));
        expectExit(65, "model_refused: " + text + " is not a GGUF", List.of("--model", text.toString()));
        expectExit(65, "model_refused: llama.cpp", List.of("--model", cut.toString(), "--port", "0"));
        expectExit(64, "usage: unknown argument --gpu", List.of("--gpu", "1"));
        try (ServerSocket taken = new ServerSocket(0)) {
            String port = String.valueOf(taken.getLocalPort());
            expectExit(73, "cannot_listen: cannot listen on ", List.of("--model", model.toString(), "--port", port));
        }
    }

    private static void expectExit(int code, String words, List<String> args) throws Exception {
        Process process =
                LlamaWorkerProcess.command(args).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isEqualTo(code);
        assertThat(said).contains("llama-worker: " + words);
    }
}
