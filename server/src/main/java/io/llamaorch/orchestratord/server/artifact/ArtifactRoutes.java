package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.store.ArtifactDraft;
import io.llamaorch.orchestratord.artifacts.store.ArtifactReader;
import io.llamaorch.orchestratord.artifacts.store.ArtifactRef;
import io.llamaorch.orchestratord.artifacts.store.ArtifactStore;
import io.llamaorch.orchestratord.artifacts.store.Digest;
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
    private final int stallMs;

    /**
     * The routes.
     *
     * @param stallMs a body that a client does not take for so long is cut off, ms
     */
    public ArtifactRoutes(ArtifactStore store, int stallMs) {
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
        ArtifactRef ref =
                digest == null ? null : store.lookup(exchange.identity().label(), digest, anyOwner);
        if (ref == null) {
            exchange.respondError(ArtifactStore.notFound());
            return;
        }
        if (store.isDamaged(ref.digest())) {
            exchange.respondError(ArtifactStore.damaged());
            return;
        }
        String tag = '"' + ref.digest().id() + '"';
        if (EntityTags.names(exchange.header("If-None-Match"), tag)) {
            exchange.addHeader("ETag", tag).addHeader("Cache-Control", CACHE_CONTROL);
            exchange.respondEmpty(304);
            return;
        }
        if (exchange.head()) {
            describe(exchange, ref, tag).respondHead(200, ContentType.of(ref.mediaType()), ref.bytes());
            return;
        }
        boolean ranged = EntityTags.rangeHolds(exchange.header("If-Range"), tag) && !exchange.headerTwice("Range");
        ByteRange range = ByteRange.of(ranged ? exchange.header("Range") : null, ref.bytes());
        if (range.kind() == ByteRange.Kind.UNSATISFIABLE) {
            exchange.addHeader("Content-Range", "bytes */" + ref.bytes());
            exchange.respondError(ApiError.of(
                    ErrorCode.RANGE_NOT_SATISFIABLE,
                    "The artifact has " + ref.bytes() + " bytes and the range begins behind them; ask for less."));
            return;
        }
        store.open(ref, opened -> {
            ArtifactReader reader = opened.reader();
            boolean reached = onLoop(exchange, () -> opened(exchange, ref, range, opened));
            if (!reached && reader != null) {
                reader.close();
            }
        });
    }

    private void opened(Exchange exchange, ArtifactRef ref, ByteRange range, ArtifactStore.Opened opened) {
        ArtifactReader reader = opened.reader();
        ApiError error = opened.error();
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
        describe(exchange, ref, '"' + ref.digest().id() + '"');
        int status = 200;
        if (range.kind() == ByteRange.Kind.PART) {
            status = 206;
            exchange.addHeader("Content-Range", "bytes " + range.from() + '-' + (range.to() - 1) + '/' + ref.bytes());
        }
        exchange.startBody(status, ContentType.of(ref.mediaType()), range.to() - range.from());
        new BodyPump(exchange, reader, range.from(), range.to(), stallMs).next();
    }

    private static Exchange describe(Exchange exchange, ArtifactRef ref, String tag) {
        exchange.addHeader("ETag", tag)
                .addHeader("Accept-Ranges", "bytes")
                .addHeader("Cache-Control", CACHE_CONTROL)
                .addHeader("X-Content-Type-Options", "nosniff")
                .addHeader(KIND, ref.kind().wireName());
        if (!ref.tags().isEmpty()) {
            exchange.addHeader(TAGS, String.join(",", ref.tags()));
        }
        Digest parent = ref.parent();
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
