package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.store.ArtifactDraft;
import io.llamaorch.orchestratord.artifacts.store.ArtifactRef;
import io.llamaorch.orchestratord.artifacts.store.ArtifactStore;
import io.llamaorch.orchestratord.artifacts.store.Digest;
import io.llamaorch.orchestratord.artifacts.store.SliceReader;
import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.contracts.artifact.ArtifactKind;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.auth.Scope;
import io.llamaorch.orchestratord.server.http.ContentType;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.netty.buffer.ByteBuf;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** {@code /v1/artifacts}: see {@code contracts/specs/artifacts.md}. Each on the asking connection's loop. */
public final class ArtifactRoutes {
    private static final String KIND = "X-Artifact-Kind";
    private static final String TAGS = "X-Artifact-Tags";
    private static final String PARENT = "X-Artifact-Parent";
    private static final String CACHE_CONTROL = "private, no-cache";
    private static final int MEDIA_TYPE_CHARS_MAX = 128;

    private final ArtifactStore store;
    private final @Nullable TranscriptLog transcripts;
    private final int stallMs;

    /**
     * The routes.
     *
     * @param transcripts served beside the store's artifacts; null: there are none
     * @param stallMs a body that a client does not take for so long is cut off, ms
     */
    public ArtifactRoutes(ArtifactStore store, @Nullable TranscriptLog transcripts, int stallMs) {
        this.transcripts = transcripts;
        this.store = store;
        this.stallMs = stallMs;
    }

    /** {@code POST /v1/artifacts}: 201 when it is on disk. */
    public void put(Exchange exchange) {
        String owner = exchange.identity().label();
        String type = exchange.header("Content-Type");
        ByteBuf body = exchange.body().retain();
        Consumer<ArtifactStore.Kept> answer = kept -> {
            body.release();
            onLoop(exchange, () -> kept(exchange, kept));
        };
        boolean handed = false;
        try {
            if (isDocument(type)) {
                store.putDocument(owner, body.nioBuffer(), answer);
                handed = true;
                return;
            }
            Described described = described(exchange, type == null ? "" : type);
            ArtifactDraft draft = described.draft();
            if (draft != null) {
                store.put(owner, draft, body.nioBuffer(), answer);
                handed = true;
            } else if (described.error() != null) {
                exchange.respondError(described.error());
            }
        } finally {
            if (!handed) {
                body.release();
            }
        }
    }

    private static boolean isDocument(@Nullable String type) {
        return type == null || type.toLowerCase(Locale.ROOT).startsWith("application/json");
    }

    /** What the headers say of an upload, or what is wrong with them. */
    private record Described(@Nullable ArtifactDraft draft, @Nullable ApiError error) {
        static Described wrong(String header, String problem) {
            return new Described(
                    null, ApiError.of(ErrorCode.INVALID_PARAMS, header + ' ' + problem + '.', header, "refused"));
        }
    }

    private static Described described(Exchange exchange, String type) {
        for (String header : List.of("Content-Type", KIND, TAGS, PARENT)) {
            if (exchange.headerTwice(header)) {
                return Described.wrong(header, "stands twice; send it once");
            }
        }
        if (type.length() > MEDIA_TYPE_CHARS_MAX || !type.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            return Described.wrong(
                    "Content-Type", "is longer than " + MEDIA_TYPE_CHARS_MAX + " characters or no ASCII");
        }
        String kindWord = exchange.header(KIND);
        ArtifactKind kind = kindWord == null ? ArtifactKind.OTHER : ArtifactKind.fromWire(kindWord);
        if (kind == null) {
            return Described.wrong(KIND, "must be one of plan, summary, diff, trace, other");
        }
        List<String> tags = new ArrayList<>();
        String tagList = exchange.header(TAGS);
        if (tagList != null) {
            for (String tag : tagList.split(",", ArtifactDraft.TAGS_MAX + 1)) {
                tags.add(tag.strip());
            }
            if (tags.size() > ArtifactDraft.TAGS_MAX || !tags.stream().allMatch(ArtifactDraft::isTag)) {
                return Described.wrong(
                        TAGS,
                        "must be at most " + ArtifactDraft.TAGS_MAX
                                + " tags of 1 to 64 letters, digits or . _ : / -, with commas between");
            }
        }
        String parentId = exchange.header(PARENT);
        Digest parent = parentId == null ? null : Digest.parse(parentId);
        if (parentId != null && parent == null) {
            return Described.wrong(PARENT, "must be an artifact's id, sha256: and 64 hexadecimal digits");
        }
        return new Described(new ArtifactDraft(kind, type, List.copyOf(tags), parent, false), null);
    }

    private static void kept(Exchange exchange, ArtifactStore.Kept kept) {
        if (exchange.ended()) {
            return;
        }
        ArtifactRef ref = kept.ref();
        if (ref == null) {
            ApiError error = kept.error();
            exchange.respondError(
                    error == null ? ApiError.of(ErrorCode.INTERNAL, "The artifact store gave no answer.") : error);
            return;
        }
        exchange.addHeader("Location", "/v1/artifacts/" + ref.digest().id());
        if (kept.replay()) {
            exchange.addHeader("Idempotent-Replay", "true");
        }
        exchange.respond(201, json(exchange.json(), ref));
    }

