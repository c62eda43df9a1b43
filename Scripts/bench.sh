#!/bin/sh
# usage: Scripts/bench.sh [ARGUMENTS OF bench…]
# Runs the release build of $TOOL on every embedded store and on a PostgreSQL server of its own, with their raw engines.
# The page, the Markdown and the JSON are left in $BENCH_FOLDER (.build/bench), where the stores are made, too: it has to
# be on a disk, as durable commits are what is measured. CORPUS names chat JSON lines to use in place of the sample.
set -eu

: "${TOOL:?set TOOL to the agent-sessions program, or run 'make bench'}"
folder=${BENCH_FOLDER:-.build/bench}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd -P)
[ -z "${CORPUS:-}" ] || set -- --corpus "$CORPUS" "$@"

# A server that root starts runs as another user, who cannot enter every folder.
if [ "$(id -u)" -ne 0 ] || runuser -u nobody -- test -x "$folder"; then TMPDIR=$folder; export TMPDIR; fi

# shellcheck disable=SC2016
status=0
"$(dirname "$0")/with-postgres.sh" sh -c '
    tool=$1 folder=$2
    shift 2
    exec "$tool" bench --stores memory: "sqlite://$folder/bench.db" "lmdb://$folder/bench" "$POSTGRES_URL" \
        --save "$folder/results.json" --report "$folder/report.html" "$@"
' bench "$TOOL" "$folder" "$@" || status=$?
printf '\nThe page is %s/report.html, the results are %s/results.json: compare with --compare FILE.\n' \
    "$folder" "$folder" >&2
exit "$status"
