package io.llamaorch.orchestratord.artifacts.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rules of {@code contracts/specs/artifacts.md}, one by one. */
@NullUnmarked
class ArtifactStoreTest {
    @TempDir
    private Path temp;

    private StoreProbe probe;

    @BeforeEach
    void open() throws FolderRefused {
        probe = new StoreProbe(new HostDisk(), StoreProbe.settings(temp.resolve("store")));
    }

    @AfterEach
    void close() {
        probe.close();
        assertThat(probe.defects).isEmpty();
    }

    private Path blob(String text) {
        Digest digest = StoreProbe.digest(text);
        return probe.settings.root().resolve("blobs").resolve(digest.fan()).resolve(digest.hex());
    }

    private static String label(ArtifactStore.Kept kept) {
        ApiError error = kept.error();
        return error == null ? "kept" : error.code() + " " + error.policyLabel();
    }

    @Test
    void shouldGiveDocumentsThatMeanTheSameOneId() {
        ArtifactStore.Kept first = probe.document("ann", "{\"kind\":\"plan\",\"content\":{\"b\":1.0,\"a\":[]}}");
        ArtifactStore.Kept second = probe.document("ann", " {\"content\":{\"a\":[ ],\"b\":1},\"kind\":\"plan\"}");
        assertThat(first.replay()).isFalse();
        assertThat(second.replay()).isTrue();
        assertThat(second.ref()).isEqualTo(first.ref());
        assertThat(first.ref().digest())
                .isEqualTo(StoreProbe.digest("{\"content\":{\"a\":[],\"b\":1},\"kind\":\"plan\"}"));
    }

    @Test
    void shouldRefuseDocumentsByTheMemberAtFault() {
        String[][] cases = {
            {"[]", "The body"},
            {"{}", "/kind"},
            {"{\"kind\":\"poem\"}", "/kind"},
            {"{\"kind\":\"plan\",\"tags\":[\"a\",\"b c\"]}", "/tags/1"},
            {"{\"kind\":\"plan\",\"tags\":{}}", "/tags"},
            {"{\"kind\":\"plan\",\"parent\":\"sha256:00\"}", "/parent"},
            {"{\"kind\":\"plan\",\"metadata\":1}", "/metadata"},
            {"{\"kind\":\"plan\",\"contents\":1}", "/contents"},
            {"{\"kind\":\"plan\",\"kind\":\"plan\"}", "/kind"},
            {"{\"kind\":\"plan\",\"content\":[12345678901234567890]}", "/content/0"},
        };
        for (String[] one : cases) {
            ApiError error = probe.document("ann", one[0]).error();
            assertThat(error).as(one[0]).isNotNull();
            assertThat(error.code()).isEqualTo(ErrorCode.INVALID_PARAMS);
            assertThat(error.message()).startsWith(one[1] + " ");
        }
        assertThat(label(probe.document("ann", " ".repeat(1 << 17)))).isEqualTo("PAYLOAD_TOO_LARGE document_bytes");
        assertThat(probe.store().count()).isZero();
    }

    @Test
    void shouldKeepOneCopyAndTellNobodyOfAnothers() throws IOException {
        probe.put("ann", "same", null);
        assertThat(probe.get("bob", StoreProbe.digest("same"))).isEqualTo("NO_REFERENCE");
        ArtifactStore.Kept second = probe.put("bob", "same", null);
        assertThat(second.replay()).isFalse();
        assertThat(probe.get("bob", StoreProbe.digest("same"))).isEqualTo("same");
        assertThat(probe.store().count()).isEqualTo(2);
        assertThat(probe.store().bytes()).isEqualTo(4);
        assertThat(new HostDisk().list(blob("same").getParent())).hasSize(1);
        assertThat(probe.store().lookup("ops", StoreProbe.digest("same"), true).owner())
                .isEqualTo("ann");
    }

    @Test
    void shouldRefuseAParentThatIsNotOfTheSameKey() {
        probe.put("ann", "root", null);
        assertThat(label(probe.put("bob", "leaf", StoreProbe.digest("root")))).startsWith("INVALID_PARAMS");
        assertThat(label(probe.put("ann", "leaf", StoreProbe.digest("leaf")))).startsWith("INVALID_PARAMS");
        assertThat(label(probe.put("ann", "leaf", StoreProbe.digest("root")))).isEqualTo("kept");
    }

    @Test
    void shouldCountQuotasByReferenceAndGiveThemBack() throws FolderRefused {
        probe.close();
        ArtifactSettings s = probe.settings;
        probe = new StoreProbe(new HostDisk(), new ArtifactSettings(s.root(), 20, 4, 10, 2, 1000, 0, 2, 64, 1000, 4));
        assertThat(label(probe.put("ann", "12345678901", null))).isEqualTo("STORAGE_FULL key_bytes");
        assertThat(label(probe.put("ann", "1", null))).isEqualTo("kept");
        assertThat(label(probe.put("ann", "12", null))).isEqualTo("kept");
        assertThat(label(probe.put("ann", "123", null))).isEqualTo("STORAGE_FULL key_count");
        assertThat(label(probe.put("ann", "12", null))).isEqualTo("kept");
        assertThat(label(probe.put("bob", "1234567890", null))).isEqualTo("kept");
        assertThat(label(probe.put("cyd", "12345678", null))).isEqualTo("STORAGE_FULL max_bytes");
        assertThat(label(probe.put("cyd", "1", null))).isEqualTo("kept");
        assertThat(label(probe.put("cyd", "2", null))).isEqualTo("STORAGE_FULL max_count");
        probe.restart();
        assertThat(label(probe.put("cyd", "2", null))).isEqualTo("STORAGE_FULL max_count");
        assertThat(probe.collect()).isEqualTo(4);
        assertThat(label(probe.put("ann", "1234567890", null))).isEqualTo("kept");
    }

