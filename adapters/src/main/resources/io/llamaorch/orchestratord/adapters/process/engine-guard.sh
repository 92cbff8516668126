#!/bin/sh
# Starts one engine, and leaves nothing of it behind when the daemon is gone, whatever ended the daemon.
#
#   engine-guard.sh run TOKEN GRACE TOOLS PROGRAM [ARG...]
#
# TOKEN names this start; GRACE is the time between TERM and KILL when nobody says otherwise, tenths of a second; TOOLS is
# where setsid, setpriv, env, grep and sleep are looked for, before the engine's own PATH. sleep is needed, the rest used
# where it is there: without setsid the engine is found by parent and mark alone, without setpriv a guard that is killed
# leaves the engine to the watcher and the daemon.
# Standard input is a pipe whose other end only the daemon has: a line `stop TENTHS` ends the engine, its end means that
# the daemon is gone. Standard output and error are the engine's. Two lines there are the guard's own:
#
#   orchestratord-guard TOKEN start PID OWN_SESSION DEATH_SIGNAL     before the engine's first byte
#   orchestratord-guard TOKEN end STATUS LEFT                        after its last one; LEFT: pids that would not die
#
# Three processes: the guard waits for the engine, the watcher (its child) reads the pipe, the engine has a session of
# its own. A guard that is killed takes the engine along (parent-death signal), and the watcher ends the rest.
# Variables are prefixed because a shell takes the engine's environment for its own variables.
set -u

# What belongs to the engine and lives, as pids: its session, its process group, its descendants by parent, and whatever
# carries its mark in the environment. Zombies do not count: their parent may never collect them.
guard_members() {
    guard_found=' '
    guard_again=1
    while [ "$guard_again" = 1 ]; do
        guard_again=0
        for guard_stat in /proc/[0-9]*/stat; do
            guard_line=
            read -r guard_line 2>/dev/null <"$guard_stat" || continue
            guard_pid=${guard_stat#/proc/}
            guard_pid=${guard_pid%/stat}
            # After the name, which may hold anything: state, parent, group, session.
            # shellcheck disable=SC2086
            set -- ${guard_line##*) }
            case "${1:-Z}" in Z | X) continue ;; esac
            case "$guard_found" in *" $guard_pid "*) continue ;; esac
            case "$guard_found" in
            *" $2 "*) ;;
            *)
                [ "$3" = "$guard_engine" ] || [ "$4" = "$guard_engine" ] ||
                    { [ "$guard_gone" = 0 ] && { [ "$guard_pid" = "$guard_engine" ] || [ "$2" = "$guard_engine" ]; }; } ||
                    continue
                ;;
            esac
            guard_found="$guard_found$guard_pid "
            guard_again=1
        done
    done
    # shellcheck disable=SC2013
    for guard_line in $(grep -lszxF "ORCHESTRATORD_ENGINE=$guard_token" /proc/[0-9]*/environ 2>/dev/null); do
        guard_pid=${guard_line#/proc/}
        guard_pid=${guard_pid%/environ}
        case "$guard_found" in *" $guard_pid "*) ;; *) guard_found="$guard_found$guard_pid " ;; esac
    done
    # shellcheck disable=SC2086
    set -- $guard_found
    printf '%s' "$*"
}

# TERM once to each, then KILL until none is left. $1: tenths of a second between the two.
guard_terminate() {
    guard_left=$1
    guard_pids=$(guard_members)
    [ -n "$guard_pids" ] || return 0
    # shellcheck disable=SC2086
    kill -s TERM $guard_pids 2>/dev/null
    while [ "$guard_left" -gt 0 ]; do
        sleep 0.1
        guard_left=$((guard_left - 1))
        guard_pids=$(guard_members)
        [ -n "$guard_pids" ] || return 0
    done
    # What hangs in the kernel (a device that does not answer) cannot be killed: give up after some ten seconds.
    guard_left=100
    while [ "$guard_left" -gt 0 ]; do
        # The group at once, so that nothing forks between the listing and the signal.
        [ "$guard_own" = 0 ] || kill -s KILL -- "-$guard_engine" 2>/dev/null
        # shellcheck disable=SC2086
        kill -s KILL $guard_pids 2>/dev/null
        guard_pids=$(guard_members)
        [ -n "$guard_pids" ] || return 0
        sleep 0.1
        guard_left=$((guard_left - 1))
    done
}

