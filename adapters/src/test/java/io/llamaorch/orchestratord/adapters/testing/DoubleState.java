package io.llamaorch.orchestratord.adapters.testing;

import java.util.ArrayDeque;

/** What all connections of a double share. Its loop alone touches it. */
final class DoubleState {
    final DoubleScript defaults = new DoubleScript();
    final ArrayDeque<DoubleStream> deferred = new ArrayDeque<>();
    int slots = 4;
    int ctx = 4096;
    boolean loading;
    String apiKey = "";

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
            stream.begin();
        } else {
            deferred.add(stream);
        }
    }

    void leave() {
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
