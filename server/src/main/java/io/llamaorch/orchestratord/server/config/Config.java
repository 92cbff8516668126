package io.llamaorch.orchestratord.server.config;

import io.llamaorch.orchestratord.adapters.EngineAuth;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineTls;
import io.llamaorch.orchestratord.adapters.process.CommandTemplate;
import io.llamaorch.orchestratord.adapters.process.RestartPolicy;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.scheduler.core.AccountSpec;
import io.llamaorch.orchestratord.scheduler.core.Accounting;
import io.llamaorch.orchestratord.scheduler.core.BudgetSpec;
import io.llamaorch.orchestratord.scheduler.core.PoolSpec;
import io.llamaorch.orchestratord.scheduler.core.Price;
import io.llamaorch.orchestratord.scheduler.core.RateLimits;
import io.llamaorch.orchestratord.server.auth.Identity;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Everything the daemon is told, checked: ranges and defaults are those of {@link ConfigBinding}, and hold.
 *
 * @param listen where HTTP is served
 * @param stateDir absolute path of what survives a restart
 * @param durability what a 202 promises
 * @param auth who may call
 * @param pools at least one, ids distinct
 * @param outbound where the daemon may connect to
 * @param processes engines that the daemon starts
 * @param http limits on what clients send
 * @param eventLoops I/O threads, 1 … 64
 * @param transport how sockets are driven
 * @param scheduler the ring before the scheduler
 * @param sessions how long sessions are kept, and how many
 * @param limits how fast a key may ask for which nothing else is said
 * @param budgets how much such a key and its sessions may use
 * @param streams limits and periods of streams and transcripts
 * @param ledger where accepted tasks are on record
 * @param artifacts the artifact store
 * @param transcripts the streams of tasks on disk
 * @param shutdown how the daemon stops
 * @param log what is logged, and how
 * @param metrics what {@code /metrics} shows
 * @param gpu how the host's GPUs are watched
 * @param watchdog how threads that must not block are watched
 */
