#!/usr/bin/env bash
# Installs the Debian package on a machine of its own, and does with it what an operator does: start, stream a task, hang,
# upgrade under load, remove, purge. The machine is a container made here: this host's files with a layer of memory over
# them, its own processes, network and cgroups, and a real systemd as its first process. The host's Java is hidden from it.
#
# Needs root, overlayfs, cgroup v2 and systemd; where one is missing it says so and ends well, unless it is told
# --must-run. Needs what Maven builds (scripts/package --no-build).
set -euo pipefail

self=$(readlink -f -- "${BASH_SOURCE[0]}")
root=${self%/ci/scripts/*}
must_run=
[ "${1:-}" != --must-run ] || must_run=yes

skip() {
    printf 'check-package: SKIPPED: %s\n' "$1"
    [ -z "$must_run" ] || exit 1
    exit 0
}

step() {
    printf 'check-package: %s\n' "$1"
}

work=$(mktemp -d)
init=
namespaces=
cleanup() {
    # Only this: with the first process of the container all others end, and its mounts with them.
    if [ -n "$namespaces" ]; then
        kill -KILL "$namespaces" 2>/dev/null || true
        wait "$namespaces" 2>/dev/null || true
    fi
    rm -rf -- "$work"
}
trap cleanup EXIT

fail() {
    printf 'check-package: FAILED: %s\n' "$1" >&2
    if [ -n "$init" ]; then
        inside journalctl --no-pager -n 60 -o cat >&2 || true
        inside systemctl --no-pager status orchestratord.service >&2 || true
    fi
    exit 1
}

[ "$(id -u)" = 0 ] || skip "it must be root to make a container."
for tool in unshare nsenter systemctl dpkg curl; do
    command -v "$tool" >/dev/null || skip "there is no $tool."
done
[ -x /lib/systemd/systemd ] || skip "there is no systemd."
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || skip "the kernel has no overlayfs."

# --- the packages ----------------------------------------------------------------------------------------------------
step 'packing'
"$root/scripts/package" --no-build --quick --version 0.0.1 --out "$work/packages" >/dev/null
first=$(echo "$work"/packages/orchestratord_0.0.1_*.deb)
second=${first/0.0.1/0.0.2}
dpkg-deb -R "$first" "$work/second"
sed -i 's/^Version: .*/Version: 0.0.2/' "$work/second/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/second" "$second" >/dev/null
rm -r -- "$work/second"

if command -v lintian >/dev/null; then
    step 'lintian'
    lintian --allow-root --fail-on error,warning "$first" || fail 'lintian objects'
else
    step 'lintian is not installed, so the package is not held to it'
fi

# --- the machine -----------------------------------------------------------------------------------------------------
machine=$work/machine
mkdir -- "$machine" "$work/layer"
cat >"$work/boot" <<'BOOT'
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$LAYER"
mkdir "$LAYER/upper" "$LAYER/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$LAYER/upper,workdir=$LAYER/work" "$MACHINE"
cd "$MACHINE"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for folder in run tmp var/tmp root home; do mount -t tmpfs tmpfs "$folder"; done
mkdir -p ".$ROOT"
mount -t tmpfs tmpfs ".$ROOT"
for folder in usr/lib/jvm opt; do [ ! -d "$folder" ] || mount -t tmpfs tmpfs "$folder"; done
mount -t tmpfs tmpfs dev
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir packages
cp "$PACKAGES"/*.deb packages/
# Nothing of the host starts there but what systemd itself needs.
rm -rf etc/systemd/system/*.wants
# Images of hosts forbid packages to start services.
rm -f usr/sbin/policy-rc.d
# Not chroot: a process in one may make no namespace of accounts, as the unit file asks for.
mkdir old
pivot_root . old
umount -l /old
rmdir /old
# As a host does: what systemd mounts for a service is seen by it.
mount --make-rshared /
export container=package-test
exec /lib/systemd/systemd --unit=basic.target --log-target=journal --show-status=no
BOOT
LAYER=$work/layer MACHINE=$machine ROOT=$root PACKAGES=$work/packages \
    unshare -m -p -f -u -i -n -C --kill-child bash "$work/boot" >"$work/console" 2>&1 </dev/null &
namespaces=$!

inside() {
    nsenter --target "$init" --mount --pid --uts --ipc --net --cgroup --root --wd "$@"
}

# Waits until "$@" succeeds, for a minute at most.
within_a_minute() {
    local end=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] && kill -0 "$namespaces" 2>/dev/null || return 1
        sleep 0.1
    done
}

booted() {
    init=$(cut -d ' ' -f 1 "/proc/$namespaces/task/$namespaces/children") && [ -n "$init" ] &&
        [ "$(cat "/proc/$init/comm")" = systemd ] && inside systemctl is-active basic.target
}

step 'starting a machine'
within_a_minute booted || {
    init=
    cat -- "$work/console"
    skip 'no container with a systemd can be started here (above: why).'
}

files() {
    inside find /etc /usr /var -xdev \( -type f -o -type l -o -type d \) -print | sort
}
files >"$work/before"
inside cat /etc/passwd /etc/group >"$work/accounts"

# --- what an operator does -------------------------------------------------------------------------------------------
property() {
    inside systemctl show --value -p "$1" orchestratord.service
}

task() {
    local id=00000000-0000-4000-8000-0000000000$1
    inside curl -sS --fail-with-body -o /dev/null http://127.0.0.1:8080/v1/tasks -H 'Content-Type: application/json' -d "{
        \"task_id\":\"$id\",\"session_id\":\"00000000-0000-4000-8000-000000000000\",\"workload\":\"completion\",
        \"model_ref\":\"hf:example/tiny/tiny.gguf\",\"engine\":\"mock\",\"ctx\":2048,\"priority\":\"interactive\",
        \"prompt\":\"Hello\",\"max_tokens\":8,\"deadline_ms\":60000,\"detached\":true}" || return 1
    inside curl -sSN --max-time 30 "http://127.0.0.1:8080/v1/tasks/$id/stream" >"$work/stream" || return 1
    [ "$(grep -c '^event: token' "$work/stream")" = 8 ] && grep -q '^event: end' "$work/stream"
}

ready() {
    inside curl -fsS http://127.0.0.1:8080/readyz
}

step 'install: it works at once'
inside dpkg -i "/packages/${first##*/}" >"$work/dpkg" 2>&1 || fail "dpkg -i: $(cat "$work/dpkg")"
[ "$(property ActiveState)" = active ] || fail "the service is $(property ActiveState) after installation"
within_a_minute ready || fail 'no pool is ready'
task 01 || fail "a task did not stream: $(cat "$work/stream")"
[[ $(property StatusText) == 'Serving on 127.0.0.1:8080: '* ]] || fail "the status is: $(property StatusText)"
pid=$(property MainPID)
[ "$(inside readlink "/proc/$pid/exe")" = /usr/lib/orchestratord/runtime/bin/java ] || fail 'it runs on another Java'
[ "$(inside stat -c %U "/proc/$pid")" = orchestratord ] || fail 'it runs as another account'
inside tr '\0' '\n' <"/proc/$init/root/proc/$pid/cmdline" | grep -qx -e '-XX:AOTCache=/var/cache/orchestratord/orchestratord.aot' ||
    fail 'it starts without the record of a start'
