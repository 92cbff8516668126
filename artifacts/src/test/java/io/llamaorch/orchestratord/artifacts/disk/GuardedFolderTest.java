package io.llamaorch.orchestratord.artifacts.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class GuardedFolderTest {
    @TempDir
    private Path temp;

    private final Disk disk = new HostDisk();

    @Test
    void shouldMakeAFolderOfItsOwnAndTakeItAgain() throws Exception {
        Path folder = temp.resolve("deep/state");
        for (int i = 0; i < 2; i++) {
            GuardedFolder.open(disk, folder, "state_dir", 1).close();
            assertThat(folder.resolve("FORMAT")).hasContent("1");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void shouldRefuseAFolderOfSomebodyElseAndLeaveItAlone() throws IOException {
        Files.writeString(temp.resolve("thesis.tex"), "x");
        assertThatThrownBy(() -> GuardedFolder.open(disk, temp, "state_dir", 1))
                .isInstanceOf(FolderRefused.class)
                .hasMessageContaining("no FORMAT")
                .hasMessageContaining("state_dir");
        assertThat(disk.list(temp)).containsExactly("thesis.tex");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "one", "1.5", "-1", "0", "01", "99999999999"})
    void shouldRefuseAFormatThatIsNoNumber(String text) throws IOException {
        Files.writeString(temp.resolve("FORMAT"), text);
        assertThatThrownBy(() -> GuardedFolder.open(disk, temp, "state_dir", 1))
                .isInstanceOf(FolderRefused.class)
                .hasMessageContaining("no number");
        assertThat(temp.resolve("FORMAT")).hasContent(text);
    }

    @Test
    void shouldRefuseANewerFormat() throws IOException {
        Files.writeString(temp.resolve("FORMAT"), "2\n");
        assertThatThrownBy(() -> GuardedFolder.open(disk, temp, "state_dir", 1))
                .isInstanceOf(FolderRefused.class)
                .hasMessageContaining("format 2");
        assertThat(disk.list(temp)).containsExactly("FORMAT");
    }

    @Test
    void shouldRefuseAFolderThatIsInUse() throws Exception {
        GuardedFolder first = GuardedFolder.open(disk, temp, "state_dir", 1);
        assertThatThrownBy(() -> GuardedFolder.open(disk, temp, "state_dir", 1))
                .isInstanceOf(FolderRefused.class)
                .hasMessageContaining("in use");
        first.close();
        GuardedFolder.open(disk, temp, "state_dir", 1).close();
    }

    @Test
    void shouldRefuseWhatIsNoFolder() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "x");
        assertThatThrownBy(() -> GuardedFolder.open(disk, file, "state_dir", 1)).isInstanceOf(FolderRefused.class);
        assertThat(file).hasContent("x");
    }

    /** After any failure the next start works: a half-made folder is not one of somebody else. */
    @ParameterizedTest
    @EnumSource
    void shouldStartAfterAnyFailureOfTheFirstStart(FaultyDisk.Fault fault) throws Exception {
        boolean fired = true;
        for (int n = 1; fired; n++) {
            Path folder = temp.resolve("n" + n);
            FaultyDisk faulty = new FaultyDisk();
            faulty.failAt(n, fault);
            try {
                GuardedFolder.open(faulty, folder, "state_dir", 1).close();
            } catch (FolderRefused e) {
                assertThat(e).hasMessageContaining(folder.toString());
            }
            fired = faulty.disarm();
            GuardedFolder.open(disk, folder, "state_dir", 1).close();
            assertThat(folder.resolve("FORMAT")).hasContent("1");
        }
    }
}
