package io.llamaorch.orchestratord.server.log;

import io.llamaorch.orchestratord.server.config.Config;
import io.netty.channel.EventLoop;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.util.Enumeration;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.LifeCycle;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.AbstractConfiguration;
import org.apache.logging.log4j.core.config.AppenderRef;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.LoggerConfig;

/**
 * Starts and stops the log. Configured by code: log4j's own files would cost a scan for plugins at each start.
 *
 * <p>Call {@link #start} before anything else makes a logger.
 */
public final class Logging implements AutoCloseable {
    private static final String RING_SIZE = "log4j2.asyncLoggerRingBufferSize";

    private static final String NAME = "orchestratord";

    private final LoggerContext context;
    private final StderrAppender appender;
    private final EventLog events;

    private Logging(LoggerContext context, StderrAppender appender) {
        this.context = context;
        this.appender = appender;
        this.events = new EventLog(context.getLogger(NAME));
    }

    /** Starts the log on standard error. */
    public static Logging start(Config.Log config) {
        // Not System.err: its lock and its line-wise flush are for nobody here.
        return start(config, new FileOutputStream(FileDescriptor.err), stderrIsTerminal());
    }

    /** Starts the log on {@code out}; {@code terminal}: what format {@code auto} becomes. */
    static Logging start(Config.Log config, OutputStream out, boolean terminal) {
        setDefault(RING_SIZE, Integer.toString(config.ringSize()));
        // The writing thread looks for events every few milliseconds: who logs never has to wake it, and it writes many
        // lines with one call. Woken for each event, it took a system call on both sides.
        setDefault("log4j2.asyncLoggerWaitStrategy", "Sleep");
        setDefault("log4j2.asyncLoggerSleepTimeNs", "4000000");
        setDefault("log4j2.asyncLoggerRetries", "10");
        boolean text =
                config.format() == Config.LogFormat.TEXT || (config.format() == Config.LogFormat.AUTO && terminal);
        StderrAppender appender = new StderrAppender(new EventLayout(!text), out);
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(new WithoutPlugins(Logging.class.getClassLoader()));
        try {
            LoggerContext context = Configurator.initialize(
                    Logging.class.getClassLoader(), new ByCode(level(config.level()), appender));
            return new Logging(context, appender);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** Where events go. */
    public EventLog events() {
        return events;
    }

    /** The level as it is changed by order. */
    public LogLevels levels(Config.LogLevel configured, EventLoop loop) {
        return new LogLevels(configured, this::setLevel, loop, events);
    }

    /** Changes the level at run time; from any thread. */
    public void setLevel(Config.LogLevel level) {
        context.getConfiguration().getRootLogger().setLevel(level(level));
        context.updateLoggers();
    }

    /** Events dropped since the start of the process because the ring was full, and writes that failed. */
    public long dropped() {
        return CountingDiscardPolicy.dropped() + appender.failedWrites();
    }

    /** Writes what is left, for at most two seconds, and stops. */
    @Override
    public void close() {
        context.stop(2, TimeUnit.SECONDS);
    }

    private static boolean stderrIsTerminal() {
        // Console.isTerminal() tells of standard input and output; the launcher and systemd know of standard error.
        return Boolean.getBoolean("orchestratord.stderr.tty");
    }

    private static Level level(Config.LogLevel level) {
        return Level.valueOf(level.name());
    }

    /**
     * Shows log4j an index of plugins that names none ({@code log4j2-no-plugins.dat}: one category, no entry). With its
     * own index it would load some 300 classes; with no index at all, every class of its jar.
     */
    private static final class WithoutPlugins extends ClassLoader {
        WithoutPlugins(ClassLoader parent) {
            super(parent);
        }

        @Override
        public Enumeration<URL> getResources(String name) throws IOException {
            return super.getResources(name.endsWith("/Log4j2Plugins.dat") ? "log4j2-no-plugins.dat" : name);
        }
    }

    private static final class ByCode extends AbstractConfiguration {
        private final Level level;
        private final StderrAppender appender;

        ByCode(Level level, StderrAppender appender) {
            super(null, ConfigurationSource.NULL_SOURCE);
            this.level = level;
            this.appender = appender;
            setName("orchestratord");
        }

        /** Without the parent's: it would look for plugins and scripts on the class path. */
        @Override
        public void initialize() {
            addAppender(appender);
            getRootLogger().addAppender(appender, null, null);
            getRootLogger().setLevel(level);
            // The root's default is to look up the caller's line for each event, by a walk over the stack: half of what
            // an
            // event cost. This one inherits the rest: level and appender.
            addLogger(
                    NAME,
                    LoggerConfig.newBuilder()
                            .setLoggerName(NAME)
                            .setConfig(this)
                            .setRefs(new AppenderRef[0])
                            .setIncludeLocation("false")
                            .build());
            setState(LifeCycle.State.INITIALIZED);
        }
    }
}
