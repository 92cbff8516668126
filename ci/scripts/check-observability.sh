#!/usr/bin/env bash
# Holds contracts/observability against a daemon that runs: metrics, alert rules, their tests and the board's queries,
# with the real promtool and Prometheus. Needs a built daemon. Skipped, with a line that says so, where they are missing.
set -euo pipefail

self=$(readlink -f -- "${BASH_SOURCE[0]}")
root=${self%/ci/scripts/*}
files=$root/contracts/observability

say() {
    printf 'check-observability: %s\n' "$1"
}

die() {
    say "$1" >&2
    exit 1
}

for tool in promtool prometheus curl; do
    if ! command -v "$tool" >/dev/null; then
        say "skipped: $tool is not installed (Debian: apt-get install prometheus curl)."
        exit 0
    fi
done

work=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

# Tries "$@" for at most half a minute.
eventually() {
    for _ in $(seq 300); do
        if "$@"; then
            return 0
        fi
        sleep 0.1
    done
    return 1
}

promtool check rules "$files/alerts.yaml" >/dev/null || die "alerts.yaml has errors."
(cd "$files" && promtool test rules alerts.test.yaml) || die "an alert does not fire, or fires, where it should not."
(cd "$files" && promtool check config prometheus.yaml >/dev/null) || die "prometheus.yaml has errors."

# A daemon with every kind of traffic: done, canceled, refused.
cat >"$work/daemon.yaml" <<'YAML'
listen: 127.0.0.1:0
state_dir: state
log: {format: json, access: {file: access.log}}
pools:
  - id: default
    engine: mock
    model: hf:example/tiny/tiny.gguf
    ctx: 100000
    replicas: [{id: r0, url: "mock:?tokens_per_s=2000", slots: 2}]
YAML
"$root/scripts/orchestratord" serve --config "$work/daemon.yaml" 2>"$work/daemon.log" &
pids+=($!)
listens() {
    address=$(sed -n 's/.*"event":"daemon_listening".*"address":"\([^"]*\)".*/\1/p' "$work/daemon.log")
    [ -n "$address" ] && curl -sf "http://$address/readyz" >/dev/null
}
eventually listens || die "the daemon does not start: $(tail -n 3 "$work/daemon.log")"

task() {
    printf '{"task_id":"%s","session_id":"%s","workload":"completion","model_ref":"hf:example/tiny/tiny.gguf",' "$1" "$1"
    printf '"engine":"mock","ctx":0,"priority":"interactive","max_tokens":%s,"deadline_ms":60000,"prompt":"x"%s}' "$2" "$3"
}
submit() {
    curl -s -o /dev/null -H 'Content-Type: application/json' -d "$1" "http://$address/v1/tasks"
}
for _ in 1 2 3 4 5; do
    id=$(cat /proc/sys/kernel/random/uuid)
    submit "$(task "$id" 50 '')"
    curl -sN "http://$address/v1/tasks/$id/stream" | grep -q '^event: end' || die "a stream has no end."
done
id=$(cat /proc/sys/kernel/random/uuid)
submit "$(task "$id" 90000 ',"detached":true')"
curl -s -o /dev/null -X POST "http://$address/v1/tasks/$id/cancel"
submit '{}'

# Names in ms are the contract's; all else that promtool says is a finding.
curl -s "http://$address/metrics" >"$work/metrics.txt"
promtool check metrics <"$work/metrics.txt" >"$work/lint.txt" 2>&1 || true
if grep -vE '^[a-z_]+_ms metric names should not contain abbreviated units$|^jvm_|^$' "$work/lint.txt"; then
    die "promtool does not like these metrics."
fi

# A real Prometheus scrapes it.
port=
for candidate in $(seq 21690 21699) $(seq 39090 39190); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; then
        port=$candidate
        break
    fi
done
sed -e "s/15s/1s/" -e "s/127.0.0.1:8080/$address/" -e "s|alerts.yaml|$files/alerts.yaml|" \
    "$files/prometheus.yaml" >"$work/prometheus.yaml"
prometheus --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/tsdb" \
    --web.listen-address="127.0.0.1:$port" 2>"$work/prometheus.log" &
pids+=($!)
query() {
    curl -s --data-urlencode "query=$1" "http://127.0.0.1:$port/api/v1/query"
}
value_is() {
    query "$1" | grep -q "\"value\":\[[0-9.]*,\"$2\"\]"
}
eventually value_is 'up{job="orchestratord"}' 1 || die "Prometheus cannot scrape the daemon: $(query up)"
tokens=$(curl -s "http://$address/metrics" | sed -n 's/^tokens_out_total{.*} //p')
[ "${tokens%.*}" -ge 250 ] || die "the daemon counts $tokens tokens where clients had 250 and more."
eventually value_is 'sum(tokens_out_total)' "${tokens%.0}" || die "Prometheus has another tokens_out_total than $tokens."
eventually value_is 'sum(tasks_finished_total{outcome="completed"})' 5 || die "Prometheus counts other tasks."

rules_ok() {
    curl -s "http://127.0.0.1:$port/api/v1/rules" >"$work/rules.json"
    ! grep -qE '"health":"(unknown|err)"' "$work/rules.json" && grep -q '"health":"ok"' "$work/rules.json"
}
eventually rules_ok || die "a rule cannot be evaluated: $(cat "$work/rules.json")"

# Each query of the board is one that Prometheus can evaluate.
queries=0
while IFS= read -r expr; do
    expr=${expr//\\\"/\"}
    expr=${expr//\$job/.*}
    expr=${expr//\$instance/.*}
    expr=${expr//\$pool/.*}
    query "$expr" | grep -q '^{"status":"success"' || die "the board asks what cannot be evaluated: $expr"
    queries=$((queries + 1))
done < <(sed -n 's/^ *"expr": "\(.*\)",$/\1/p' "$files/dashboard.json")
[ "$queries" -gt 0 ] || die "no query was found in dashboard.json."
say "ok: $queries queries of the board, $(grep -c 'alert:' "$files/alerts.yaml") alerts, $(grep -c '^# TYPE' "$work/metrics.txt") metrics."
