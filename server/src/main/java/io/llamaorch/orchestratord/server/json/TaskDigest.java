package io.llamaorch.orchestratord.server.json;

import io.llamaorch.orchestratord.contracts.task.KvHint;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec.Digest;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The first 128 bits of a SHA-256 over a request's members in a fixed order: equal for requests that differ in member
 * order, whitespace, escapes or the spelling of numbers alone; a default that was spelled out equals one left out.
 *
 * <p>Keeps scratch space; not shared between threads.
 */
final class TaskDigest {
    private final MessageDigest sha256;
    private final ByteSink sink = new ByteSink(1024);
    private final byte[] hash = new byte[32];
    private int promptBytes;

    TaskDigest() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** UTF-8 bytes of prompt or inputs of the last request. */
    int promptBytes() {
        return promptBytes;
    }

    Digest of(TaskRequest r) {
        sink.clear();
        int before = sink.length();
        text(r.prompt());
        texts(r.inputs());
        int framing = 4 + 4 + 4 * r.inputs().size();
        promptBytes = sink.length() - before - framing;

        sink.int64(r.taskId().getMostSignificantBits()).int64(r.taskId().getLeastSignificantBits());
        sink.int64(r.sessionId().getMostSignificantBits()).int64(r.sessionId().getLeastSignificantBits());
        text(r.workload().wireName());
        text(r.engine().wireName());
        text(r.priority().wireName());
        text(r.modelRef());
        int32(r.ctx());
        int32(r.maxTokens());
        sink.int64(r.deadlineMs());
        sink.int64(r.seed().orElse(-1));
        text(r.determinism().wireName());
        text(r.samplerProfileVersion());
        int32(r.expectedTokens());
        KvHint kvHint = r.kvHint();
        text(kvHint == null ? null : kvHint.wireName());
        text(r.outputMode());
        sink.octet(r.detached() ? 1 : 0);

        TaskRequest.Sampling sampling = r.sampling();
        real(sampling.temperature());
        real(sampling.topP());
        int32(sampling.topK());
        real(sampling.minP());
        real(sampling.repeatPenalty());
        texts(sampling.stop());
        text(sampling.grammar());
        text(sampling.jsonSchema());

        TaskRequest.Placement placement = r.placement();
        text(placement.mode().wireName());
        text(placement.pinPoolId());
        texts(placement.preferPools());
        texts(placement.avoidPools());
        text(placement.requireDeviceMask());
        sink.octet(placement.allowFallback() ? 1 : 0);

        sha256.update(sink.array(), 0, sink.length());
        try {
            sha256.digest(hash, 0, hash.length);
        } catch (DigestException e) {
            throw new IllegalStateException("32 bytes hold a SHA-256", e);
        }
        return new Digest(int64(0), int64(8));
    }

    private long int64(int at) {
        long value = 0;
        for (int i = at; i < at + 8; i++) {
            value = value << 8 | (hash[i] & 0xff);
        }
        return value;
    }

    private void int32(int value) {
        sink.octet(value >>> 24).octet(value >>> 16).octet(value >>> 8).octet(value);
    }

    private void real(double value) {
        sink.int64(Double.doubleToLongBits(value));
    }

    /** Length and bytes, so that no two lists of texts look the same; null has the length −1. */
    private void text(@Nullable String text) {
        if (text == null) {
            int32(-1);
            return;
        }
        int at = sink.length();
        int32(0);
        sink.utf8(text);
        int length = sink.length() - at - 4;
        byte[] bytes = sink.array();
        bytes[at] = (byte) (length >>> 24);
        bytes[at + 1] = (byte) (length >>> 16);
        bytes[at + 2] = (byte) (length >>> 8);
        bytes[at + 3] = (byte) length;
    }

    private void texts(List<String> texts) {
        int32(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            text(texts.get(i));
        }
    }
}
