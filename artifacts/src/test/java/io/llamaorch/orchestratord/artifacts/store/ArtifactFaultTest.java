package io.llamaorch.orchestratord.artifacts.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.artifacts.disk.FaultyDisk;
import io.llamaorch.orchestratord.artifacts.disk.FaultyDisk.Fault;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every call to the disk fails once, in every way: a clear error, and nothing acknowledged that is not there. */
@NullUnmarked
class ArtifactFaultTest {
    private static final String OLD = "kept from before";
    private static final String NEW = "being stored now, a few bytes";

    @TempDir
    private Path temp;

    private static ErrorCode due(Fault fault) {
        return fault == Fault.FULL || fault == Fault.HALF_THEN_FULL ? ErrorCode.STORAGE_FULL : ErrorCode.INTERNAL;
    }

    private void assertSound(StoreProbe probe) throws IOException {
        assertThat(probe.get("ann", StoreProbe.digest(OLD))).isEqualTo(OLD);
        assertThat(probe.defects).isEmpty();
        assertThat(new HostDisk().list(probe.settings.root().resolve("quarantine")))
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void shouldAcknowledgeAPutOnlyWhereItIsThere(Fault fault) throws Exception {
        boolean fired = true;
        int refused = 0;
        for (int n = 1; fired; n++) {
            FaultyDisk disk = new FaultyDisk();
            try (StoreProbe probe = new StoreProbe(disk, StoreProbe.settings(temp.resolve("n" + n)))) {
                probe.put("ann", OLD, null);
                disk.failAt(n, fault);
                ArtifactStore.Kept kept = probe.put("ann", NEW, StoreProbe.digest(OLD));
                fired = disk.disarm();
                ApiError error = kept.error();
                if (error == null) {
                    probe.restart();
                    assertThat(probe.get("ann", StoreProbe.digest(NEW)))
                            .as("call %d", n)
                            .isEqualTo(NEW);
                } else {
                    refused++;
                    assertThat(error.code()).isEqualTo(due(fault));
                    assertThat(probe.failures).containsExactly("put");
                    assertThat(probe.get("ann", StoreProbe.digest(NEW))).isEqualTo("NO_REFERENCE");
                    assertThat(probe.store().count()).isEqualTo(1);
                    if (n % 2 == 0) {
                        probe.restart();
                        assertThat(probe.get("ann", StoreProbe.digest(NEW))).isIn("NO_REFERENCE", NEW);
                    }
                    assertThat(probe.put("ann", NEW, StoreProbe.digest(OLD)).error())
                            .isNull();
                    probe.restart();
                    assertThat(probe.get("ann", StoreProbe.digest(NEW))).isEqualTo(NEW);
                }
                assertSound(probe);
                assertThat(probe.store().count()).isEqualTo(2);
            }
        }
        assertThat(refused).isGreaterThanOrEqualTo(fault == Fault.SHORT ? 0 : 10);
    }

    @ParameterizedTest
    @EnumSource
    void shouldServeRightBytesOrAnError(Fault fault) throws Exception {
        FaultyDisk disk = new FaultyDisk();
        try (StoreProbe probe = new StoreProbe(disk, StoreProbe.settings(temp.resolve("get")))) {
            probe.put("ann", OLD, null);
            boolean fired = true;
            for (int n = 1; fired; n++) {
                disk.failAt(n, fault);
                assertThat(probe.get("ann", StoreProbe.digest(OLD)))
                        .isIn(
                                fault == Fault.SHORT
                                        ? new String[] {OLD}
                                        : new String[] {OLD, "INTERNAL", "READ_FAILED"});
                fired = disk.disarm() && n < 50;
                assertSound(probe);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRemoveNothingThatIsReferencedWhereARemovalFails(Fault fault) throws Exception {
        boolean fired = true;
        // A collection lists 256 folders: the calls of interest are the first few, and those behind the lists.
        for (int n = 1; fired && n < 12; n++) {
            FaultyDisk disk = new FaultyDisk();
            try (StoreProbe probe = new StoreProbe(disk, StoreProbe.settings(temp.resolve("c" + n)))) {
                probe.put("ann", "root", null);
                probe.put("ann", "leaf", StoreProbe.digest("root"));
                probe.put("ann", "twig", StoreProbe.digest("root"));
                probe.nowMs.addAndGet(500);
                probe.put("ann", OLD, null);
                probe.nowMs.addAndGet(600);
                disk.failAt(n, fault);
                probe.collect();
                fired = disk.disarm();
                boolean children = probe.store().lookup("ann", StoreProbe.digest("leaf"), false) != null
                        || probe.store().lookup("ann", StoreProbe.digest("twig"), false) != null;
                if (children) {
                    assertThat(probe.get("ann", StoreProbe.digest("root"))).isEqualTo("root");
                }
                probe.restart();
                probe.collect();
                assertSound(probe);
                assertThat(probe.store().count()).isEqualTo(1);
                assertThat(probe.store().bytes()).isEqualTo(OLD.length());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldStartOrRefuseAndLoseNothing(Fault fault) throws Exception {
        FaultyDisk disk = new FaultyDisk();
        ArtifactSettings settings = StoreProbe.settings(temp.resolve("start"));
        try (StoreProbe probe = new StoreProbe(disk, settings)) {
            probe.put("ann", OLD, null);
        }
        boolean fired = true;
        for (int n = 1; fired; n += n < 24 ? 1 : 173) {
            disk.failAt(n, fault);
            try (StoreProbe probe = new StoreProbe(disk, settings)) {
                disk.disarm();
                assertThat(probe.get("ann", StoreProbe.digest(OLD))).isEqualTo(OLD);
            } catch (FolderRefused e) {
                assertThat(e).hasMessageContaining("artifacts.root");
            }
            fired = disk.disarm();
        }
        try (StoreProbe probe = new StoreProbe(disk, settings)) {
            assertSound(probe);
        }
    }
}