inside systemctl is-enabled --quiet orchestratord.service || fail 'it is not enabled'
[ "$(inside stat -c '%a %U' /var/lib/orchestratord)" = '700 orchestratord' ] || fail 'its state is open to others'
! inside runuser -u nobody -- cat /etc/orchestratord/orchestratord.yaml >/dev/null 2>&1 || fail 'its configuration is open to all'
inside orchestratord check --config /etc/orchestratord/orchestratord.yaml >/dev/null || fail 'its configuration has errors'
inside test -s /usr/share/man/man8/orchestratord.8.gz || fail 'there is no manual page'

step 'unit files'
inside systemd-analyze verify /usr/lib/systemd/system/orchestratord.service /usr/lib/systemd/system/orchestratord.socket \
    >"$work/verify" 2>&1 || fail "systemd-analyze verify: $(cat "$work/verify")"
[ ! -s "$work/verify" ] || fail "systemd-analyze verify: $(cat "$work/verify")"
inside systemd-analyze security --offline=true --threshold=25 /usr/lib/systemd/system/orchestratord.service \
    >"$work/security" 2>&1 || fail "more exposed than 2.5: $(tail -n 1 "$work/security")"
for never in MemoryDenyWriteExecute PrivateDevices; do
    [ "$(property "$never")" = no ] || fail "$never is set: the JVM or a GPU would not work"
