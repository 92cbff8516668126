package io.llamaorch.orchestratord.bench.report;

import io.llamaorch.orchestratord.bench.engine.EngineSimulator;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The test bed of one figure: the engine simulator, and in front of it nginx, HAProxy and the daemon, each with one worker
 * or as it comes. All on the loopback address, with configurations written here. Closing it ends the processes.
 */
final class Bed implements AutoCloseable {
    private static final double START_SECONDS = 20;
    private static final String NGINX = "/usr/sbin/nginx";
    private static final String HAPROXY = "/usr/sbin/haproxy";

    private final Children children;
    private final Path folder;
    private final @Nullable Path launcher;
    private final JavaCommand java;
    private final List<Process> started = new ArrayList<>();
    private final int enginePort = Children.freePort();
    private final List<Target> targets = new ArrayList<>();
    private final long enginePid;
    private int daemonStarts;
    private @Nullable Process daemon;

    /**
     * Starts the engine and what is installed in front of it.
     *
     * @param launcher {@code scripts/orchestratord}, or null to leave the daemon out
     * @param engine options of the simulator
     */
    Bed(Children children, Path folder, @Nullable Path launcher, JavaCommand java, List<String> engine)
            throws IOException, InterruptedException {
        this.children = children;
        this.folder = Files.createTempDirectory(folder, "bed");
        this.launcher = launcher;
        this.java = java;
        List<String> command = java.command(EngineSimulator.class);
        command.addAll(List.of("--port", Integer.toString(enginePort), "--slots", "2000"));
        command.addAll(engine);
        enginePid = start(Target.DIRECT, "engine", enginePort, command);
        if (Files.isExecutable(Path.of(HAPROXY))) {
            int port = Children.freePort();
            start(Target.HAPROXY, "haproxy", port, List.of(HAPROXY, "-db", "-f", write("haproxy.cfg", haproxy(port))));
        }
        if (Files.isExecutable(Path.of(NGINX))) {
            int port = Children.freePort();
            String prefix = this.folder + "/";
            start(
                    Target.NGINX,
                    "nginx",
                    port,
                    List.of(
                            NGINX,
                            "-e",
                            prefix + "nginx-error.log",
                            "-p",
                            prefix,
                            "-c",
                            write("nginx.conf", nginx(port))));
        }
        restartDaemon();
    }

    private long start(String target, String name, int port, List<String> command)
            throws IOException, InterruptedException {
        Process process = children.start(name, command, Map.of());
        started.add(process);
        Children.awaitListening(name, process, port, START_SECONDS);
        targets.add(new Target(target, port, process.pid()));
        return process.pid();
    }

    /** What can be measured, the engine alone first. */
    List<Target> targets() {
        return List.copyOf(targets);
    }

    long enginePid() {
        return enginePid;
    }

    /** The daemon, when there is one. */
    @Nullable
    Target daemon() {
        return targets.stream().filter(Target::daemon).findFirst().orElse(null);
    }

    /** A new daemon with an empty state folder in place of the old one. */
    void restartDaemon() throws IOException, InterruptedException {
        if (launcher == null) {
            return;
        }
        Process old = daemon;
        if (old != null) {
            children.stop(old);
            targets.removeIf(Target::daemon);
        }
        int port = Children.freePort();
        String config = write("daemon-" + ++daemonStarts + ".yaml", daemonConfig(port));
        Process process = children.start(
                "orchestratord",
                List.of(launcher.toString(), "serve", "--config", config),
                Map.of("ORCHESTRATORD_JAVA_HOME", java.home()));
        daemon = process;
        Children.awaitListening("orchestratord", process, port, START_SECONDS);
        awaitReady(port);
        targets.add(new Target(Target.DAEMON, port, process.pid()));
    }

    private static void awaitReady(int port) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/readyz"))
                    .timeout(Duration.ofSeconds(2))
                    .build();
            long deadlineNs = System.nanoTime() + (long) (START_SECONDS * 1e9);
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            while (answer.statusCode() != 200) {
                if (System.nanoTime() - deadlineNs > 0) {
                    throw new IOException("orchestratord is not ready: " + answer.statusCode() + " "
                            + answer.body().strip());
                }
                Thread.sleep(50);
                answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            }
        }
    }

    @Override
    public void close() {
        Process last = daemon;
        if (last != null) {
            children.stop(last);
        }
        for (Process process : started) {
            children.stop(process);
        }
    }

    private String write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private String daemonConfig(int port) {
        return """
                listen: 127.0.0.1:%d
                state_dir: %s/state-%d
                pools:
                  - id: default
                    engine: llamacpp
                    model: hf:bench/simulator/model.gguf
                    ctx: 8192
                    queue: {capacity: 1000000, full_policy: reject}
                    replicas: [{id: r0, url: "http://127.0.0.1:%d", slots: 2000}]
                """
                .formatted(port, folder, daemonStarts, enginePort);
    }

    private String nginx(int port) {
        return """
                daemon off;
                worker_processes 1;
                worker_rlimit_nofile 20000;
                pid nginx.pid;
                error_log nginx-error.log warn;
                events { worker_connections 19000; }
                http {
                  access_log off;
                  client_body_temp_path body;
                  proxy_temp_path proxied;
                  fastcgi_temp_path fastcgi;
                  uwsgi_temp_path uwsgi;
                  scgi_temp_path scgi;
                  keepalive_requests 1000000000;
                  upstream engine {
                    server 127.0.0.1:%d;
                    keepalive 8192;
                    keepalive_requests 1000000000;
                  }
                  server {
                    listen 127.0.0.1:%d backlog=4096;
                    location / {
                      proxy_pass http://engine;
                      proxy_http_version 1.1;
                      proxy_set_header Connection "";
                      proxy_buffering off;
                      proxy_read_timeout 3600s;
                    }
                  }
                }
                """
                .formatted(enginePort, port);
    }

    private String haproxy(int port) {
        return """
                global
                  nbthread 1
                  maxconn 9000
                defaults
                  mode http
                  option http-no-delay
                  http-reuse always
                  timeout connect 10s
                  timeout client 3600s
                  timeout server 3600s
                frontend clients
                  bind 127.0.0.1:%d backlog 4096
                  default_backend engines
                backend engines
                  server engine 127.0.0.1:%d maxconn 9000 pool-max-conn -1
                """
                .formatted(port, enginePort);
    }
}
