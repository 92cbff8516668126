package io.llamaorch.orchestratord.server.cli;

import io.netty.util.Version;
import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What this build is. */
public final class BuildInfo implements IVersionProvider {
    private static final String RESOURCE = "/orchestratord.properties";

    /** Made by picocli, or for {@link #version}. */
    public BuildInfo() {}

    /** The version, such as {@code 0.1.0}. */
    public static String version() {
        return property("version", "unknown");
    }

    /** The commit that it was built from; empty where the build did not say ({@code -Dorchestratord.commit=…}). */
    public static String commit() {
        return property("commit", "");
    }

    @Override
    public String[] getVersion() {
        String commit = commit();
        Version netty = Version.identify(BuildInfo.class.getClassLoader()).get("netty-common");
        return new String[] {
            "orchestratord " + version() + (commit.isEmpty() ? "" : " (" + commit + ")"),
            "java " + Runtime.version() + " (" + System.getProperty("java.vendor") + ")",
            "netty " + (netty == null ? "unknown" : netty.artifactVersion())
        };
    }

    private static String property(String name, String otherwise) {
        try (InputStream in = BuildInfo.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                return otherwise;
            }
            Properties properties = new Properties();
            properties.load(in);
            String value = properties.getProperty(name, otherwise);
            return value.startsWith("${") ? otherwise : value;
        } catch (IOException e) {
            return otherwise;
        }
    }
}