    private static JsonWriter json(JsonWriter json, ArtifactRef ref) {
        json.beginObject()
                .member("id", ref.digest().id())
                .member("kind", ref.kind().wireName())
                .member("media_type", ref.mediaType())
                .member("bytes", ref.bytes())
                .member("created_at", Instant.ofEpochMilli(ref.createdMs()).toString());
        json.name("tags").beginArray();
        ref.tags().forEach(json::value);
        Digest parent = ref.parent();
        return json.endArray()
                .member("parent", parent == null ? null : parent.id())
                .endObject();
    }

    /** {@code GET} and {@code HEAD /v1/artifacts/{id}}. */
    public void get(Exchange exchange) {
        Digest digest = Digest.parse(exchange.id());
        boolean anyOwner = exchange.identity().may(Scope.CONTROL);
        String asker = exchange.identity().label();
        ArtifactRef ref = digest == null ? null : store.lookup(asker, digest, anyOwner);
        ArchivedTask task = digest == null || ref != null ? null : transcript(asker, digest, anyOwner);
        if (ref != null && store.isDamaged(ref.digest())) {
            exchange.respondError(ArtifactStore.damaged());
        } else if (ref != null) {
            serve(exchange, new StoredArtifact(store, ref));
        } else if (task != null && transcripts != null) {
            serve(exchange, new StoredTranscript(transcripts, task));
        } else {
            exchange.respondError(ArtifactStore.notFound());
        }
    }

    private @Nullable ArchivedTask transcript(String asker, Digest digest, boolean anyOwner) {
        ArchivedTask task = transcripts == null ? null : transcripts.find(digest);
        return task != null && (anyOwner || task.owner().equals(asker)) ? task : null;
    }

    private void serve(Exchange exchange, ServedArtifact artifact) {
        String tag = '"' + artifact.digest().id() + '"';
        if (EntityTags.names(exchange.header("If-None-Match"), tag)) {
            exchange.addHeader("ETag", tag).addHeader("Cache-Control", CACHE_CONTROL);
            exchange.respondEmpty(304);
            return;
        }
        if (exchange.head()) {
            describe(exchange, artifact, tag).respondHead(200, ContentType.of(artifact.mediaType()), artifact.bytes());
            return;
        }
        boolean ranged = EntityTags.rangeHolds(exchange.header("If-Range"), tag) && !exchange.headerTwice("Range");
        ByteRange range = ByteRange.of(ranged ? exchange.header("Range") : null, artifact.bytes());
        if (range.kind() == ByteRange.Kind.UNSATISFIABLE) {
            exchange.addHeader("Content-Range", "bytes */" + artifact.bytes());
            exchange.respondError(ApiError.of(
                    ErrorCode.RANGE_NOT_SATISFIABLE,
                    "The artifact has " + artifact.bytes() + " bytes and the range begins behind them; ask for less."));
            return;
        }
        artifact.open((reader, error) -> {
            boolean reached = onLoop(exchange, () -> opened(exchange, artifact, range, reader, error));
            if (!reached && reader != null) {
                reader.close();
            }
        });
    }

    private void opened(
            Exchange exchange,
            ServedArtifact artifact,
            ByteRange range,
            @Nullable SliceReader reader,
            @Nullable ApiError error) {
        if (exchange.ended()) {
            if (reader != null) {
                reader.close();
            }
            return;
        }
        if (reader == null) {
            exchange.respondError(
                    error == null ? ApiError.of(ErrorCode.INTERNAL, "The artifact store gave no answer.") : error);
            return;
        }
        describe(exchange, artifact, '"' + artifact.digest().id() + '"');
        int status = 200;
        if (range.kind() == ByteRange.Kind.PART) {
            status = 206;
            exchange.addHeader(
                    "Content-Range", "bytes " + range.from() + '-' + (range.to() - 1) + '/' + artifact.bytes());
        }
        exchange.startBody(status, ContentType.of(artifact.mediaType()), range.to() - range.from());
        new BodyPump(exchange, reader, range.from(), range.to(), stallMs).next();
    }

    private static Exchange describe(Exchange exchange, ServedArtifact artifact, String tag) {
        exchange.addHeader("ETag", tag)
                .addHeader("Accept-Ranges", "bytes")
                .addHeader("Cache-Control", CACHE_CONTROL)
                .addHeader("X-Content-Type-Options", "nosniff")
                .addHeader(KIND, artifact.kind());
        if (!artifact.tags().isEmpty()) {
            exchange.addHeader(TAGS, String.join(",", artifact.tags()));
        }
        Digest parent = artifact.parent();
        return parent == null ? exchange : exchange.addHeader(PARENT, parent.id());
    }

    /** Goes on where the exchange lives; false where that loop has ended. */
    private static boolean onLoop(Exchange exchange, Runnable step) {
        try {
            exchange.context().channel().eventLoop().execute(step);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }
}
