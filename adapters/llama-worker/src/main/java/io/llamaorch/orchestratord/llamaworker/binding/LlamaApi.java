package io.llamaorch.orchestratord.llamaworker.binding;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/**
 * The functions of {@code llama.h} that are used, and the structures that they take (llama.cpp b4916). Called through
 * {@link LlamaModel}, {@link LlamaContext} and {@link LlamaSampler}.
 */
final class LlamaApi {
    static final StructLayout MODEL_PARAMS = MemoryLayout.structLayout(
            ADDRESS.withName("devices"),
            JAVA_INT.withName("n_gpu_layers"),
            JAVA_INT.withName("split_mode"),
            JAVA_INT.withName("main_gpu"),
            MemoryLayout.paddingLayout(4),
            ADDRESS.withName("tensor_split"),
            ADDRESS.withName("progress_callback"),
            ADDRESS.withName("progress_callback_user_data"),
            ADDRESS.withName("kv_overrides"),
            JAVA_BOOLEAN.withName("vocab_only"),
            JAVA_BOOLEAN.withName("use_mmap"),
            JAVA_BOOLEAN.withName("use_mlock"),
            JAVA_BOOLEAN.withName("check_tensors"),
            MemoryLayout.paddingLayout(4));

    static final StructLayout CONTEXT_PARAMS = MemoryLayout.structLayout(
            JAVA_INT.withName("n_ctx"),
            JAVA_INT.withName("n_batch"),
            JAVA_INT.withName("n_ubatch"),
            JAVA_INT.withName("n_seq_max"),
            JAVA_INT.withName("n_threads"),
            JAVA_INT.withName("n_threads_batch"),
            JAVA_INT.withName("rope_scaling_type"),
            JAVA_INT.withName("pooling_type"),
            JAVA_INT.withName("attention_type"),
            JAVA_FLOAT.withName("rope_freq_base"),
            JAVA_FLOAT.withName("rope_freq_scale"),
            JAVA_FLOAT.withName("yarn_ext_factor"),
            JAVA_FLOAT.withName("yarn_attn_factor"),
            JAVA_FLOAT.withName("yarn_beta_fast"),
            JAVA_FLOAT.withName("yarn_beta_slow"),
            JAVA_INT.withName("yarn_orig_ctx"),
            JAVA_FLOAT.withName("defrag_thold"),
            MemoryLayout.paddingLayout(4),
            ADDRESS.withName("cb_eval"),
            ADDRESS.withName("cb_eval_user_data"),
            JAVA_INT.withName("type_k"),
            JAVA_INT.withName("type_v"),
            JAVA_BOOLEAN.withName("logits_all"),
            JAVA_BOOLEAN.withName("embeddings"),
            JAVA_BOOLEAN.withName("offload_kqv"),
            JAVA_BOOLEAN.withName("flash_attn"),
            JAVA_BOOLEAN.withName("no_perf"),
            MemoryLayout.paddingLayout(3),
            ADDRESS.withName("abort_callback"),
            ADDRESS.withName("abort_callback_data"));

    static final StructLayout BATCH = MemoryLayout.structLayout(
            JAVA_INT.withName("n_tokens"),
            MemoryLayout.paddingLayout(4),
            ADDRESS.withName("token"),
            ADDRESS.withName("embd"),
            ADDRESS.withName("pos"),
            ADDRESS.withName("n_seq_id"),
            ADDRESS.withName("seq_id"),
            ADDRESS.withName("logits"));

    static final StructLayout CANDIDATE =
            MemoryLayout.structLayout(JAVA_INT.withName("id"), JAVA_FLOAT.withName("logit"), JAVA_FLOAT.withName("p"));

    static final StructLayout CANDIDATES = MemoryLayout.structLayout(
            ADDRESS.withName("data"),
            JAVA_LONG.withName("size"),
            JAVA_LONG.withName("selected"),
            JAVA_BOOLEAN.withName("sorted"),
            MemoryLayout.paddingLayout(7));

    private static final StructLayout CHAIN_PARAMS = MemoryLayout.structLayout(JAVA_BOOLEAN.withName("no_perf"));

