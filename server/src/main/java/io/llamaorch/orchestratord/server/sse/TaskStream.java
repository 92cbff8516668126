package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.server.sse.Ending.Outcome;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One task as its clients see it: the log of its events, and the one place where it ends.
 *
 * <p>Events in the log: {@code started}, then {@code token} with {@code metrics} between, then exactly one {@code end}
 * or {@code error}; a task that never started has just {@code error}, or {@code end} where it was canceled.
 *
 * <p>What throws in here, or in who is told of it, ends this stream with {@code INTERNAL} and goes no further: the loop
 * has others.
 *
 * <p><b>Owner thread:</b> the home loop, which is the loop of the connection that submitted it, for every method but
 * {@link #requestCancel}, {@link #home} and {@link #info}.
 */
public final class TaskStream implements Runnable {
    /** More than the frame of a token takes beside its text. */
    private static final int TOKEN_FRAME_BYTES = 96;
    /** More than the frame of {@code started} takes. */
    private static final int STARTED_BYTES = 2048;
    /** Longest wait for the disk where there is no memory, ns. */
    private static final long ROOM_WAIT_NS = 5_000_000_000L;

    private final TaskInfo info;
    private final StreamLoop home;
    private final CancelGate gate = new CancelGate();
    private final FrameLog log;
    private final ReaderSet readers = new ReaderSet(this);
    private final StreamPulse pulse = new StreamPulse(this, readers);
    private final @Nullable TaskTranscript transcript;
    private final RecordGate record = new RecordGate(this);

    private @Nullable TaskRequest request;
    private @Nullable Admission admission;
    private @Nullable Dispatch dispatch;
    private @Nullable Allowance allowance;
    private @Nullable EngineLeg leg;
    private @Nullable Ending ending;
    private @Nullable ApiError retryFailure;
    private @Nullable List<Runnable> sealWaiters;
    private @Nullable TokenSlab heldSlab;
    private long heldAtNs;
    private String sealReason = "";

    private int tokens;
    private int countedTokens;
    private int countedTail;
    private boolean evicted;
    private boolean unwanted;
    private boolean handedOver;
    private TranscriptMaker.@Nullable Made description;
    private boolean lost;
    private boolean recovered;
    private long dispatchedAtNs;
    private long startedAtNs;
    private long firstTokenAtNs;
    private long endedAtNs;
    private long lastReaderLeftAtNs;

    /** Place in the loop's list of watched streams; −1 for none. Belongs to {@link StreamLoop}. */
    int watchIndex = -1;

    /**
     * A task that was offered to the scheduler.
     *
     * @param info what never changes
     * @param request what to decode; let go when the task is over
     * @param home its loop
     */
    public TaskStream(TaskInfo info, TaskRequest request, StreamLoop home) {
        this.info = info;
        this.request = request;
        this.home = home;
        this.log = new FrameLog(home.arena());
        TranscriptLog disk = home.transcripts();
        this.transcript = disk == null ? null : new TaskTranscript(this, disk);
    }

    /**
     * A task that was over before the daemon started; its events are not here.
     *
     * @param ending how it ended
     * @param lost whether its readers get the terminal event, whatever they have; else there is nothing to read
     * @param endedAtNs when, {@code nanoTime}
     */
    public TaskStream(TaskInfo info, Ending ending, boolean lost, long endedAtNs, StreamLoop home) {
        this.info = info;
        this.home = home;
        this.log = new FrameLog(home.arena());
        this.transcript = null;
        this.ending = ending;
        this.lost = lost;
        this.recovered = true;
        this.endedAtNs = endedAtNs;
        gate.end();
        record.onRecorded();
    }

    /** Home loop: a task that was over before the daemon started is kept like any other from now on. */
    public void keep() {
        home.retained().keep(this);
    }

    /** What never changes; any thread. */
    public TaskInfo info() {
        return info;
    }

    /** The loop that owns it; any thread. */
    public StreamLoop home() {
        return home;
    }

    /** What to decode; null when the task is over. */
    public @Nullable TaskRequest request() {
        return request;
    }

    /** Where it stands, as last told by the scheduler; null before admission. */
    public @Nullable Admission admission() {
        return admission;
    }

    /** What its key and session had left when it was last told; null where nothing is limited. */
    public @Nullable Allowance allowance() {
        return allowance;
    }

    /** Where it runs or ran; null before. */
    public @Nullable Dispatch dispatch() {
        return dispatch;
    }

    /** How it ended; null before. */
    public @Nullable Ending ending() {
        return ending;
    }

    /** Token events in the log. */
    public int tokens() {
        return tokens;
    }

    /** Bytes in the log, ids and framing included. */
    public int transcriptBytes() {
        return log.tail();
    }

    /** Token events not yet told to the counters; telling them is {@link #takeUncounted}. */
    public int takeUncounted() {
        int fresh = tokens - countedTokens;
        countedTokens = tokens;
        countedTail = log.tail();
        return fresh;
    }

    /** Id of the newest event, 0 for none. */
    public int lastEventId() {
        return log.events();
    }

    /** When it was dispatched, was first heard of a token, ended: {@code nanoTime}, 0 for not yet. */
    public long dispatchedAtNs() {
        return dispatchedAtNs;
    }

    /** See {@link #dispatchedAtNs}. */
    public long firstTokenAtNs() {
        return firstTokenAtNs;
    }

    /** See {@link #dispatchedAtNs}. */
    public long endedAtNs() {
        return endedAtNs;
    }

    /** When the engine took the request: {@code nanoTime}, 0 for not yet. */
    public long startedAtNs() {
        return startedAtNs;
    }

    /** From admission to the first token, ms; 0 before. */
    public long firstTokenMs() {
        return firstTokenAtNs == 0 ? 0 : (firstTokenAtNs - info.createdAtNs()) / 1_000_000;
    }

    /** Time between the first token and the end, or now; ms. */
    public long decodeMs() {
        return decodeNs() / 1_000_000;
    }

    long decodeNs() {
        if (firstTokenAtNs == 0) {
            return 0;
        }
        return (endedAtNs != 0 ? endedAtNs : System.nanoTime()) - firstTokenAtNs;
    }

    FrameLog log() {
        return log;
    }

    /** What of the log is on disk; only where there is a disk for it. */
    TaskTranscript transcript() {
        TaskTranscript disk = transcript;
        if (disk == null) {
            throw new IllegalStateException("no disk for transcripts");
        }
        return disk;
    }

    /** The task as it is known from its transcript on disk; null where there is none, or not yet. */
    public @Nullable ArchivedTask archived() {
        return transcript == null ? null : transcript.archived();
    }

    /** See {@link TaskTranscript#spill}. */
    int spill(int bytesMin) {
        return transcript == null || ending != null ? 0 : transcript.spill(bytesMin);
    }

    // ---- what the ledger has of it ----

    /** Bytes of the log that readers may be sent: see {@link RecordGate}. */
    int shown() {
        return record.shown();
    }

    /** It is on record that something was shown, or cannot be put on record. */
    public void onExposed() {
        record.onExposed();
        readers.pump();
    }

    /** It is on record how the task ended, or cannot be put on record. */
    public void onRecorded() {
        record.onRecorded();
        readers.pump();
        handOver();
    }

    /** Runs it when it is on record how the task ended; at once where it is not over. */
    public void whenRecorded(Runnable waiter) {
        record.whenRecorded(waiter);
    }

    void runWaiter(Runnable waiter) {
        try {
            waiter.run();
        } catch (Throwable thrown) {
            home.events().defect(this, thrown); // one client's answer; the others get theirs
        }
    }

    /** The ledger did not take the task, so it was never accepted: it ends, and nothing of it is kept. */
    public void discard(ApiError error) {
        unwanted = true;
        if (ending != null && !handedOver) {
            leaveNothing();
        } else if (ending != null) {
            home.retained().drop(this);
        } else if (sealWaiters == null) { // else the cancel under way ends it
            fail(Outcome.FAILED, error);
        }
    }

    /** Whether nothing of it is kept when it is over: it was never accepted. */
    public boolean isUnwanted() {
        return unwanted;
    }

    /** The daemon stops and the ledger has the task: its readers are cut, its engine is stopped, and it does not end. */
    public void suspend() {
        gate.seal();
        stopEngine();
        readers.cutAll("shutdown");
    }

    /** Whether the terminal event is in the log. */
    boolean isOver() {
        return ending != null;
    }

    // ---- the scheduler's word ----

    /** The task is in. */
    public void onAdmitted(Admission newAdmission) {
        admission = newAdmission;
        allowance = newAdmission.allowance();
    }

    /** Where it stands now: where the stream had asked, a comment while it is queued, a metrics frame while it decodes. */
    public void onAnswered(Admission now) {
        allowance = now.allowance();
        if (ending == null && sealWaiters == null) {
            pulse.onAnswered(now);
        }
    }

    /**
     * The task holds a slot: starts the engine's leg, unless it was over before.
     *
     * @return false where it was canceled meanwhile; the caller gives the slot back
     */
    public boolean onDispatched(
            Dispatch newDispatch, EngineAdapter adapter, EngineTarget target, StreamLoop engineLoop) {
        TaskRequest toDecode = request;
        if (!gate.isOpen() || toDecode == null) {
            return false;
        }
        dispatch = newDispatch;
        allowance = newDispatch.allowance();
        dispatchedAtNs = System.nanoTime();
        pulse.restart();
        EngineLeg newLeg = new EngineLeg(this, engineLoop, home.settings().queueSlabs());
        leg = newLeg;
        home.watch(this);
        if (!readers.isEmpty()) {
            record.expose();
        }
        newLeg.start(adapter, target, toDecode, info.traceparent());
        return true;
    }

    /** The task is over before or while it ran: deadline, eviction, or the daemon stops. */
    public void fail(Outcome outcome, ApiError error) {
        if (ending == null && gate.end()) {
            stopEngine();
            finishWith(new Ending(outcome, null, null, error, null));
        }
    }

    /** Something threw that this stream was part of: it ends with {@code INTERNAL}, whatever it was about to do. */
    public void onDefect(Throwable thrown) {
        home.events().defect(this, thrown);
        if (ending != null) {
            return;
        }
        gate.seal();
        stopEngine();
        List<Runnable> waiters = sealWaiters;
        sealWaiters = null;
        finishWith(Ending.failed(StreamJson.DEFECT));
        if (waiters != null) {
            settle(waiters);
        }
    }

    // ---- tokens ----

    /** The drain that another loop asked for. */
    @Override
    public void run() {
        drain();
    }

    /** Moves what the engine's leg has handed over into the log, then to the readers. */
    void drain() {
        EngineLeg source = leg;
        if (source == null) {
            return;
        }
        try {
            drain(source);
        } catch (Throwable thrown) {
            onDefect(thrown);
        }
    }

    private void drain(EngineLeg source) {
        source.clearSignal();
        TokenQueue queue = source.queue();
        // The outcome first: every slab before it is then visible to the polls that follow.
        Object outcome = queue.outcome();
        TokenSlab slab = heldSlab != null ? heldSlab : queue.poll();
        heldSlab = null;
        boolean decodes = slab != null || outcome instanceof EngineResult;
        if (startedAtNs == 0 && queue.isAccepted() && gate.isOpen() && (decodes || !isRetriable())) {
            if (!hasRoom(STARTED_BYTES)) {
                awaitRoom(slab);
                return;
            }
            if (!begin()) {
                return;
            }
        }
        for (; slab != null; slab = queue.poll()) {
            if (!appendTokens(slab)) {
                awaitRoom(slab);
                return;
            }
            home.slabs().give(slab);
        }
        if (!gate.isOpen()) {
            return; // a cancel is on its way to this loop; it ends the stream
        }
        if (outcome != null) {
            leg = null;
            onEngineOutcome(outcome);
            return;
        }
        if (queue.wasFull()) {
            source.onRoom();
        }
        readers.pump();
    }

    /** The engine has taken the request; where another replica may have to, that is told with its first token. */
    private boolean begin() {
        startedAtNs = System.nanoTime();
        if (!append("started", StreamJson.started(this))) {
            fail(Outcome.FAILED, StreamJson.TRANSCRIPT_MEMORY);
            return false;
        }
        home.events().started(this);
        return true;
    }

    private boolean isRetriable() {
        Dispatch at = dispatch;
        return at != null && at.retriable();
    }

    private boolean appendTokens(TokenSlab slab) {
        FrameWriter frames = home.frames();
        for (int length = slab.nextLength(); length >= 0; length = slab.nextLength()) {
            if (!gate.isOpen()) {
                return true;
            }
            if (!hasRoom(length + TOKEN_FRAME_BYTES)) {
                return false;
            }
            int at = slab.nextText(length);
            frames.token(log.events() + 1, slab.bytes(), at, length, tokens);
            if (!store(frames)) {
                throw new IllegalStateException("no memory where there was room");
            }
            heldAtNs = 0;
            if (tokens++ == 0) {
                onFirstToken();
            }
        }
        return true;
    }

    private boolean store(FrameWriter frames) {
        if (!hasRoom(frames.length())) {
            return false;
        }
        return log.append(frames.bytes(), frames.length());
    }

    /** Whether so many bytes can be appended; takes memory for them, at the cost of what is over where it must. */
    private boolean hasRoom(int length) {
        if (log.isFull(length)) {
            return false;
        }
        int blocks = log.blocks();
        while (!log.reserve(length)) {
            if (!home.retained().freeOldest()) {
                return false;
            }
        }
        if (log.blocks() != blocks) {
            home.relieve();
        }
        return true;
    }

    /** No memory for what comes next: waits where some is about to come free, else ends the stream. */
    private void awaitRoom(@Nullable TokenSlab slab) {
        long nowNs = System.nanoTime();
        if (heldAtNs == 0) {
            heldAtNs = nowNs;
        }
        if (nowNs - heldAtNs < ROOM_WAIT_NS && !log.isFull(STARTED_BYTES) && home.awaitRoom(this)) {
            heldSlab = slab; // the engine's queue fills up behind it, and the engine is not read
            readers.pump();
        } else {
            fail(Outcome.FAILED, StreamJson.TRANSCRIPT_MEMORY);
        }
    }

    private void onFirstToken() {
        firstTokenAtNs = System.nanoTime();
        home.events().firstToken(this);
        Dispatch at = dispatch;
        if (at != null) {
            pulse.metrics(at.queueDepth(), at.onTimeProbability(), at.allowance());
        }
    }

    private void onEngineOutcome(Object outcome) {
        if (outcome instanceof EngineResult result) {
            if (gate.end()) {
                finishWith(Ending.completed(result));
            }
            return;
        }
        EngineFailure failure = (EngineFailure) outcome;
        home.events().engineFailed(this, failure);
        if (startedAtNs == 0 && isRetriable() && failure.retriable()) {
            giveBackForRetry(failure);
        } else if (gate.end()) {
            finishWith(Ending.failed(error(failure)));
        }
    }

    /** Waits for another replica, as if it had never been dispatched. */
    private void giveBackForRetry(EngineFailure failure) {
        retryFailure = error(failure);
        dispatch = null;
        pulse.restart();
        home.events().retry(this);
    }

    /** Why it was given back for a retry. */
    public ApiError retryFailure() {
        ApiError failure = retryFailure;
        if (failure == null) {
            throw new IllegalStateException("not given back");
        }
        return failure;
    }

    /** No other replica takes the task: it ends with the failure that it met. */
    public void onRetryRefused() {
        ApiError failure = retryFailure;
        if (failure != null && dispatch == null && gate.end()) {
            finishWith(Ending.failed(failure));
        }
    }

    /** A queued task waits in another pool from now on; where it stood at its admission stays. */
    public void onMoved(String poolId) {
        Admission was = admission;
        if (was != null) {
            admission = was.movedTo(poolId);
        }
    }

    private ApiError error(EngineFailure failure) {
        return new ApiError(
                failure.code(),
                failure.message(),
                info.engine(),
                info.poolIdOr(dispatch),
                failure.retriable(),
                ApiError.NO_RETRY_AFTER,
                null,
                List.of());
    }

    /** Adds an event; false where its transcript finds no memory. */
    boolean append(String event, CharSequence data) {
        FrameWriter frames = home.frames();
        frames.event(log.events() + 1, event, data);
        return store(frames);
    }

    // ---- cancel ----

    /** Any thread: no token follows the moment that the home loop sees this; {@link #cancel} must follow. */
    public void requestCancel() {
        gate.request();
    }

    /**
     * Seals the stream and ends it.
     *
     * @param reason {@code client} or {@code disconnect}
     * @param settled called on this loop when no token can follow any more: a 204 may be sent; also where the task was
     *     over before
     */
    public void cancel(String reason, Runnable settled) {
        if (sealWaiters != null) {
            sealWaiters.add(settled);
            return;
        }
        if (!gate.seal()) {
            settled.run();
            return;
        }
        stopEngine();
        List<Runnable> waiters = new ArrayList<>(1);
        waiters.add(settled);
        sealWaiters = waiters;
        sealReason = reason;
        if (readers.anyInFlight()) {
            home.eventLoop().schedule(() -> finishSeal(waiters), home.settings().sealWaitMs(), TimeUnit.MILLISECONDS);
        } else {
            finishSeal(waiters);
        }
    }

    private void finishSealIfQuiet() {
        List<Runnable> waiters = sealWaiters;
        if (waiters != null && !readers.anyInFlight()) {
            finishSeal(waiters);
        }
    }

    private void finishSeal(List<Runnable> waiters) {
        if (sealWaiters == null) {
            return; // the timer, after the readers' sockets were quicker
        }
        sealWaiters = null; // first: a reader that is cut below leaves, which must not finish the seal again
        List<EventLoop> cutOn = List.of();
        try {
            cutOn = dropUndelivered();
            finishWith(new Ending(Outcome.CANCELED, null, null, null, sealReason));
        } catch (Throwable thrown) {
            onDefect(thrown);
        }
        settleAfterCuts(waiters, cutOn);
    }

    /**
     * What the readers' sockets took is what the transcript keeps: tokens that were decoded and written to nobody are
     * dropped, so that ids stay dense and {@code end} follows at once.
     *
     * @return the loops of readers that lagged behind and were cut
     */
    private List<EventLoop> dropUndelivered() {
        if (readers.isEmpty()) {
            return List.of();
        }
        int keep = Math.max(countedTail, readers.mostDelivered());
        if (transcript != null) {
            keep = Math.max(keep, transcript.handedTo()); // what goes to disk is not taken back
        }
        tokens -= log.truncate(keep);
        if (tokens == 0) {
            firstTokenAtNs = 0; // no reader had the first one
        }
        return readers.cutBehind(keep);
    }

    /** A reader on another loop is cut there: what its socket still holds must be gone before anybody reads a 204. */
    private void settleAfterCuts(List<Runnable> waiters, List<EventLoop> cutOn) {
        for (EventLoop loop : cutOn) {
            if (!loop.inEventLoop()) {
                List<EventLoop> rest = cutOn.subList(cutOn.indexOf(loop) + 1, cutOn.size());
                loop.execute(() -> home.eventLoop().execute(() -> settleAfterCuts(waiters, rest)));
                return;
            }
        }
        settle(waiters);
    }

    private void settle(List<Runnable> waiters) {
        waiters.forEach(this::runWaiter);
    }

    private void stopEngine() {
        EngineLeg running = leg;
        leg = null;
        heldSlab = null;
        if (running != null) {
            try {
                running.abort();
            } catch (Throwable thrown) {
                home.events().defect(this, thrown); // nothing of it is listened to any more
            }
        }
    }

    // ---- the end ----

    private void finishWith(Ending newEnding) {
        endedAtNs = System.nanoTime();
        ending = newEnding;
        record.hold(log.tail());
        try {
            appendEnding(newEnding);
        } catch (Throwable thrown) {
            home.events().defect(this, thrown);
            readers.cutAll("defect"); // a body that ended without its last event would look whole
        }
        try {
            home.events().ended(this);
        } catch (Throwable thrown) {
            home.events().defect(this, thrown); // it is over all the same
        }
        description = describe();
        request = null;
        putOnRecord();
        if (unwanted) {
            if (!handedOver) {
                leaveNothing();
            }
            return;
        }
        readers.pump();
        unwatchIfQuiet();
    }

    /** It was never accepted: it is over, and nothing of it is kept. */
    private void leaveNothing() {
        handedOver = true;
        description = null;
        home.events().evicted(this);
        evict(true);
    }

    private TranscriptMaker.@Nullable Made describe() {
        try {
            TranscriptMaker maker = home.transcriptMaker();
            return transcript == null || maker == null ? null : maker.of(this);
        } catch (Throwable thrown) {
            home.events().defect(this, thrown);
            return null;
        }
    }

    /** On record, the stream goes to disk, where there is one that takes it; until that has answered the memory stays. */
    private void handOver() {
        TranscriptMaker.Made made = description;
        description = null;
        if (handedOver) {
            return;
        }
        handedOver = true;
        if (unwanted) {
            leaveNothing();
            return;
        }
        try {
            if (transcript != null && made != null && (transcript.finish(made) || transcript.isWriting())) {
                return;
            }
        } catch (Throwable thrown) {
            home.events().defect(this, thrown);
        }
        home.retained().keep(this);
    }

    /** The transcript is on disk, or will not be. */
    void onTranscript() {
        if (archived() != null) {
            try {
                home.events().archived(this);
            } catch (Throwable thrown) {
                home.events().defect(this, thrown);
            }
        }
        if (unwanted) {
            leaveNothing();
        } else {
            home.retained().keep(this);
        }
    }

    private void putOnRecord() {
        boolean waits = false;
        try {
            waits = home.events().record(this);
        } catch (Throwable thrown) {
            home.events().defect(this, thrown);
        }
        if (!waits) {
            onRecorded();
        }
    }

    private void appendEnding(Ending newEnding) {
        FrameWriter frames = home.frames();
        ApiError error = newEnding.error();
        if (newEnding.output() != null) {
            frames.event(log.events() + 1, "end", StreamJson.end(this, newEnding));
            if (store(frames)) {
                return;
            }
            ending = Ending.failed(StreamJson.TRANSCRIPT_MEMORY); // vectors may be large; no other ending is
            error = StreamJson.TRANSCRIPT_MEMORY;
        }
        frames.event(
                log.events() + 1,
                error == null ? "end" : "error",
                error == null ? StreamJson.end(this, newEnding) : StreamJson.error(error));
        log.appendTerminal(frames.bytes(), frames.length());
    }

    /**
     * Lets go of the transcript: nobody can come to read it any more. Called by {@link RetainedStreams}.
     *
     * @param now cut who still reads it, because a task that runs needs the memory; else they get all of it first
     * @return whether its memory has been given back; if not, {@link RetainedStreams#released} tells
     */
    boolean evict(boolean now) {
        evicted = true;
        if (archived() != null) {
            log.release(); // who reads goes on from the disk
            unwatchIfQuiet();
            return true;
        }
        if (now) {
            readers.cutAll("evicted");
        }
        return releaseIfUnread();
    }

    private boolean releaseIfUnread() {
        if (!evicted || !readers.isEmpty()) {
            return false;
        }
        home.unwatch(this);
        home.retained().released(this);
        log.release();
        if (transcript != null) {
            transcript.abandon();
        }
        return true;
    }

    // ---- readers ----

    /**
     * Adds a reader.
     *
     * @param connection its connection
     * @param lastEventId the last event that it has, 0 for none
     * @return null where it reads from now on; else why it can't
     */
    public @Nullable ApiError attach(ReaderConnection connection, int lastEventId) {
        ApiError refused = refusal(lastEventId);
        if (refused != null) {
            return refused;
        }
        Ending over = ending;
        if (lost && over != null && over.error() != null) {
            LostStream.answer(home, connection, lastEventId, over.error());
            return null;
        }
        if (dispatch != null) {
            record.expose();
        }
        home.watch(this);
        String comment = "";
        Admission at = admission;
        if (log.events() == 0 && at != null) {
            comment = dispatch == null ? StreamJson.queuedComment(at) : "waiting";
        }
        pulse.restart();
        int next = lastEventId + 1;
        if (transcript != null && transcript.has(next) && next <= log.eventsDropped()) {
            readers.attach(connection, transcript.startOf(transcript.partOf(next)), next, comment);
        } else {
            readers.attach(connection, log.offsetOf(next), 0, comment);
        }
        return null;
    }

    /** Why a reader that has {@code lastEventId} would not be attached; null where it would. */
    public @Nullable ApiError refusal(int lastEventId) {
        if (evicted && archived() == null) {
            return ApiError.of(ErrorCode.NOT_FOUND, "The transcript of this task was just evicted; it is gone.");
        }
        if (recovered) {
            return lost
                    ? null
                    : ApiError.of(
                            ErrorCode.NOT_FOUND,
                            "The transcript of this task was lost when the daemon started again; GET /v1/tasks/{id} tells"
                                    + " how it ended.");
        }
        return lastEventId > log.events() ? beyond(lastEventId, log.events()) : null;
    }

    /** What a reader is told that has an event which the stream has not. */
    public static ApiError beyond(int lastEventId, int events) {
        return ApiError.of(
                ErrorCode.INVALID_PARAMS,
                "Last-Event-ID " + lastEventId + " is beyond the newest event, " + events
                        + "; leave the header out to read from the start.",
                "Last-Event-ID",
                Integer.toString(lastEventId));
    }

    /** A reader's connection has gone. */
    public void connectionClosed(ReaderConnection connection) {
        readers.closed(connection);
    }

    /** A reader has all. */
    void readerDone(StreamReader reader) {
        readers.leave(reader);
    }

    /** What a reader was sent last is in the kernel. */
    void readerDelivered(StreamReader reader) {
        if (sealWaiters != null) {
            finishSealIfQuiet();
        } else {
            reader.pump();
        }
    }

    /** What a reader is to be sent next cannot be read from the disk. */
    void readerUnreadable(StreamReader reader) {
        readers.unreadable(reader);
    }

    /** A reader threw. */
    void readerFailed(StreamReader reader, Throwable thrown) {
        readers.failed(reader, thrown);
    }

    /** Called by the {@link ReaderSet}, whatever the reader left for. */
    void onReaderLeft() {
        if (sealWaiters != null) {
            finishSealIfQuiet();
        } else if (ending == null && readers.isEmpty()) {
            onLastReaderLeft();
        }
        unwatchIfQuiet();
        releaseIfUnread();
    }

    private void onLastReaderLeft() {
        if (info.detached()) {
            return;
        }
        StreamSettings settings = home.settings();
        long graceMs =
                info.priority() == Priority.INTERACTIVE ? settings.interactiveGraceMs() : settings.batchGraceMs();
        if (graceMs == 0) {
            cancel("disconnect", () -> {});
        } else if (graceMs > 0) {
            long leftAtNs = System.nanoTime();
            lastReaderLeftAtNs = leftAtNs; // a reader that comes back and leaves again has a grace of its own
            home.eventLoop()
                    .schedule(
                            () -> {
                                if (ending == null && readers.isEmpty() && lastReaderLeftAtNs == leftAtNs) {
                                    cancel("disconnect", () -> {});
                                }
                            },
                            graceMs,
                            TimeUnit.MILLISECONDS);
        }
    }

    private void unwatchIfQuiet() {
        if (readers.isEmpty() && (ending != null || dispatch == null)) {
            home.unwatch(this);
        }
    }

    // ---- the clock ----

    /** About once a second while it runs or has readers. */
    void onTick(long nowNs) {
        try {
            tick(nowNs);
        } catch (Throwable thrown) {
            onDefect(thrown);
        }
    }

    private void tick(long nowNs) {
        StreamSettings settings = home.settings();
        long stallNs = TimeUnit.MILLISECONDS.toNanos(settings.readerStallMs());
        readers.cutStuck(nowNs, stallNs, ending == null ? settings.readerLagBytes() : Long.MAX_VALUE);
        if (ending == null && sealWaiters == null) {
            pulse.tick(nowNs);
        }
    }
}
