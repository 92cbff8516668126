package io.llamaorch.orchestratord.adapters.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OutboundPolicyTest {
    private static final OutboundPolicy POLICY = OutboundPolicy.of(
            List.of("http", "HTTPS"),
            List.of("Engine-1.example", "*.gpu.example", "10.1.0.0/16", "127.0.0.1", "fd00::/8", "[::1]"));

    private static InetAddress address(String literal) throws UnknownHostException {
        return InetAddress.getByName(literal);
    }

    @ParameterizedTest
    @CsvSource({
        "http://engine-1.example,true",
        "https://ENGINE-1.example.:8000/x,true",
        "ftp://engine-1.example,false",
        "http://a.gpu.example,true",
        "http://gpu.example,true", // a name that is not listed may yet resolve into a network
        "http://10.1.255.9,true",
        "http://10.2.0.1,false",
        "http://127.0.0.2,false",
        "http://[::1]:9,true",
        "http://[fd12::1],true",
        "http://[fe80::1],false",
        "http://[::ffff:10.1.0.1],true",
        "http://[::ffff:10.2.0.1],false",
        "mock:x,false"
    })
    void shouldJudgeTheUrlBeforeItIsResolved(URI url, boolean allowed) {
        assertThat(POLICY.refusal(url) == null).as(url.toString()).isEqualTo(allowed);
    }

    @ParameterizedTest
    @CsvSource({
        "engine-1.example,203.0.113.9,true",
        "a.gpu.example,203.0.113.9,true",
        "gpu.example,203.0.113.9,false",
        "notgpu.example,10.1.2.3,true",
        "other.example,203.0.113.9,false",
        "engine-1.example,169.254.169.254,false",
        "engine-1.example,0.0.0.0,false",
        "engine-1.example,224.0.0.1,false",
        "engine-1.example,fe80::1,false",
        "other.example,::1,true"
    })
    void shouldJudgeTheAddressThatWasFound(String host, String literal, boolean allowed) throws Exception {
        assertThat(POLICY.refusal(host, address(literal)) == null)
                .as("%s at %s", host, literal)
                .isEqualTo(allowed);
    }

    @Test
    void shouldRefuseNamesBeforeTheyAreResolvedWhenOnlyNamesAreListed() {
        OutboundPolicy names = OutboundPolicy.exactly(List.of(URI.create("http://engine:8000"), URI.create("mock:x")));
        assertThat(names.refusal(URI.create("http://engine:9000"))).isNull();
        assertThat(names.refusal(URI.create("https://engine:8000"))).contains("scheme 'https'");
        assertThat(names.refusal(URI.create("http://else"))).contains("host 'else'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10.0.0.0/33", "10.0.0.0/x", "::/129", "a/8", "*.a.*", "a*", "*.", "a b"})
    void shouldRefuseEntriesThatMeanNothing(String entry) {
        assertThatIllegalArgumentException().isThrownBy(() -> OutboundPolicy.of(List.of("http"), List.of(entry)));
    }
}
