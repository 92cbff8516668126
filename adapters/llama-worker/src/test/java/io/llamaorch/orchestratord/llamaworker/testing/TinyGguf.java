package io.llamaorch.orchestratord.llamaworker.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * A model of half a megabyte with random weights, for a real engine that decodes thousands of nonsense words a second.
 *
 * <p>Llama architecture, 2 layers of 64, 2 heads; a SentencePiece vocabulary of the 256 bytes, the alphabet and some
 * two-letter words. The first dimension of the residual stream is held constant, and through it the end of text and the
 * bytes are made improbable: free text runs to its limit and each token is a whole word. A grammar can still ask for
 * them: it leaves no other choice. The same seed writes the same file.
 */
public final class TinyGguf {
    private static final int EMBD = 64;
    private static final int FF = 128;
    private static final int HEADS = 2;
    private static final int LAYERS = 2;
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int BYTE = 6;

    private final List<String> tokens = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();
    private final List<Integer> types = new ArrayList<>();
    private final Random random;

    private TinyGguf(long seed) {
        random = new Random(seed);
    }

    /** Writes the model with seed 1 into {@code folder}. */
    public static Path writeInto(Path folder) throws IOException {
        Path file = Files.createDirectories(folder).resolve("tiny.gguf");
        write(file, 1, 8192);
        return file;
    }

    /** Writes a model. */
    public static void write(Path file, long seed, int ctxTrain) throws IOException {
        new TinyGguf(seed).writeTo(file, ctxTrain);
    }

    private void writeTo(Path file, int ctxTrain) throws IOException {
        int special = vocabulary();
        GgufWriter gguf = new GgufWriter();
        gguf.put("general.architecture", "llama");
        gguf.put("general.name", "tiny-random");
        gguf.put("llama.context_length", ctxTrain);
        gguf.put("llama.embedding_length", EMBD);
        gguf.put("llama.block_count", LAYERS);
        gguf.put("llama.feed_forward_length", FF);
        gguf.put("llama.attention.head_count", HEADS);
        gguf.put("llama.attention.head_count_kv", HEADS);
        gguf.put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        gguf.put("llama.rope.dimension_count", EMBD / HEADS);
        gguf.put("llama.vocab_size", tokens.size());
        gguf.put("tokenizer.ggml.model", "llama");
        gguf.putStrings("tokenizer.ggml.tokens", tokens);
        gguf.putFloats("tokenizer.ggml.scores", scores);
        gguf.putInts("tokenizer.ggml.token_type", types);
        gguf.put("tokenizer.ggml.unknown_token_id", 0);
        gguf.put("tokenizer.ggml.bos_token_id", 1);
        gguf.put("tokenizer.ggml.eos_token_id", 2);
        gguf.put("tokenizer.ggml.add_bos_token", true);
        gguf.put("tokenizer.ggml.add_eos_token", false);
        weights(gguf, special);
        gguf.write(file);
    }

    /** Fills the vocabulary; returns how many of its first tokens are special. */
    private int vocabulary() {
        token("<unk>", 0, UNKNOWN);
        token("<s>", 0, CONTROL);
        token("</s>", 0, CONTROL);
        for (int b = 0; b < 256; b++) {
            token(String.format(Locale.ROOT, "<0x%02X>", b), 0, BYTE);
        }
        int special = tokens.size();
        token("▁", -1000, NORMAL);
        for (char c = 'a'; c <= 'z'; c++) {
            token(String.valueOf(c), -1000, NORMAL);
        }
        for (char consonant : "bdfghjklmnprstvwz".toCharArray()) {
            for (char vowel : "aeiou".toCharArray()) {
                token("▁" + consonant + vowel, -tokens.size(), NORMAL);
                token("" + consonant + vowel, -tokens.size(), NORMAL);
            }
        }
        return special;
    }

    private void token(String text, float score, int type) {
        tokens.add(text);
        scores.add(score);
        types.add(type);
    }

    private void weights(GgufWriter gguf, int special) {
        int vocab = tokens.size();
        float[] embeddings = gaussians(vocab * EMBD, 1f);
        for (int token = 0; token < vocab; token++) {
            embeddings[token * EMBD] = 4f;
        }
        gguf.tensor("token_embd.weight", vocab, embeddings);
        float narrow = (float) (1 / Math.sqrt(EMBD));
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            gguf.tensor(block + "attn_norm.weight", 1, ones());
            gguf.tensor(block + "attn_q.weight", EMBD, gaussians(EMBD * EMBD, narrow));
            gguf.tensor(block + "attn_k.weight", EMBD, gaussians(EMBD * EMBD, narrow));
            gguf.tensor(block + "attn_v.weight", EMBD, gaussians(EMBD * EMBD, narrow));
            gguf.tensor(block + "attn_output.weight", EMBD, firstRowZero(gaussians(EMBD * EMBD, narrow), EMBD));
            gguf.tensor(block + "ffn_norm.weight", 1, ones());
            gguf.tensor(block + "ffn_gate.weight", FF, gaussians(FF * EMBD, narrow));
            gguf.tensor(block + "ffn_up.weight", FF, gaussians(FF * EMBD, narrow));
            float wide = (float) (1 / Math.sqrt(FF));
            gguf.tensor(block + "ffn_down.weight", EMBD, firstRowZero(gaussians(EMBD * FF, wide), FF));
        }
        gguf.tensor("output_norm.weight", 1, ones());
        float[] output = gaussians(vocab * EMBD, 2 * narrow);
        for (int token = 0; token < vocab; token++) {
            output[token * EMBD] = token < special ? -20f : 0f;
        }
        gguf.tensor("output.weight", vocab, output);
    }

    private float[] gaussians(int count, float deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * deviation;
        }
        return values;
    }

    private static float[] ones() {
        float[] values = new float[EMBD];
        java.util.Arrays.fill(values, 1f);
        return values;
    }

    /** Nothing is added to the first dimension: it stays what the embedding made it. */
    private static float[] firstRowZero(float[] values, int columns) {
        java.util.Arrays.fill(values, 0, columns, 0f);
        return values;
    }
}