    final MethodHandle backendInit;
    final MethodHandle logSet;
    final MethodHandle modelDefaults;
    final MethodHandle modelLoad;
    final MethodHandle modelVocab;
    final MethodHandle modelCtxTrain;
    final MethodHandle modelEmbd;
    final MethodHandle modelParams;
    final MethodHandle modelSize;
    final MethodHandle modelHasEncoder;
    final MethodHandle modelIsRecurrent;
    final MethodHandle modelMeta;
    final MethodHandle vocabTokens;
    final MethodHandle vocabText;
    final MethodHandle vocabIsEog;
    final MethodHandle tokenize;
    final MethodHandle tokenToPiece;
    final MethodHandle contextDefaults;
    final MethodHandle contextInit;
    final MethodHandle contextFree;
    final MethodHandle decode;
    final MethodHandle setAbort;
    final MethodHandle seqRemove;
    final MethodHandle cacheClear;
    final MethodHandle chainDefaults;
    final MethodHandle chainInit;
    final MethodHandle chainAdd;
    final MethodHandle samplerFree;
    final MethodHandle sample;
    final MethodHandle apply;
    final MethodHandle accept;
    final MethodHandle logits;
    final MethodHandle grammarParse;
    final MethodHandle grammarFree;
    final MethodHandle greedy;
    final MethodHandle dist;
    final MethodHandle topK;
    final MethodHandle topP;
    final MethodHandle minP;
    final MethodHandle typical;
    final MethodHandle temp;
    final MethodHandle penalties;
    final MethodHandle grammar;
    final MethodHandle logitBias;

