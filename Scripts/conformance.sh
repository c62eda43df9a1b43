#!/bin/sh
# usage: TOOL=PROGRAM Scripts/conformance.sh [OPTION…]
# Runs the conformance kit on every backend of this package, the Postgres one on a server of its own, and leaves a page
# with all of them side by side in .build/conformance. OPTIONs go to `agent-sessions conformance`. Ends with 1 where a
# backend is not conformant.
set -eu

: "${TOOL:?set TOOL to the agent-sessions program, or run 'make conformance'}"
if [ -z "${POSTGRES_URL:-}" ]; then
    exec "$(dirname "$0")/with-postgres.sh" sh "$0" "$@"
fi

root=$(cd "$(dirname "$0")/.." && pwd -P)
reports=$root/.build/conformance
mkdir -p "$reports"
rm -f "$reports"/*
status=0
beside=
run() {
    name=$1
    url=$2
    shift 2
    printf '\n==> %s\n' "$name"
    "$TOOL" conformance --store "$url" --report "$reports/$name.json" "$@" || status=1
    # shellcheck disable=SC2086 # the names of reports have no blanks
    [ ! -s "$reports/$name.json" ] || beside="$beside --beside $name.json"
}
# Nothing is written where these URLs point: the kit makes places of its own.
run sqlite "sqlite:$reports/none.db" "$@"
run lmdb "lmdb:$reports/none" "$@"
run postgres "$POSTGRES_URL" "$@"
# The page is written by the last run, with the reports of the others beside it.
printf '\n==> memory\n'
cd "$reports"
# shellcheck disable=SC2086
"$TOOL" conformance --store memory: --report "$reports/conformance.html" $beside "$@" || status=1
printf '\nThe page of all backends: %s\n' "$reports/conformance.html"
exit $status
