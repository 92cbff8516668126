package io.llamaorch.orchestratord.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.llamaorch.orchestratord.adapters.llamacpp.LlamaCppAdapter;
import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.EngineDouble;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class EngineTlsIT {
    private static final char[] PASSWORD = "changeit".toCharArray();
    private static final MultiThreadIoEventLoopGroup GROUP =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

    @TempDir
    private Path dir;

    @AfterAll
    static void stop() {
        GROUP.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** A key with a certificate of its own for {@code name}, and that certificate as a file. */
    private SSLContext identity(String alias, String name) throws Exception {
        Path store = dir.resolve(alias + ".p12");
        keytool("-genkeypair", "-alias", alias, "-keyalg", "EC", "-dname", "CN=" + alias, "-ext", "san=" + name, store);
        keytool(
                "-exportcert",
                "-rfc",
                "-alias",
                alias,
                "-file",
                dir.resolve(alias + ".pem").toString(),
                store);
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    private void keytool(Object... words) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        for (int i = 0; i < words.length - 1; i++) {
            command.add(words[i].toString());
        }
        command.addAll(List.of("-storepass", "changeit", "-keystore", words[words.length - 1].toString()));
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor()).isZero();
    }

    private static Object run(URI url, EngineTls trust, RecordingSink sink, OutboundPolicy policy) {
        LlamaCppAdapter adapter = new LlamaCppAdapter(new EngineHttpClient(policy));
        EngineTarget target = EngineTarget.of("p", "r", url, EngineTimeouts.of(20_000, 20_000, 20_000))
                .withTls(trust);
        EventLoop loop = GROUP.next();
        loop.execute(() -> adapter.start(target, Requests.completion("tls [[split=5]]", 30, 42), null, loop, sink));
        return sink.terminal().join();
    }

    private static EngineFailure fails(URI url, EngineTls trust, OutboundPolicy policy) {
        return (EngineFailure) run(url, trust, new RecordingSink(), policy);
    }

    @Test
    void shouldSpeakTlsOnlyWithWhomItTrusts() throws Exception {
        OutboundPolicy policy = OutboundPolicy.of(List.of("https"), List.of("127.0.0.0/8"));
        try (EngineDouble right = EngineDouble.startTls(identity("right", "ip:127.0.0.1"), Map.of());
                EngineDouble other = EngineDouble.startTls(identity("other", "dns:else.example"), Map.of())) {
            EngineTls trustRight = EngineTls.ofCaFile(dir.resolve("right.pem"));
            RecordingSink sink = new RecordingSink();
            assertThat(run(right.url(), trustRight, sink, policy)).isInstanceOf(EngineUsage.class);
            assertThat(sink.text()).isEqualTo(DoubleText.text("tls [[split=5]]", 42, 30));
            assertThat(sink.violations()).isEmpty();

            EngineFailure unknown = fails(right.url(), EngineTls.system(), policy);
            assertThat(unknown.code()).isEqualTo(ErrorCode.POOL_UNAVAILABLE);
            assertThat(unknown.message()).contains("no TLS");
            EngineFailure misnamed = fails(other.url(), EngineTls.ofCaFile(dir.resolve("other.pem")), policy);
            assertThat(misnamed.code()).isEqualTo(ErrorCode.POOL_UNAVAILABLE);
            assertThat(misnamed.message()).contains("no TLS");
        }
        assertThatIOException().isThrownBy(() -> EngineTls.ofCaFile(dir.resolve("right.p12")));
    }

    @Test
    void shouldNotConnectWhereThePolicyDoesNotAllow() {
        try (EngineDouble engine = EngineDouble.start(Map.of())) {
            OutboundPolicy elsewhere = OutboundPolicy.of(List.of("http"), List.of("10.0.0.0/8"));
            EngineFailure literal = fails(engine.url(), EngineTls.system(), elsewhere);
            assertThat(literal.code()).isEqualTo(ErrorCode.POOL_UNAVAILABLE);
            assertThat(literal.message()).contains("outbound policy").contains("127.0.0.1");
            // The name may be resolved, for it could lie in the network; its address does not.
            EngineFailure named = fails(URI.create("http://localhost:" + engine.port()), EngineTls.system(), elsewhere);
            assertThat(named.message()).contains("outbound policy").contains("localhost");
            assertThat(engine.stats()).contains("\"requests\":0");
        }
    }
}