done

step 'a hang: the watchdog restarts it'
inside mkdir -p /run/systemd/system/orchestratord.service.d
inside sh -c 'printf "[Service]\nWatchdogSec=2\n" >/run/systemd/system/orchestratord.service.d/test.conf'
inside sh -c 'umask 077; printf secret >/etc/orchestratord/credentials/engine'
inside systemctl daemon-reload
inside systemctl restart orchestratord.service
pid=$(property MainPID)
# With the service's own view of the files.
as() {
    inside nsenter --target "$pid" --mount setpriv --reuid "$1" --regid "$2" --clear-groups \
        cat /run/credentials/orchestratord.service/key_engine
}
[ "$(as orchestratord orchestratord)" = secret ] || fail 'its key is not passed to it'
! as nobody nogroup >/dev/null 2>&1 || fail 'others can read its key'
inside kill -STOP "$pid"
restarted() {
    [ "$(property NRestarts)" -ge 1 ] && [ "$(property ActiveState)" = active ]
}
within_a_minute restarted || fail 'a daemon that hangs is not restarted'
[ "$(property MainPID)" != "$pid" ] || fail 'a daemon that hangs goes on'
inside rm -r /run/systemd/system/orchestratord.service.d
inside systemctl daemon-reload

step 'an upgrade under load, with the socket: nobody is refused'
inside systemctl stop orchestratord.service
inside systemctl enable --now --quiet orchestratord.socket
inside systemctl start orchestratord.service
inside sh -c 'echo "# changed by the operator" >>/etc/orchestratord/orchestratord.yaml'
inside bash -c 'while [ ! -e /tmp/enough ]; do
        curl -s -o /dev/null --max-time 60 http://127.0.0.1:8080/livez; echo "$?"
    done' >"$work/answers" &
load=$!
inside dpkg --force-confold -i "/packages/${second##*/}" >"$work/dpkg" 2>&1 || fail "dpkg -i: $(cat "$work/dpkg")"
within_a_minute ready || fail 'no pool is ready after the upgrade'
task 02 || fail "a task did not stream after the upgrade: $(cat "$work/stream")"
inside touch /tmp/enough
wait "$load"
# 7: connection refused.
[ "$(grep -c '^7$' "$work/answers")" = 0 ] || fail "$(grep -c '^7$' "$work/answers") connections were refused"
[ "$(grep -c '^0$' "$work/answers")" -ge 10 ] || fail 'the load was none'
[ "$(property MainPID)" != "$pid" ] || fail 'the old version still runs'
inside grep -q '^# changed by the operator' /etc/orchestratord/orchestratord.yaml || fail 'the configuration was replaced'
inside dpkg -s orchestratord | grep -qx 'Version: 0.0.2' || fail 'the old version is still installed'

step 'remove, purge: nothing is left'
inside dpkg -r orchestratord >"$work/dpkg" 2>&1 || fail "dpkg -r: $(cat "$work/dpkg")"
! inside systemctl is-active --quiet orchestratord.service || fail 'it runs after its removal'
! inside systemctl is-active --quiet orchestratord.socket || fail 'its socket is open after its removal'
inside test -s /etc/orchestratord/orchestratord.yaml || fail 'a removal took the configuration'
inside test -d /var/lib/orchestratord || fail 'a removal took the state'
inside dpkg -P orchestratord >"$work/dpkg" 2>&1 || fail "dpkg -P: $(cat "$work/dpkg")"
inside cat /etc/passwd /etc/group | cmp -s - "$work/accounts" || fail 'its account is left'
files >"$work/after"
# What dpkg, systemd and useradd's tools keep for themselves.
left=$(comm -13 "$work/before" "$work/after" | grep -v -E \
    -e '^/var/(log|lib/(dpkg|systemd)|cache/(man|ldconfig))(/|$)' -e '^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$' \
    -e '^/etc/\.pwd\.lock$' -e '^/etc/\.(updated|resolv.*)$' -e '^/var/\.updated$' || true)
[ -z "$left" ] || fail "left behind: $left"
printf 'check-package: all checks passed.\n'
