package io.llamaorch.orchestratord.adapters.testing;

import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** What all connections of a double share. Its loop alone touches it. */
public final class DoubleState {
    final DoubleScript defaults = new DoubleScript();
    final ArrayDeque<DoubleStream> deferred = new ArrayDeque<>();
    final Set<DoubleStream> active = new LinkedHashSet<>();
    int slots = 4;
    int ctx = 4096;
    boolean loading;
    String apiKey = "";
    /** Models of a router and how each is; empty: no router. */
    final Map<String, String> models = new LinkedHashMap<>();

    int looksUntilLoaded;
    /** Takes requests of method GET and never answers them. */
    boolean stallProbes;

    String lastBody = "";

    int running;
    int runningMax;
    int open;
    long requests;
    long completed;
    long aborted;
    long lastAbortEpochMs;
    long tokens;
    long faults;

    /** A slot for {@code stream}, or a place in the endless queue. */
    void enter(DoubleStream stream) {
        if (running < slots) {
            running++;
            runningMax = Math.max(runningMax, running);
            active.add(stream);
            stream.begin();
        } else {
            deferred.add(stream);
        }
    }

    void leave(DoubleStream stream) {
        active.remove(stream);
        running--;
        DoubleStream next = deferred.poll();
        if (next != null) {
            enter(next);
        }
    }

    void sawDisconnect() {
        aborted++;
        lastAbortEpochMs = System.currentTimeMillis();
    }

    String statsJson() {
        return "{\"running\":" + running + ",\"running_max\":" + runningMax + ",\"deferred\":" + deferred.size()
                + ",\"open\":" + open + ",\"requests\":" + requests + ",\"completed\":" + completed + ",\"aborted\":"
                + aborted + ",\"last_abort_epoch_ms\":" + lastAbortEpochMs + ",\"tokens\":" + tokens + ",\"faults\":"
                + faults + "}";
    }
}
