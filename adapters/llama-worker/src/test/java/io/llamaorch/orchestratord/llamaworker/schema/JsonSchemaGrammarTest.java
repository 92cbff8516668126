package io.llamaorch.orchestratord.llamaworker.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.llamaorch.orchestratord.llamaworker.binding.LlamaContext;
import io.llamaorch.orchestratord.llamaworker.binding.LlamaModel;
import io.llamaorch.orchestratord.llamaworker.binding.LlamaSampler;
import io.llamaorch.orchestratord.llamaworker.binding.NativeLibrary;
import io.llamaorch.orchestratord.llamaworker.binding.Sampling;
import io.llamaorch.orchestratord.llamaworker.testing.TinyGguf;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class JsonSchemaGrammarTest {
    @TempDir
    static Path folder;

    private static LlamaModel model;

    @BeforeAll
    static void load() throws Exception {
        model = LlamaModel.load(NativeLibrary.open(), TinyGguf.writeInto(folder), line -> {});
    }

    private static String grammar(String schema) throws Exception {
        try (JsonParser p = new JsonFactory().createParser(schema.replace('\'', '"'))) {
            p.nextToken();
            String grammar = JsonSchemaGrammar.read(p);
            assertThat(p.nextToken()).isNull();
            return grammar;
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "true",
                "{'type':'string','minLength':2,'maxLength':5}",
                "{'type':['integer','null'],'title':'t'}",
                "{'type':'array'}",
                "{'type':'array','items':{'type':'number'},'minItems':3}",
                "{'type':'array','items':{},'maxItems':0}",
                "{'type':'object'}",
                "{'type':'object','additionalProperties':false}",
                "{'type':'object','additionalProperties':{'type':'boolean'}}",
                "{'properties':{'a':{},'b\\\"\\\\\\n':{},'ü':{}},'required':['ü']}",
                "{'anyOf':[{'const':{'a':[1,'x',null]}},{'enum':['a',2.5,true]}]}",
                "{'oneOf':[{'type':'object','properties':{'a':{'type':'object','properties':{'b':{}}}}}]}"
            })
    void shouldMakeAGrammarThatLlamaCppReads(String schema) throws Exception {
        String grammar = grammar(schema);
        assertThat(LlamaSampler.canRead(model, grammar)).as(grammar).isTrue();
    }

    @Test
    void shouldLeaveOutOnlyWhatIsOptional() throws Exception {
        String grammar = grammar("{'properties':{'a':{'const':1},'b':{'const':2},'c':{'const':3}},'required':['b']}");
        Set<String> seen = new TreeSet<>();
        for (int seed = 1; seed <= 40; seed++) {
            seen.add(drawn(grammar, seed).replace(" ", ""));
        }
        assertThat(seen)
                .containsExactlyInAnyOrder(
                        "{\"b\":2}", "{\"a\":1,\"b\":2}", "{\"b\":2,\"c\":3}", "{\"a\":1,\"b\":2,\"c\":3}");
    }

    /** A text that the grammar allows, each byte as likely as the next. */
    private static String drawn(String grammar, int seed) throws Exception {
        Sampling sampling = new Sampling(seed, 50f, 0, 1f, 0f, 1f, 0, 1f, 0f, 0f, false, grammar);
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (LlamaContext context = new LlamaContext(model, 256, 1, 8, 1);
                LlamaSampler sampler = LlamaSampler.of(model, sampling)) {
            int token = 1;
            for (int position = 0; position < 256 && !model.isEndOfGeneration(token); position++) {
                context.clearBatch();
                context.add(token, position, 0, true);
                assertThat(context.decode(0, 1)).isZero();
                token = sampler.sample(context, 0);
                text.writeBytes(model.piece(token));
            }
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'$ref':'#/x'}                                   | $ref",
                "{'type':'string','pattern':'a'}                  | pattern",
                "{'anyOf':[{}],'type':'string'}                   | type",
                "{'anyOf':[]}                                     | nothing",
                "{'type':'text'}                                  | type",
                "{'type':'string','maxLength':100000}             | maxLength",
                "{'type':'array','minItems':-1}                   | minItems",
                "{'properties':{'a':{}},'required':['b']}         | requires",
                "{'required':['b']}                               | requires",
                "5                                                | neither",
                "{'properties':{'a':false}}                       | neither"
            })
    void shouldNameWhatItCannotTurnIntoAGrammar(String schema, String word) {
        assertThatThrownBy(() -> grammar(schema))
                .isInstanceOf(SchemaException.class)
                .hasMessageContaining(word);
    }
}
