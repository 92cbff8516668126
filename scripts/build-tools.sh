# shellcheck shell=bash
# What scripts/run, scripts/test and .ci/run share; sourced. Sets `root`; says what to install where something is missing.

self=$(readlink -f -- "${BASH_SOURCE[0]}")
root=${self%/scripts/*}

# Says $1 and stops.
stop() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 78
}

# Prints the home of a JDK (with javac) of version 25 or newer; fails where there is none.
find_jdk() {
    local home version
    for home in "${JAVA_HOME:-}" "${ORCHESTRATORD_JAVA_HOME:-}" /usr/lib/jvm/* /usr/java/* /opt/* /opt/java/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home \
        "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/*; do
        if [ -n "$home" ] && [ -x "$home/bin/javac" ] && [ -r "$home/release" ]; then
            version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
            if [ -n "$version" ] && [ "$version" -ge 25 ]; then
                printf '%s' "$home"
                return 0
            fi
        fi
    done
    return 1
}

# Stops with a sentence unless a JDK >= 25 and Maven are there. Maven finds the JDK by itself (toolchains), whatever
# Java it runs on, as long as the folder is a usual one; elsewhere JAVA_HOME tells it.
need_build_tools() {
    find_jdk >/dev/null ||
        stop "needs a JDK 25 or newer and found none; install one (Debian: apt-get install openjdk-25-jdk-headless, or temurin-25-jdk from packages.adoptium.net) or set JAVA_HOME."
    command -v mvn >/dev/null ||
        stop "needs Maven 3.8 or newer and found none; install it (Debian: apt-get install maven)."
}

# Runs Maven at the root of the project.
maven() {
    (cd -- "$root" && mvn -B "$@")
}
