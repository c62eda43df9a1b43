#!/bin/sh
# usage: Scripts/bench-scale.sh
# What growing costs: append, tail and deep page on stores of SIZES messages, and the memory and time that it takes to
# import and export one session of LONG messages. Try it small with SIZES=1000,10000 LONG=10000.
set -eu

: "${TOOL:?set TOOL to the agent-sessions program, or run 'make bench-scale'}"
scripts=$(cd "$(dirname "$0")" && pwd -P)
folder=${BENCH_FOLDER:-.build/bench}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd -P)
if [ "$(id -u)" -ne 0 ] || runuser -u nobody -- test -x "$folder"; then TMPDIR=$folder; export TMPDIR; fi
export TOOL

if [ "${1:-}" != --with-server ]; then
    exec "$scripts/with-postgres.sh" sh "$scripts/bench-scale.sh" --with-server
fi

# One store after the other: what is compared is a store with itself, and the largest of all of them together would not
# fit into the memory that the system has for files.
for store in "sqlite://$folder/bench.db" "lmdb://$folder/bench" "$POSTGRES_URL"; do
    report=$folder/scale-${store%%:*}
    "$TOOL" bench --stores "$store" --no-raw \
        --workloads bulk_load,message_append,messages_tail20,messages_page_deep --clients 1 \
        --sizes "${SIZES:-10000,100000,1000000,10000000}" --repetitions "${REPETITIONS:-1}" \
        --seconds "${SECONDS_EACH:-5}" --save "$report.json" --report "$report.html"
done

work=$(mktemp -d "$folder/long.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
messages=${LONG:-1000000}
awk -v count="$messages" 'BEGIN {
    for (i = 0; i < 12; i++) text = text "The 9:42 to Ghent leaves from platform 7. "
    printf "{\"messages\":["
    for (i = 1; i <= count; i++)
        printf "%s{\"role\":\"%s\",\"content\":\"%d: %s\"}", (i > 1 ? "," : ""), (i % 2 ? "user" : "assistant"), i, text
    print "]}"
}' >"$work/chat.jsonl"

# Runs a command and says how long it took and the most memory that it had.
measured() {
    python3 - "$@" <<'PYTHON'
import resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.call(sys.argv[2:], stdout=subprocess.DEVNULL)
seconds = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(f"| {sys.argv[1]} | {seconds:.2f} | {peak / 2**20:.1f} |", flush=True)
sys.exit(status)
PYTHON
}

printf '\n## One session of %s messages\n\n| what | seconds | peak MiB |\n| --- | ---: | ---: |\n' "$messages"
for backend in sqlite lmdb postgres; do
    case $backend in
        postgres) store="$POSTGRES_URL&schema=agent_sessions_long" ;;
        *) store="$backend://$work/$backend.store" ;;
    esac
    measured "$backend: import of chat lines" "$TOOL" --store "$store" import --format openai "$work/chat.jsonl"
    id=$("$TOOL" --store "$store" --json list --limit 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["sessions"][0]["id"])')
    measured "$backend: export" "$TOOL" --store "$store" export "$id" --output "$work/native.json"
    measured "$backend: import of the export" "$TOOL" --store "$store" import "$work/native.json"
    measured "sha256sum of the export" sha256sum "$work/native.json"
    if [ "$backend" != postgres ]; then rm -rf "$work/$backend".*; fi
done
