package io.llamaorch.orchestratord.artifacts.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.artifacts.disk.FaultyDisk;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Seeded interleavings of puts, parents, pins, time, removals, faults and restarts against a model of a few lines. */
@NullUnmarked
class ArtifactModelTest {
    private static final List<String> OWNERS = List.of("ann", "bob");
    private static final List<FaultyDisk.Fault> FAULTS = List.of(FaultyDisk.Fault.values());
    private static final int CONTENTS = 12;
    private static final long RETENTION_MS = 1000;

    @TempDir
    private Path temp;

    /** What the model knows of a reference. */
    private record Known(long createdMs, @Nullable String parent, boolean pinned) {}

    private final TreeMap<String, Known> model = new TreeMap<>(); // owner/content

    private static String text(int content) {
        return "content " + content + " ".repeat(content);
    }

    /** Marks from the roots: the young and the pinned; all that they come from stays. */
    private void collectModel(long nowMs) {
        Set<String> kept = new HashSet<>();
        model.forEach((key, known) -> {
            if (known.pinned() || nowMs - known.createdMs() < RETENTION_MS) {
                String owner = key.substring(0, 3);
                for (String at = key; at != null && kept.add(at); ) {
                    String parent = model.get(at).parent();
                    at = parent == null ? null : owner + "/" + parent;
                }
            }
        });
        model.keySet().retainAll(kept);
    }

