package io.llamaorch.orchestratord.adapters.tgi;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** What {@code /info} says. */
final class TgiInfo {
    private @Nullable String version;
    private int slots;
    private int ctx;

    /** Reads {@code /info}; null where it is none. */
    static @Nullable TgiInfo read(byte[] body) {
        TgiInfo info = new TgiInfo();
        return FrameJson.readObject(body, info::member) && info.version != null ? info : null;
    }

    private void member(String name, JsonToken value, FrameJson in) throws IOException {
        switch (name) {
            case "version" -> version = EngineWords.presentable(in.text());
            case "max_concurrent_requests" -> slots = Math.max(0, in.integer(0));
            case "max_total_tokens" -> ctx = Math.max(0, in.integer(0));
            default -> {}
        }
    }

    ReplicaStatus ready(EngineLoad load) {
        return ReplicaStatus.ready(version, slots, ctx, load);
    }
}
