package io.llamaorch.orchestratord.adapters.testing;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A sink that keeps all it hears and fails loudly on a broken order. Written by the call's loop; read it after
 * {@link #terminal()} is done.
 */
public final class RecordingSink implements EngineSink {
    private final List<String> tokens = new ArrayList<>();
    private final List<String> violations = new ArrayList<>();
    private final CompletableFuture<Object> terminal = new CompletableFuture<>();
    private final IntPredicate onToken;
    private boolean accepted;
    private boolean batchOpen;
    private int batches;
    private int terminals;
    private @Nullable EngineOutput output;

    /** A sink with room for everything. */
    public RecordingSink() {
        this(n -> true);
    }

    /** A sink that answers token n (from 1) with {@code onToken}. */
    public RecordingSink(IntPredicate onToken) {
        this.onToken = onToken;
    }

    @Override
    public void accepted() {
        check(!accepted && terminals == 0, "accepted twice or late");
        accepted = true;
    }

    @Override
    public boolean token(ByteBuf text, int offset, int length) {
        check(accepted && terminals == 0, "token out of order");
        check(length > 0, "empty token");
        batchOpen = true;
        tokens.add(text.toString(offset, length, StandardCharsets.UTF_8));
        return onToken.test(tokens.size());
    }

    @Override
    public void batchEnd() {
        check(batchOpen && terminals == 0, "batchEnd without tokens");
        batchOpen = false;
        batches++;
    }

    @Override
    public void output(EngineOutput result) {
        check(accepted && terminals == 0 && output == null, "output out of order or twice");
        output = result;
    }

    @Override
    public void end(EngineUsage usage) {
        over(usage);
    }

    @Override
    public void failed(EngineFailure failure) {
        over(failure);
    }

    private void over(Object what) {
        check(!batchOpen, "batch left open");
        check(++terminals == 1, "second terminal");
        terminal.complete(what);
    }

    private void check(boolean holds, String otherwise) {
        if (!holds) {
            violations.add(otherwise);
        }
    }

    /** {@link EngineUsage} or {@link EngineFailure}, when it comes. */
    public CompletableFuture<Object> terminal() {
        return terminal;
    }

    /** The result of a workload other than text; null before it comes. */
    public @Nullable EngineOutput output() {
        return output;
    }

    /** The pieces so far. */
    public List<String> tokens() {
        return tokens;
    }

    /** All pieces together. */
    public String text() {
        return String.join("", tokens);
    }

    /** Batches so far. */
    public int batches() {
        return batches;
    }

    /** What broke the order of the port; empty where nothing did. */
    public List<String> violations() {
        return violations;
    }
}
