package io.llamaorch.orchestratord.llamaworker.binding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.llamaworker.testing.TinyGguf;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.io.TempDir;

@NullUnmarked
class LlamaModelTest {
    @TempDir
    static Path folder;

    private static NativeLibrary library;
    private static LlamaModel model;

    @BeforeAll
    static void load() throws Exception {
        library = NativeLibrary.open();
        model = LlamaModel.load(library, TinyGguf.writeInto(folder), line -> {});
    }

    @Test
    void shouldNameItsBuild() {
        assertThat(library.build()).matches("b[0-9]{4,}-[0-9a-f]{7,}");
    }

    @Test
    void shouldTokenizeAndGiveTheBytesBack() {
        int[] tokens = model.tokenize("bade 😀", true, true);
        assertThat(tokens[0]).isEqualTo(1);
        StringBuilder text = new StringBuilder();
        for (int i = 1; i < tokens.length; i++) {
            text.append(new String(model.piece(tokens[i]), java.nio.charset.StandardCharsets.ISO_8859_1));
        }
        byte[] bytes = text.toString().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        assertThat(new String(bytes, java.nio.charset.StandardCharsets.UTF_8)).isEqualTo(" bade 😀");
        assertThat(model.tokenize("", false, true)).isEmpty();
        assertThat(model.isEndOfGeneration(2)).isTrue();
        assertThat(model.isEndOfGeneration(300)).isFalse();
        assertThat(model.piece(2)).isEmpty();
    }

    @Test
    void shouldDecodeTheSameTokensForTheSameSeed() throws Exception {
        List<Integer> one = generate(Sampling.defaults(7));
        assertThat(one).hasSize(40).isEqualTo(generate(Sampling.defaults(7)));
        assertThat(one).isNotEqualTo(generate(Sampling.defaults(8)));
    }

    @Test
    void shouldGoOnAsIfNothingWasWhenADecodeIsBrokenOffAndDoneAgain() throws Exception {
        List<Integer> out = new ArrayList<>();
        try (LlamaContext context = new LlamaContext(model, 256, 1, 64, 1);
                LlamaSampler sampler = LlamaSampler.of(model, Sampling.defaults(7))) {
            int[] prompt = model.tokenize("bade", true, true);
            int last = 0;
            for (int position = 0; position < prompt.length; position++) {
                last = context.add(prompt[position], position, 0, true);
            }
            brokenOffThenWhole(context, 0);
            for (int position = prompt.length; out.size() < 40; position++) {
                out.add(sampler.sample(context, last));
                context.clearBatch();
                last = context.add(out.get(out.size() - 1), position, 0, true);
                brokenOffThenWhole(context, position);
            }
        }
        assertThat(out).isEqualTo(generate(Sampling.defaults(7)));
    }

    private static void brokenOffThenWhole(LlamaContext context, int position) {
        context.abort();
        assertThat(context.decode(0, context.batchSize())).isEqualTo(LlamaContext.ABORTED);
        context.truncate(0, position);
        context.resume();
        assertThat(context.decode(0, context.batchSize())).isZero();
    }

    @Test
    void shouldRefuseAGrammarThatCannotBeRead() {
        for (String grammar :
                new String[] {"root ::= (", "nothing ::= \"a\"", "root ::= other", "root ::= root \"a\""}) {
            assertThat(LlamaSampler.canRead(model, grammar)).as(grammar).isFalse();
        }
        assertThat(LlamaSampler.canRead(model, "root ::= \"a\"+ [0-9]?")).isTrue();
    }

    @Test
    void shouldDrawWhatTheGrammarAllows() throws Exception {
        Sampling sampling = new Sampling(
                1, 0.8f, 40, 0.95f, 0.05f, 1f, 64, 1f, 0f, 0f, false, "root ::= \"b\" (\"a\" | \"e\") \"😀\"");
        List<Integer> out = generate(sampling);
        StringBuilder text = new StringBuilder();
        for (int token : out) {
            text.append(new String(model.piece(token), java.nio.charset.StandardCharsets.ISO_8859_1));
        }
        byte[] bytes = text.toString().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        assertThat(new String(bytes, java.nio.charset.StandardCharsets.UTF_8)).matches("b[ae]😀");
        assertThat(out.get(out.size() - 1)).isEqualTo(2);
    }

    private static List<Integer> generate(Sampling sampling) throws Exception {
        List<Integer> out = new ArrayList<>();
        try (LlamaContext context = new LlamaContext(model, 256, 1, 64, 1);
                LlamaSampler sampler = LlamaSampler.of(model, sampling)) {
            int position = 0;
            for (int token : model.tokenize("bade", true, true)) {
                context.add(token, position++, 0, true);
            }
            int last = context.batchSize() - 1;
            assertThat(context.decode(0, context.batchSize())).isZero();
            while (out.size() < 40) {
                int token = sampler.sample(context, last);
                out.add(token);
                if (model.isEndOfGeneration(token)) {
                    break;
                }
                context.clearBatch();
                last = context.add(token, position++, 0, true);
                assertThat(context.decode(0, 1)).isZero();
            }
        }
        return out;
    }

    @Test
    void shouldSayWhyAModelIsRefused() throws Exception {
        Path cut = folder.resolve("cut.gguf");
        byte[] whole = Files.readAllBytes(folder.resolve("tiny.gguf"));
        Files.write(cut, java.util.Arrays.copyOf(whole, whole.length / 2));
        List<String> log = Collections.synchronizedList(new ArrayList<>());
        assertThatThrownBy(() -> LlamaModel.load(library, cut, log::add))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("cut.gguf");
        assertThat(log).isNotEmpty();
    }

    @Test
    void shouldSayWhichMachineHasNoLibrary() {
        assertThatThrownBy(() -> NativeLibrary.open("Plan 9", "sparc"))
                .isInstanceOf(NativeLibraryException.class)
                .hasMessageContaining("Plan 9")
                .hasMessageContaining("sparc");
    }

    @Test
    @EnabledOnOs(architectures = "amd64")
    void shouldSayWhatTheCpuLacks() {
        assertThatThrownBy(() -> library.checkCpu("amd64", "model name\t: Old One\nflags\t\t: fpu sse2\n"))
                .isInstanceOf(NativeLibraryException.class)
                .hasMessageContaining("Old One")
                .hasMessageContaining("built for CPUs with");
    }
}
