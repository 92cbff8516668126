package io.llamaorch.orchestratord.bench.engine;

/** What the simulator did so far; served as {@code GET /stats}. <b>Owner thread:</b> the loop. */
final class SimulatorStats {
    long started;
    long completed;
    long aborted;
    long tokens;
    long admitted;
    long runningPeak;

    void onStarted() {
        started++;
        runningPeak = Math.max(runningPeak, running());
    }

    long running() {
        return started - completed - aborted;
    }

    String json() {
        return "{\"started\":" + started + ",\"completed\":" + completed + ",\"aborted\":" + aborted + ",\"running\":"
                + running() + ",\"running_peak\":" + runningPeak + ",\"tokens\":" + tokens + ",\"admitted\":" + admitted
                + "}";
    }
}