public record Config(
        ListenAddress listen,
        Path stateDir,
        Durability durability,
        Auth auth,
        List<Pool> pools,
        Outbound outbound,
        Processes processes,
        Http http,
        int eventLoops,
        Transport transport,
        Scheduler scheduler,
        Sessions sessions,
        RateLimits limits,
        KeyBudgets budgets,
        Streams streams,
        Ledger ledger,
        Artifacts artifacts,
        Transcripts transcripts,
        Shutdown shutdown,
        Log log,
        Metrics metrics,
        Gpu gpu,
        Watchdog watchdog) {

    /** What a 202 promises. */
    public enum Durability {
        /** The task is on stable storage: it survives the loss of power. */
        SYNC,
        /** The task is in a file, which is brought to stable storage soon: it survives the end of the process. */
        ASYNC,
        /** The task is in memory. */
        OFF
    }

    /**
     * Where accepted tasks are on record.
     *
     * @param queue most admissions that wait to be written
     * @param queueBytes most bytes of their requests
     * @param segmentBytes length of one of its files
     * @param maxBytes most bytes on disk; open and retained tasks may take half of it
     * @param syncPeriodMs under {@link Durability#ASYNC}, longest time from a write to its sync, ms
     */
    public record Ledger(int queue, long queueBytes, int segmentBytes, long maxBytes, int syncPeriodMs) {}

    /**
     * Who may call.
     *
     * @param keys names distinct; empty: only the loopback address may be listened on
     * @param loopbackBypass whether callers from the loopback address need no key although keys exist
     * @param opsRequireKey whether {@code /metrics}, {@code /livez} and {@code /readyz} need a key
     */
    public record Auth(List<ApiKey> keys, boolean loopbackBypass, boolean opsRequireKey) {}

    /**
     * One key.
     *
     * @param name what logs call it
     * @param sha256 SHA-256 of the key's UTF-8 bytes, 64 lower-case hexadecimal digits
     * @param scopes what it may do
     * @param grant what it may use
     */
    public record ApiKey(String name, String sha256, List<Scope> scopes, Grant grant) {}

    /**
     * What stands at one key; null where what stands for all keys holds.
     *
     * @param limits how fast it may ask
     * @param budget how much it may use, over all its tasks
     * @param sessionBudget how much, in each of its sessions
     */
    public record Grant(@Nullable RateLimits limits, @Nullable BudgetSpec budget, @Nullable BudgetSpec sessionBudget) {}

    /**
     * Sessions.
     *
     * @param ttlMs from a session's last use until it is forgotten, ms
     * @param turns most tasks admitted to one, 0: any number
     * @param idleMax most sessions without an open task
     */
    public record Sessions(long ttlMs, int turns, int idleMax) {}

    /**
     * How much may be used.
     *
     * @param key by each key, over all its tasks
     * @param session by each session
     */
    public record KeyBudgets(BudgetSpec key, BudgetSpec session) {}

    /** Who may use how much, and what it costs, for the scheduler. */
    public Accounting accounting() {
        AccountSpec byDefault = new AccountSpec(limits, budgets.key, budgets.session);
        Map<String, AccountSpec> accounts = new HashMap<>();
        for (ApiKey key : auth.keys) {
            Grant grant = key.grant;
            accounts.put(
                    Identity.ofKey(key.name),
                    new AccountSpec(
                            Objects.requireNonNullElse(grant.limits, limits),
                            Objects.requireNonNullElse(grant.budget, budgets.key),
                            Objects.requireNonNullElse(grant.sessionBudget, budgets.session)));
        }
        Map<String, Price> prices = new HashMap<>();
        pools.forEach(pool -> prices.put(pool.id, pool.price));
        return new Accounting(sessions.ttlMs * 1_000_000, sessions.turns, byDefault, accounts, prices);
    }

    /** What a key may do. */
    public enum Scope {
        /** Submit tasks, and see and cancel its own. */
        DATA,
        /** Also see and cancel what other keys made, and operate the daemon. */
        CONTROL
    }

    /**
     * One pool.
     *
     * @param id its name
     * @param engine wire of all its replicas
     * @param model the model it serves
     * @param engineModel the name by which its engines know the model; null: made from {@code model}
     * @param ctx context of one slot, tokens
     * @param queue bounds of its queues
     * @param allowPinning whether requests may pin this pool
     * @param retries times that a task which failed before its first token is tried on another replica
     * @param samplerProfileVersion version set of its sampler; null where none is named
     * @param replicas at least one, ids distinct
     * @param timeouts limits on the engines' silence
     * @param health how its replicas are watched
     * @param access what its engines ask for, and whom to trust there
     * @param price what its tokens cost
     * @param options what only its kind of engine knows
     * @param preload whether a replica decodes one token before it is called ready
     * @param reload how it gets another model
     * @param process how the daemon starts its engines; null: it does not, they are at their URLs
     */
    public record Pool(
            String id,
            EngineKind engine,
            String model,
            @Nullable String engineModel,
            int ctx,
            Queue queue,
            boolean allowPinning,
            int retries,
            @Nullable String samplerProfileVersion,
            List<Replica> replicas,
            Timeouts timeouts,
            Health health,
            EngineAccess access,
            Price price,
            Map<String, String> options,
            boolean preload,
            Reload reload,
            @Nullable Provisioning process) {

        /** The scheduler's view of this pool. */
        public PoolSpec spec() {
            return new PoolSpec(
                    id,
                    engine,
                    model,
                    ctx,
                    queue.capacity,
                    queue.fullPolicy,
                    queue.batchGuard,
                    allowPinning,
                    retries,
                    samplerProfileVersion,
                    replicas.stream()
                            .map(r -> new PoolSpec.ReplicaSpec(r.id, r.slots, r.deviceMask))
                            .toList());
        }
    }

    /**
     * How a pool's replicas are watched.
     *
     * @param periodMs between two probes of one that is well, ms; a quarter of it while it is not
     * @param misses probes in a row without a good answer after which one that was well is down
     * @param breaker when tasks that fail there keep others away
     */
    public record Health(int periodMs, int misses, Breaker breaker) {}

    /**
     * A circuit breaker.
     *
     * @param failures in a row that open it
     * @param waitMs first wait until one task is tried again, ms; it doubles with each failure
     * @param longestWaitMs its limit, ms
     */
    public record Breaker(int failures, long waitMs, long longestWaitMs) {}

    /**
     * What engines ask for.
     *
     * @param auth header with the key; null for none
     * @param tls whom to trust behind https; null: the system's authorities
     */
    public record EngineAccess(@Nullable EngineAuth auth, @Nullable EngineTls tls) {}

    /**
     * How a pool gets another model.
     *
     * @param mode whether engines that the daemon starts are doubled for it
     * @param deadlineMs how long a reload may take where the request does not say, ms
     * @param drainMs how long tasks may go on with the old model, ms
     */
    public record Reload(ReloadMode mode, int deadlineMs, int drainMs) {}

    /** How engines that the daemon starts get another model. */
    public enum ReloadMode {
        /** The new one replaces the old one: no host needs memory for both. */
        STOP_START,
        /** The new one starts beside the old one, which serves until it is there. */
        BLUE_GREEN
    }

    /**
     * How the daemon starts a pool's engines.
     *
     * @param command what is run
     * @param restarts when it is run again
     * @param startTimeoutMs from the start until it must be ready, ms
     * @param stopGraceMs between TERM and KILL, ms
     * @param hangMs how long it may go without a good answer to a probe before it is ended, ms
     * @param zombieMs how long it may run decodes that are not ours before it is ended in an idle moment, ms
     */
    public record Provisioning(
            CommandTemplate command,
            RestartPolicy.Limits restarts,
            long startTimeoutMs,
            long stopGraceMs,
            long hangMs,
            long zombieMs) {}

    /**
     * What all engines share that the daemon starts.
     *
     * @param firstPort of those that they are given
     * @param lastPort the last of them
     * @param logFileBytes size at which an engine's log file is rotated; 0: no log files
     */
    public record Processes(int firstPort, int lastPort, long logFileBytes) {}

    /**
     * A pool's queues.
     *
     * @param capacity most tasks queued, per priority
     * @param fullPolicy what happens to the task that finds its queue full
     * @param batchGuard interactive starts after which one waiting batch task goes first
     */
    public record Queue(int capacity, PoolSpec.FullPolicy fullPolicy, int batchGuard) {}

    /**
     * One engine.
     *
     * @param id its name within the pool
     * @param url base URL; scheme {@code mock} for the built-in engine, {@code http} for all others
     * @param slots decodes at once
     * @param deviceMask devices it runs on, such as {@code 0,1}; null where not said
     */
    public record Replica(String id, URI url, int slots, @Nullable String deviceMask) {}

    /**
     * Where the daemon may connect to.
     *
     * @param allow entries of an {@link OutboundPolicy}; empty: the hosts and schemes that the pools name
     * @param schemes allowed beside them
     */
    public record Outbound(List<String> allow, List<String> schemes) {}

    /**
     * Limits on an engine's silence.
     *
     * @param connectMs on connecting, ms
     * @param firstByteMs from the request to the first byte of the answer's body, prefill included, ms
     * @param idleMs between two reads after that, ms
     * @param probeMs on a whole probe, ms
     */
    public record Timeouts(int connectMs, int firstByteMs, int idleMs, int probeMs) {
        /** As adapters want them. */
        public EngineTimeouts forEngine() {
            return new EngineTimeouts(connectMs, firstByteMs, idleMs, probeMs);
        }
    }

    /**
     * Limits on what clients send.
     *
     * @param requestLineBytes longest request line
     * @param headerLineBytes longest header line
     * @param headerBytes all header lines of a request together
     * @param headerCount most header lines
     * @param bodyBytes longest body
     * @param idleMs a connection without a request is closed after this, ms
     * @param headTimeoutMs from a request's first byte to the end of its header, ms
     * @param bodyTimeoutMs from there to the end of its body, ms
     * @param pipelinedBytes most unanswered bytes read ahead on a connection
     * @param pipelinedRequests most unanswered requests read ahead on a connection
     * @param connections most client connections at once
     */
    public record Http(
            int requestLineBytes,
            int headerLineBytes,
            int headerBytes,
            int headerCount,
            int bodyBytes,
            int idleMs,
            int headTimeoutMs,
            int bodyTimeoutMs,
            int pipelinedBytes,
            int pipelinedRequests,
            int connections) {}

    /** How sockets are driven. */
    public enum Transport {
        /** Epoll where the platform has it, else NIO. */
        AUTO,
        /** Linux epoll, or the start fails. */
        EPOLL,
        /** The JDK's selectors. */
        NIO
    }

    /**
     * The ring before the scheduler.
     *
     * @param ringSize slots, a power of two
     * @param waitStrategy how the scheduler's thread waits
     * @param tickMs longest time between two looks at deadlines, ms
     */
    public record Scheduler(int ringSize, WaitStrategy waitStrategy, int tickMs) {}

    /** How the scheduler's thread waits for events. */
    public enum WaitStrategy {
        /** Parks: next to no CPU while idle. */
        PARKING,
        /** Spins and yields: burns a core. */
        YIELDING,
        /** Spins: burns a core, lowest latency. */
        BUSY_SPIN
    }

    /**
     * Limits and periods of streams.
     *
     * @param heartbeatMs longest silence before a comment line, ms
     * @param metricsPeriodMs between two {@code metrics} events, ms
     * @param readerStallMs a reader that takes nothing for this long is cut, ms
     * @param readerLagBytes a reader this far behind the stream's head is cut
     * @param disconnectGraceMs how long a task outlives its last reader
     * @param retainedTasks ended tasks kept in memory, most
     * @param retainedBytes transcripts kept in memory, most bytes
     * @param retainedMs ended tasks kept in memory, longest, ms
     * @param tokenQueueSlabs buffers of one stream between engine and reader
     */
    public record Streams(
            int heartbeatMs,
            int metricsPeriodMs,
            int readerStallMs,
            long readerLagBytes,
            DisconnectGrace disconnectGraceMs,
            int retainedTasks,
            long retainedBytes,
            long retainedMs,
            int tokenQueueSlabs) {}

    /**
     * How long a task outlives its last reader, by priority.
     *
     * @param interactive ms, −1: for ever
     * @param batch ms, −1: for ever
     */
    public record DisconnectGrace(long interactive, long batch) {

        /** The grace of one priority, ms, −1: for ever. */
        public long of(Priority priority) {
            return priority == Priority.INTERACTIVE ? interactive : batch;
        }
    }

    /**
     * The artifact store.
     *
     * @param root its folder, absolute
     * @param maxBytes all artifacts of all keys together, each counted for each key that keeps it
     * @param maxCount most artifacts of all keys
     * @param keyBytes all artifacts of one key together
     * @param keyCount most artifacts of one key
     * @param blobBytes longest artifact
     * @param documentBytes longest artifact document as sent
     * @param retentionMs age from which one that nothing needs may be removed, ms; −1: never
     * @param gcPeriodMs between two removals, ms
     * @param threads that do its file I/O
     * @param queue most puts and reads that wait or run
     * @param uploadBytes bodies that come in, and those that wait to be stored, together
     * @param reads most downloads at once, each with an open file
     * @param mediaTypes that are taken beside application/json, in lower case
     */
    public record Artifacts(
            Path root,
            long maxBytes,
            int maxCount,
            long keyBytes,
            int keyCount,
            int blobBytes,
            int documentBytes,
            long retentionMs,
            long gcPeriodMs,
            int threads,
            int queue,
            long uploadBytes,
            int reads,
            List<String> mediaTypes) {}

    /**
     * The streams of tasks on disk.
     *
     * @param enabled whether they go there
     * @param root their folder, absolute
     * @param maxBytes of all of them, from which on the oldest goes
     * @param maxCount ended tasks that are known
     * @param retentionMs how long each is known after its end, ms; −1: for ever
     * @param segmentBytes length of a file
     * @param queueBytes that may wait to be written
     * @param threads that read
     * @param prompts whether prompts and inputs are kept in clear
     */
    public record Transcripts(
            boolean enabled,
            Path root,
            long maxBytes,
            int maxCount,
            long retentionMs,
            int segmentBytes,
            long queueBytes,
            int threads,
            boolean prompts) {}

    /**
     * How the daemon stops.
     *
     * @param lameDuckMs between {@code /readyz} turning 503 and refusing tasks, ms
     * @param drainDeadlineMs how long streams may go on after that, ms
     */
    public record Shutdown(int lameDuckMs, int drainDeadlineMs) {}

    /**
     * What is logged.
     *
     * @param level least severe level that is written
     * @param format how a line looks
     * @param ringSize events between the threads that log and the one that writes, a power of two
     * @param access the access log; null for none
     */
    public record Log(LogLevel level, LogFormat format, int ringSize, @Nullable AccessLog access) {}

    /**
     * The access log.
     *
     * @param file absolute path
     * @param fileBytes most bytes of one file
     * @param files how many are kept, at least 1
     * @param queueSize lines between the threads that answer and the one that writes
     */
    public record AccessLog(Path file, long fileBytes, int files, int queueSize) {}

    /** Severity, most severe first. */
    public enum LogLevel {
        OFF,
        ERROR,
        WARN,
        INFO,
        DEBUG,
        TRACE
    }

    /** How a log line looks. */
    public enum LogFormat {
        /** Text on a terminal, else JSON. */
        AUTO,
        /** JSON Lines. */
        JSON,
        /** For people. */
        TEXT
    }

    /**
     * What {@code /metrics} shows.
     *
     * @param jvm whether series of the JVM and the process are there
     */
    public record Metrics(boolean jvm) {}

    /**
     * How the host's GPUs are watched.
     *
     * @param enabled whether they are
     * @param periodMs from one sample to the next, ms
     * @param library NVML's library: a name for the dynamic linker, or an absolute path
     * @param faultClearMs how long a GPU that was faulty must be well before replicas on it are counted on again, ms
     */
    public record Gpu(boolean enabled, int periodMs, String library, long faultClearMs) {}

    /**
     * How threads that must not block are watched.
     *
     * @param blockedMs an event loop or the scheduler that is late by this much is reported, ms
     */
    public record Watchdog(int blockedMs) {}
}