# The watcher: one order or the end of the pipe, then the end of the engine.
guard_watch() {
    trap - TERM INT HUP USR1
    # By exec: a shell that redirects a function keeps the old ones open, and the output would not end with the engine.
    exec >/dev/null 2>&1
    guard_verb=
    guard_tenths=$guard_grace
    if read -r guard_verb guard_tenths <&3 && [ "$guard_verb" = stop ]; then
        case "$guard_tenths" in '' | *[!0-9]*) guard_tenths=$guard_grace ;; esac
    else
        guard_tenths=$guard_grace
    fi
    kill -s USR1 "$guard_self" 2>/dev/null
    guard_terminate "$guard_tenths"
}

guard_run() {
    guard_token=$1
    guard_grace=$2
    guard_tools=$3
    shift 3
    guard_self=$$
    guard_path=${PATH-}
    PATH=$guard_tools:$guard_path
    guard_gone=0
    guard_woken=0
    guard_stopping=0
    guard_asked=0
    # Traps are set before there is a child: a signal is then never answered by the default.
    trap 'guard_woken=1; guard_stopping=1' USR1
    trap 'guard_woken=1; guard_asked=1' TERM INT HUP
    exec 3<&0 </dev/null

    guard_own=0
    guard_death=0
    guard_signals=0
    command -v setsid >/dev/null && guard_own=1
    setpriv --pdeathsig KILL /bin/sh -c : >/dev/null 2>&1 && guard_death=1
    env --default-signal=INT,QUIT /bin/sh -c : >/dev/null 2>&1 && guard_signals=1

    set -- /bin/sh "$0" launch "$guard_token" "$guard_self" "$guard_own" "$guard_death" "$guard_path" "$@"
    [ "$guard_own" = 0 ] || set -- setsid "$@"
    # A shell starts what runs beside it with INT and QUIT ignored, and an engine would keep that.
    [ "$guard_signals" = 0 ] || set -- env --default-signal=INT,QUIT "$@"
    [ "$guard_death" = 0 ] || set -- setpriv --pdeathsig KILL "$@"
    "$@" 3<&- &
    guard_engine=$!
    guard_watch &
    guard_watcher=$!

    guard_status=127
    while :; do
        guard_woken=0
        # A shell may say how its child ended; that is no line of the engine's.
        wait "$guard_engine" 2>/dev/null
        guard_now=$?
        # 127 after a wake-up: the wait before had the status already.
        [ "$guard_now" = 127 ] && [ "$guard_status" != 127 ] || guard_status=$guard_now
        [ "$guard_woken" = 1 ] || break
        if [ "$guard_asked" = 1 ] && [ "$guard_stopping" = 0 ]; then
            guard_asked=0
            guard_terminate "$guard_grace"
        fi
    done
    # Its number may be somebody else's from here on.
    guard_gone=1
    if [ "$guard_stopping" = 1 ]; then
        while kill -0 "$guard_watcher" 2>/dev/null; do wait "$guard_watcher"; done
    else
        kill -s KILL "$guard_watcher" 2>/dev/null
        guard_terminate "$guard_grace"
    fi
    guard_left=$(guard_members)
    printf '\norchestratord-guard %s end %s %s\n' "$guard_token" "$guard_status" "$guard_left"
    # The daemon reads to here, then closes the pipe: nothing of the engine's last words is lost.
    while read -r guard_line; do :; done <&3
}

# Becomes the engine.
guard_launch() {
    # The guard died before the death signal was set.
    [ "$PPID" = "$2" ] || exit 70
    printf 'orchestratord-guard %s start %s %s %s\n' "$1" "$$" "$3" "$4"
    export ORCHESTRATORD_ENGINE="$1"
    [ "$3" = 0 ] || export ORCHESTRATORD_ENGINE_SESSION="$$"
    PATH=$5
    shift 5
    exec "$@"
}

guard_mode=$1
shift
case "$guard_mode" in
run) guard_run "$@" ;;
launch) guard_launch "$@" ;;
*) exit 64 ;;
esac
exit 0