    /** Binds every function; throws where the library is not the build that the layouts are of. */
    LlamaApi(NativeLibrary lib) throws NativeLibraryException {
        backendInit = lib.function("llama_backend_init", FunctionDescriptor.ofVoid());
        logSet = lib.function("llama_log_set", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS));
        modelDefaults = lib.function("llama_model_default_params", FunctionDescriptor.of(MODEL_PARAMS));
        modelLoad = lib.function("llama_model_load_from_file", FunctionDescriptor.of(ADDRESS, ADDRESS, MODEL_PARAMS));
        modelVocab = lib.function("llama_model_get_vocab", FunctionDescriptor.of(ADDRESS, ADDRESS));
        modelCtxTrain = lib.function("llama_model_n_ctx_train", FunctionDescriptor.of(JAVA_INT, ADDRESS));
        modelEmbd = lib.function("llama_model_n_embd", FunctionDescriptor.of(JAVA_INT, ADDRESS));
        modelParams = lib.function("llama_model_n_params", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
        modelSize = lib.function("llama_model_size", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
        modelHasEncoder = lib.function("llama_model_has_encoder", FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS));
        modelIsRecurrent = lib.function("llama_model_is_recurrent", FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS));
        modelMeta = lib.function(
                "llama_model_meta_val_str", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG));
        vocabTokens = lib.function("llama_vocab_n_tokens", FunctionDescriptor.of(JAVA_INT, ADDRESS));
        vocabText = lib.function("llama_vocab_get_text", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
        vocabIsEog = lib.function("llama_vocab_is_eog", FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS, JAVA_INT));
        tokenize = lib.function(
                "llama_tokenize",
                FunctionDescriptor.of(
                        JAVA_INT, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_BOOLEAN, JAVA_BOOLEAN));
        tokenToPiece = lib.function(
                "llama_token_to_piece",
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_BOOLEAN));
        contextDefaults = lib.function("llama_context_default_params", FunctionDescriptor.of(CONTEXT_PARAMS));
        contextInit = lib.function("llama_init_from_model", FunctionDescriptor.of(ADDRESS, ADDRESS, CONTEXT_PARAMS));
        contextFree = lib.function("llama_free", FunctionDescriptor.ofVoid(ADDRESS));
        decode = lib.function("llama_decode", FunctionDescriptor.of(JAVA_INT, ADDRESS, BATCH));
        setAbort = lib.function("llama_set_abort_callback", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS));
        seqRemove = lib.function(
                "llama_kv_self_seq_rm", FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT));
        cacheClear = lib.function("llama_kv_self_clear", FunctionDescriptor.ofVoid(ADDRESS));
        chainDefaults = lib.function("llama_sampler_chain_default_params", FunctionDescriptor.of(CHAIN_PARAMS));
        chainInit = lib.function("llama_sampler_chain_init", FunctionDescriptor.of(ADDRESS, CHAIN_PARAMS));
        chainAdd = lib.function("llama_sampler_chain_add", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS));
        samplerFree = lib.function("llama_sampler_free", FunctionDescriptor.ofVoid(ADDRESS));
        sample = lib.function("llama_sampler_sample", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
        apply = lib.function("llama_sampler_apply", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS));
        accept = lib.function("llama_sampler_accept", FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT));
        logits = lib.function("llama_get_logits_ith", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
        // Not of the C interface (hence the mangled names): this build's sampler takes a grammar that it could not read
        // without a word, and then constrains nothing. Its parser says so.
        grammarParse = lib.function(
                "_Z23llama_grammar_init_implPK11llama_vocabPKcS3_bPS3_mPKim",
                FunctionDescriptor.of(
                        ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_BOOLEAN, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG));
        grammarFree = lib.function("_Z23llama_grammar_free_implP13llama_grammar", FunctionDescriptor.ofVoid(ADDRESS));
        greedy = lib.function("llama_sampler_init_greedy", FunctionDescriptor.of(ADDRESS));
        dist = lib.function("llama_sampler_init_dist", FunctionDescriptor.of(ADDRESS, JAVA_INT));
        topK = lib.function("llama_sampler_init_top_k", FunctionDescriptor.of(ADDRESS, JAVA_INT));
        topP = lib.function("llama_sampler_init_top_p", FunctionDescriptor.of(ADDRESS, JAVA_FLOAT, JAVA_LONG));
        minP = lib.function("llama_sampler_init_min_p", FunctionDescriptor.of(ADDRESS, JAVA_FLOAT, JAVA_LONG));
        typical = lib.function("llama_sampler_init_typical", FunctionDescriptor.of(ADDRESS, JAVA_FLOAT, JAVA_LONG));
        temp = lib.function("llama_sampler_init_temp", FunctionDescriptor.of(ADDRESS, JAVA_FLOAT));
        penalties = lib.function(
                "llama_sampler_init_penalties",
                FunctionDescriptor.of(ADDRESS, JAVA_INT, JAVA_FLOAT, JAVA_FLOAT, JAVA_FLOAT));
        grammar = lib.function("llama_sampler_init_grammar", FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS, ADDRESS));
        logitBias = lib.function(
                "llama_sampler_init_logit_bias", FunctionDescriptor.of(ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));
        checkLayouts();
    }

    /** An empty chain of samplers. */
    MemorySegment newChain() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment params =
                    (MemorySegment) chainDefaults.invokeExact((java.lang.foreign.SegmentAllocator) arena);
            return (MemorySegment) chainInit.invokeExact(params);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /**
     * The library's defaults have to lie where the layouts say: a structure that has grown by a field would be read
     * shifted, and a call with it would end the process.
     */
    private void checkLayouts() throws NativeLibraryException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment model = (MemorySegment) modelDefaults.invokeExact((java.lang.foreign.SegmentAllocator) arena);
            MemorySegment context =
                    (MemorySegment) contextDefaults.invokeExact((java.lang.foreign.SegmentAllocator) arena);
            boolean as = model.get(JAVA_INT, offset(MODEL_PARAMS, "split_mode")) == 1
                    && model.get(JAVA_BOOLEAN, offset(MODEL_PARAMS, "use_mmap"))
                    && context.get(JAVA_INT, offset(CONTEXT_PARAMS, "n_ctx")) == 512
                    && context.get(JAVA_INT, offset(CONTEXT_PARAMS, "n_batch")) == 2048
                    && context.get(JAVA_FLOAT, offset(CONTEXT_PARAMS, "yarn_beta_fast")) == 32f
                    && context.get(JAVA_FLOAT, offset(CONTEXT_PARAMS, "defrag_thold")) == -1f
                    && context.get(JAVA_INT, offset(CONTEXT_PARAMS, "type_k")) == 1
                    && context.get(JAVA_BOOLEAN, offset(CONTEXT_PARAMS, "offload_kqv"));
            if (!as) {
                throw new NativeLibraryException("the library is of a build of llama.cpp that this worker is not for");
            }
        } catch (NativeLibraryException e) {
            throw e;
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    static long offset(StructLayout layout, String member) {
        return layout.byteOffset(PathElement.groupElement(member));
    }

    /** A call that failed before it reached C: a mistake of ours. */
    static RuntimeException broken(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
    }
}
