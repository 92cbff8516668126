package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.DurableFiles;
import io.llamaorch.orchestratord.artifacts.json.CanonicalJson;
import io.llamaorch.orchestratord.artifacts.json.MalformedJson;
import io.llamaorch.orchestratord.contracts.artifact.ArtifactKind;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * References on disk: one small file each, canonical JSON and a line with its SHA-256, so that damage shows.
 *
 * <p>Blocks; any thread; two calls about one reference must not overlap.
 */
final class RefFolder {
    private static final int OWNER_DIGITS = 16;
    private static final int FILE_BYTES_MAX = 64 << 10;
    private static final int FANS = 256;

    private final Disk disk;
    private final DurableFiles files;
    private final Path refs;
    private final Path quarantine;

    private RefFolder(Disk disk, DurableFiles files, Path root) {
        this.disk = disk;
        this.files = files;
        this.refs = root.resolve("refs");
        this.quarantine = root.resolve("quarantine");
    }

    static RefFolder open(Disk disk, DurableFiles files, Path root) throws IOException {
        RefFolder folder = new RefFolder(disk, files, root);
        FileBlobStore.makeFans(disk, folder.refs);
        disk.syncFolder(root);
        return folder;
    }

    /** The owner's name is hashed: it may hold what a file's name may not. */
    private Path path(Digest digest, String owner) {
        String who = Digest.of(ByteBuffer.wrap(owner.getBytes(StandardCharsets.UTF_8)))
                .hex();
        return refs.resolve(digest.fan()).resolve(digest.hex() + '-' + who.substring(0, OWNER_DIGITS));
    }

    void write(ArtifactRef ref) throws IOException {
        files.write(path(ref.digest(), ref.owner()), encode(ref));
    }

    boolean delete(ArtifactRef ref) throws IOException {
        return files.delete(path(ref.digest(), ref.owner()));
    }

    /**
     * Reads all references.
     *
     * @param damaged told of each file that is none; it has been set aside
     */
    void load(Consumer<ArtifactRef> found, Consumer<String> damaged) throws IOException {
        for (int i = 0; i < FANS; i++) {
            Path fan = refs.resolve(FileBlobStore.fan(i));
            for (String name : disk.list(fan)) {
                ArtifactRef ref = read(fan.resolve(name));
                if (ref != null && path(ref.digest(), ref.owner()).equals(fan.resolve(name))) {
                    found.accept(ref);
                } else {
                    disk.rename(fan.resolve(name), quarantine.resolve(name));
                    damaged.accept(name);
                }
            }
        }
    }

    private @Nullable ArtifactRef read(Path path) throws IOException {
        ByteBuffer bytes;
        try (Disk.File file = disk.open(path)) {
            if (file.size() > FILE_BYTES_MAX) {
                return null;
            }
            bytes = ByteBuffer.allocate((int) file.size());
            DurableFiles.readFully(file, bytes, 0);
        } catch (EOFException e) {
            return null;
        }
        return decode(bytes.flip());
    }

    static ByteBuffer encode(ArtifactRef ref) {
        Map<String, Object> tree = new TreeMap<>();
        tree.put("sha256", ref.digest().hex());
        tree.put("owner", ref.owner());
        tree.put("kind", ref.kind().wireName());
        tree.put("media_type", ref.mediaType());
        tree.put("bytes", (double) ref.bytes());
        tree.put("created_ms", (double) ref.createdMs());
        tree.put("tags", ref.tags());
        Digest parent = ref.parent();
        if (parent != null) {
            tree.put("parent", parent.hex());
        }
        tree.put("pinned", ref.pinned());
        byte[] json = CanonicalJson.write(tree);
        String sum = Digest.of(ByteBuffer.wrap(json)).hex();
        byte[] tail = ('\n' + sum + '\n').getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(json.length + tail.length)
                .put(json)
                .put(tail)
                .flip();
    }

    static @Nullable ArtifactRef decode(ByteBuffer bytes) {
        int jsonBytes = bytes.remaining() - 66; // LF, 64 digits, LF
        if (jsonBytes <= 0) {
            return null;
        }
        byte[] tail = new byte[66];
        bytes.get(jsonBytes, tail);
        ByteBuffer json = bytes.slice(0, jsonBytes);
        String sum = '\n' + Digest.of(json.duplicate()).hex() + '\n';
        if (!sum.equals(new String(tail, StandardCharsets.ISO_8859_1))) {
            return null;
        }
        try {
            return fromTree((Map<?, ?>) CanonicalJson.parse(json));
        } catch (MalformedJson | ClassCastException | IllegalArgumentException | NullPointerException e) {
            return null; // the sum is right and the content is not: another version's, or made by hand
        }
    }

    @SuppressWarnings("NullAway") // absent members end in a NullPointerException, which decode takes for damage
    private static ArtifactRef fromTree(Map<?, ?> tree) {
        List<String> tags = new ArrayList<>();
        for (Object tag : (List<?>) tree.get("tags")) {
            tags.add((String) tag);
        }
        Object parent = tree.get("parent");
        ArtifactKind kind = ArtifactKind.fromWire((String) tree.get("kind"));
        if (kind == null) {
            throw new IllegalArgumentException("unknown kind");
        }
        return new ArtifactRef(
                new Digest((String) tree.get("sha256")),
                (String) tree.get("owner"),
                kind,
                (String) tree.get("media_type"),
                ((Double) tree.get("bytes")).longValue(),
                ((Double) tree.get("created_ms")).longValue(),
                List.copyOf(tags),
                parent == null ? null : new Digest((String) parent),
                (Boolean) tree.get("pinned"));
    }
}