    @Test
    void shouldNeverServeDamagedBytesAndTakeThemAnew() throws IOException {
        probe.put("ann", "precious", null);
        probe.put("bob", "precious", null);
        Files.writeString(blob("precious"), "preciouS");
        Digest digest = StoreProbe.digest("precious");
        assertThat(probe.get("ann", digest)).isEqualTo("NOT_FOUND");
        assertThat(probe.get("bob", digest)).isEqualTo("NOT_FOUND");
        assertThat(probe.corrupt).containsExactly(digest);
        assertThat(probe.settings.root().resolve("quarantine").resolve(digest.hex()))
                .hasContent("preciouS");
        assertThat(probe.put("bob", "precious", null).replay()).isTrue();
        assertThat(probe.get("ann", digest)).isEqualTo("precious");
    }

    @Test
    void shouldTellAtStartWhatIsGoneOrDamaged() throws IOException, FolderRefused {
        probe.put("ann", "gone", null);
        probe.put("ann", "here", null);
        Files.delete(blob("gone"));
        Path ref;
        try (var refs = Files.walk(probe.settings.root().resolve("refs"))) {
            ref = refs.filter(path -> path.getFileName()
                            .toString()
                            .startsWith(StoreProbe.digest("here").hex()))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(ref);
        bytes[3] ^= 1;
        Files.write(ref, bytes);
        Files.writeString(probe.settings.root().resolve("tmp").resolve("left"), "over");
        probe.restart();
        assertThat(probe.corrupt).containsExactly(StoreProbe.digest("gone"));
        assertThat(probe.failures).containsExactly("read_reference");
        assertThat(probe.get("ann", StoreProbe.digest("gone"))).isEqualTo("NOT_FOUND");
        assertThat(probe.get("ann", StoreProbe.digest("here"))).isEqualTo("NO_REFERENCE");
        assertThat(new HostDisk().list(probe.settings.root().resolve("tmp"))).isEmpty();
    }

    @Test
    void shouldRemoveWhatIsOldFromTheLeavesUp() {
        probe.put("ann", "root", null);
        probe.put("ann", "middle", StoreProbe.digest("root"));
        probe.put("ann", "pinned", null);
        probe.pin("ann", "pinned", true);
        probe.nowMs.addAndGet(900);
        probe.put("ann", "young", StoreProbe.digest("middle"));
        probe.nowMs.addAndGet(200);
        assertThat(probe.collect()).isZero();
        probe.nowMs.addAndGet(900);
        assertThat(probe.collect()).isEqualTo(3);
        assertThat(probe.get("ann", StoreProbe.digest("pinned"))).isEqualTo("pinned");
        assertThat(probe.pin("ann", "pinned", false).ref().pinned()).isFalse();
        assertThat(probe.collect()).isEqualTo(1);
        assertThat(probe.store().bytes()).isZero();
        assertThat(label(probe.pin("ann", "pinned", true))).startsWith("NOT_FOUND");
    }

    @Test
    void shouldServeAReadThatBeganToItsEnd() {
        probe.put("ann", "to be removed", null);
        ArtifactRef ref = probe.store().lookup("ann", StoreProbe.digest("to be removed"), false);
        ArtifactStore.Opened opened = StoreProbe.await(answer -> probe.store().open(ref, answer));
        probe.nowMs.addAndGet(5000);
        assertThat(probe.collect()).isEqualTo(1);
        assertThat(blob("to be removed")).doesNotExist();
        ByteBuffer into = ByteBuffer.allocate(7);
        Boolean read =
                StoreProbe.await(answer -> opened.reader().read(6, into, failure -> answer.accept(failure == null)));
        assertThat(read).isTrue();
        assertThat(new String(into.array(), StandardCharsets.UTF_8)).isEqualTo("removed");
        opened.reader().close();
    }

    @Test
    void shouldRefuseWhatTheQueueAndTheReadsHaveNoRoomFor() throws Exception {
        probe.put("ann", "one", null);
        ArtifactRef ref = probe.store().lookup("ann", StoreProbe.digest("one"), false);
        List<ArtifactReader> readers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            ArtifactStore.Opened opened =
                    StoreProbe.await(answer -> probe.store().open(ref, answer));
            readers.add(opened.reader());
        }
        ArtifactStore.Opened fifth = StoreProbe.await(answer -> probe.store().open(ref, answer));
        assertThat(fifth.error().policyLabel()).isEqualTo("artifact_reads");
        assertThat(fifth.error().retryAfterMs()).isPositive();
        CountDownLatch hold = new CountDownLatch(1);
        for (int i = 0; i < 2; i++) { // both threads are busy
            readers.get(i).read(0, ByteBuffer.allocate(1), failure -> {
                try {
                    hold.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        List<String> answers = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch all = new CountDownLatch(70);
        for (int i = 0; i < 70; i++) {
            probe.store().put("ann", StoreProbe.draft(null), StoreProbe.bytes("n" + i), kept -> {
                answers.add(label(kept));
                all.countDown();
            });
        }
        assertThat(answers).hasSize(6).containsOnly("ADMISSION_REJECT artifact_queue");
        hold.countDown();
        all.await();
        assertThat(answers.stream().filter("kept"::equals)).hasSize(64);
        readers.forEach(ArtifactReader::close);
        assertThat(probe.get("ann", StoreProbe.digest("n0"))).isEqualTo("n0");
    }

    @Test
    void shouldBeOneProcessAlone() {
        assertThatThrownBy(() -> new StoreProbe(new HostDisk(), probe.settings)).isInstanceOf(FolderRefused.class);
    }
}