    private void compare(StoreProbe probe, boolean bytes) {
        for (String owner : OWNERS) {
            for (int i = 0; i < CONTENTS; i++) {
                ArtifactRef ref = probe.store().lookup(owner, StoreProbe.digest(text(i)), false);
                Known known = model.get(owner + "/" + text(i));
                assertThat(ref != null).as(owner + " " + i).isEqualTo(known != null);
                if (ref != null) {
                    assertThat(ref.createdMs()).isEqualTo(known.createdMs());
                    assertThat(ref.pinned()).isEqualTo(known.pinned());
                    if (bytes) {
                        assertThat(probe.get(owner, ref.digest())).isEqualTo(text(i));
                    }
                }
            }
        }
        assertThat(probe.store().count()).isEqualTo(model.size());
        assertThat(probe.defects).isEmpty();
        assertThat(probe.corrupt).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldDoAsTheModelDoes(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        FaultyDisk disk = new FaultyDisk();
        try (StoreProbe probe = new StoreProbe(disk, StoreProbe.settings(temp.resolve("s" + seed)))) {
            for (int step = 0; step < 400; step++) {
                String owner = OWNERS.get(random.nextInt(OWNERS.size()));
                int content = random.nextInt(CONTENTS);
                String key = owner + "/" + text(content);
                switch (random.nextInt(10)) {
                    case 0, 1, 2, 3 -> put(probe, random, owner, content);
                    case 4 -> {
                        disk.failAt(1 + random.nextInt(14), FAULTS.get(random.nextInt(FAULTS.size())));
                        put(probe, random, owner, content);
                        disk.disarm();
                    }
                    case 5 -> probe.nowMs.addAndGet(random.nextInt(400));
                    case 6 -> {
                        boolean pinned = random.nextBoolean();
                        ApiError error = probe.pin(owner, text(content), pinned).error();
                        Known known = model.get(key);
                        assertThat(error == null).isEqualTo(known != null);
                        if (known != null) {
                            model.put(key, new Known(known.createdMs(), known.parent(), pinned));
                        }
                    }
                    case 7, 8 -> {
                        probe.collect();
                        collectModel(probe.nowMs.get());
                    }
                    default -> {
                        if (random.nextInt(4) == 0) {
                            probe.restart();
                            // What was refused after its rename may have come back: never torn, and collected in time.
                            adopt(probe);
                        }
                    }
                }
                compare(probe, step % 20 == 0);
            }
            probe.nowMs.addAndGet(10 * RETENTION_MS);
            model.replaceAll((key, known) -> new Known(known.createdMs(), known.parent(), false));
            for (String owner : OWNERS) {
                for (int i = 0; i < CONTENTS; i++) {
                    probe.pin(owner, text(i), false);
                }
            }
            probe.collect();
            assertThat(probe.store().count()).isZero();
            assertThat(probe.store().bytes()).isZero();
            assertNoBytesLeft(probe);
        }
    }

    private void adopt(StoreProbe probe) {
        for (String owner : OWNERS) {
            for (int i = 0; i < CONTENTS; i++) {
                ArtifactRef ref = probe.store().lookup(owner, StoreProbe.digest(text(i)), false);
                if (ref != null && !model.containsKey(owner + "/" + text(i))) {
                    assertThat(probe.get(owner, ref.digest())).isEqualTo(text(i));
                    model.put(owner + "/" + text(i), new Known(ref.createdMs(), parentText(ref), ref.pinned()));
                }
            }
        }
    }

    private static @Nullable String parentText(ArtifactRef ref) {
        for (int i = 0; i < CONTENTS; i++) {
            if (StoreProbe.digest(text(i)).equals(ref.parent())) {
                return text(i);
            }
        }
        return null;
    }

    private void put(StoreProbe probe, SplittableRandom random, String owner, int content) {
        // Parents come before their children in the order of contents: as with digests, there is no cycle.
        String parent = random.nextBoolean() && content > 0 ? text(random.nextInt(content)) : null;
        String key = owner + "/" + text(content);
        ArtifactStore.Kept kept = probe.put(owner, text(content), parent == null ? null : StoreProbe.digest(parent));
        boolean known = model.containsKey(key);
        if (kept.error() == null) {
            assertThat(kept.replay()).isEqualTo(known);
            model.putIfAbsent(key, new Known(probe.nowMs.get(), parent, false));
        } else if (probe.failures.isEmpty()) {
            assertThat(parent).isNotNull();
            assertThat(model).doesNotContainKey(owner + "/" + parent);
        }
        probe.failures.clear();
    }

    private static void assertNoBytesLeft(StoreProbe probe) throws Exception {
        HostDisk disk = new HostDisk();
        for (String folder : List.of("blobs", "refs")) {
            Path path = probe.settings.root().resolve(folder);
            for (String fan : disk.list(path)) {
                assertThat(disk.list(path.resolve(fan))).isEmpty();
            }
        }
    }

    /** Puts of the same few contents by two keys, and reads, while a collector removes all that it may. */
    @Test
    void shouldNeverRemoveWhatAPutRelatesTo() throws Exception {
        ArtifactSettings s = StoreProbe.settings(temp.resolve("race"));
        ArtifactSettings eager = new ArtifactSettings(
                s.root(), s.bytesMax(), s.countMax(), s.keyBytesMax(), s.keyCountMax(), 1000, 0, 6, 64, 1 << 20, 16);
        try (StoreProbe probe = new StoreProbe(new HostDisk(), eager)) {
            probe.put("ann", "root", null);
            probe.pin("ann", "root", true);
            AtomicBoolean stop = new AtomicBoolean();
            AtomicInteger wrong = new AtomicInteger();
            Thread collector = new Thread(() -> {
                while (!stop.get()) {
                    probe.collect();
                }
            });
            collector.start();
            CountDownLatch done = new CountDownLatch(3);
            for (int t = 0; t < 3; t++) {
                SplittableRandom random = new SplittableRandom(t);
                String owner = "ann";
                new Thread(() -> {
                            for (int i = 0; i < 150; i++) {
                                String text = "contended " + random.nextInt(3);
                                ArtifactStore.Kept kept = probe.put(owner, text, StoreProbe.digest("root"));
                                String got = probe.get(owner, StoreProbe.digest(text));
                                boolean fine = kept.error() == null
                                        && (got.equals(text) || got.equals("NO_REFERENCE") || got.equals("NOT_FOUND"));
                                wrong.addAndGet(fine ? 0 : 1);
                            }
                            done.countDown();
                        })
                        .start();
            }
            done.await();
            stop.set(true);
            collector.join();
            assertThat(wrong).hasValue(0);
            assertThat(probe.get("ann", StoreProbe.digest("root"))).isEqualTo("root");
            probe.collect();
            assertThat(probe.store().count()).isEqualTo(1);
            assertThat(probe.corrupt).isEmpty();
            assertThat(probe.defects).isEmpty();
            probe.pin("ann", "root", false);
            probe.collect();
            assertNoBytesLeft(probe);
        }
    }
}
