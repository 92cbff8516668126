package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.artifacts.json.CanonicalJson;
import io.llamaorch.orchestratord.artifacts.json.MalformedJson;
import io.llamaorch.orchestratord.contracts.artifact.ArtifactKind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The schema {@code ArtifactDocument} of {@code contracts/openapi/data.yaml}, read.
 *
 * @param draft what it says of itself
 * @param canonical its canonical form, which is what is stored
 */
@SuppressWarnings("ArrayRecordComponent") // made and used once, never compared
record ArtifactDocument(ArtifactDraft draft, byte[] canonical) {
    private static final String MEDIA_TYPE = "application/json";

    /**
     * Reads one.
     *
     * @param json UTF-8, from position to limit; the position moves
     */
    static ArtifactDocument read(ByteBuffer json) throws MalformedJson {
        Object tree = CanonicalJson.parse(json);
        if (!(tree instanceof Map<?, ?> members)) {
            throw new MalformedJson("", "is not a JSON object");
        }
        ArtifactKind kind = null;
        List<String> tags = List.of();
        Digest parent = null;
        for (Map.Entry<?, ?> member : members.entrySet()) {
            Object value = member.getValue();
            switch (String.valueOf(member.getKey())) {
                case "kind" -> kind = kind(value);
                case "tags" -> tags = tags(value);
                case "parent" -> parent = parent(value);
                case "metadata" -> {
                    if (!(value instanceof Map)) {
                        throw new MalformedJson("/metadata", "must be an object");
                    }
                }
                case "content" -> {
                    // Any value.
                }
                default ->
                    throw new MalformedJson(
                            unknown(String.valueOf(member.getKey())),
                            "is not a known member; remove it or correct its name");
            }
        }
        if (kind == null) {
            throw new MalformedJson("/kind", "is missing; give one of plan, summary, diff, trace, other");
        }
        return new ArtifactDocument(
                new ArtifactDraft(kind, MEDIA_TYPE, tags, parent, false), CanonicalJson.write(tree));
    }

    private static ArtifactKind kind(@Nullable Object value) throws MalformedJson {
        ArtifactKind kind = value instanceof String word ? ArtifactKind.fromWire(word) : null;
        if (kind == null) {
            throw new MalformedJson("/kind", "must be one of plan, summary, diff, trace, other");
        }
        return kind;
    }

    private static List<String> tags(@Nullable Object value) throws MalformedJson {
        if (!(value instanceof List<?> items) || items.size() > ArtifactDraft.TAGS_MAX) {
            throw new MalformedJson("/tags", "must be an array of at most " + ArtifactDraft.TAGS_MAX + " strings");
        }
        List<String> tags = new ArrayList<>();
        for (Object item : items) {
            if (!(item instanceof String tag) || !ArtifactDraft.isTag(tag)) {
                throw new MalformedJson(
                        "/tags/" + tags.size(),
                        "must be 1 to 64 letters, digits or . _ : / -, a letter or digit first");
            }
            tags.add(tag);
        }
        return List.copyOf(tags);
    }

    private static Digest parent(@Nullable Object value) throws MalformedJson {
        Digest parent = value instanceof String id ? Digest.parse(id) : null;
        if (parent == null) {
            throw new MalformedJson("/parent", "must be an artifact's id, sha256: and 64 hexadecimal digits");
        }
        return parent;
    }

    private static String unknown(String name) {
        StringBuilder shown = new StringBuilder("/");
        for (int i = 0; i < Math.min(40, name.length()); i++) {
            char c = name.charAt(i);
            shown.append(c > ' ' && c < 127 && c != '/' && c != '~' ? c : '?');
        }
        return shown.toString();
    }
}
