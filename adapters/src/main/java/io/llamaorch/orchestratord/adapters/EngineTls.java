package io.llamaorch.orchestratord.adapters;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Whom to trust behind an engine's {@code https} URL, by the JDK's own provider. The name in the certificate is always
 * checked. Immutable, shared by all loops; made once, for reading certificates blocks.
 */
public final class EngineTls {
    private static final class SystemTrust {
        static final EngineTls INSTANCE = build("the system's authorities", null);
    }

    private final String source;
    private final SSLContext context;

    private EngineTls(String source, SSLContext context) {
        this.source = source;
        this.context = context;
    }

    /** Trusts what the JDK trusts. */
    public static EngineTls system() {
        return SystemTrust.INSTANCE;
    }

    /**
     * Trusts the certificates of one file and nothing else.
     *
     * @param caFile X.509 certificates, PEM or DER
     * @throws IOException where the file can't be read or holds no certificate
     */
    public static EngineTls ofCaFile(Path caFile) throws IOException {
        try (InputStream in = Files.newInputStream(caFile)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int count = 0;
            for (Certificate ca : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("ca-" + count, ca);
                count++;
            }
            if (count == 0) {
                throw new IOException(caFile + " holds no certificate");
            }
            return build(caFile.toString(), store);
        } catch (GeneralSecurityException e) {
            throw new IOException(caFile + " is not a file of X.509 certificates: " + e.getMessage(), e);
        }
    }

    private static EngineTls build(String source, @Nullable KeyStore store) {
        try {
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return new EngineTls(source, context);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no TLS: " + e.getMessage(), e);
        }
    }

    /** The client's side of one connection; it accepts no certificate of another name than {@code host}. */
    public SSLEngine client(String host, int port) {
        SSLEngine engine = context.createSSLEngine(host, port);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        engine.setSSLParameters(parameters);
        return engine;
    }

    @Override
    public String toString() {
        return "trust in " + source;
    }
}
