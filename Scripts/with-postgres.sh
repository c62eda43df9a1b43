#!/bin/sh
# usage: Scripts/with-postgres.sh COMMAND [ARGUMENT…]
# Runs COMMAND beside a PostgreSQL server of its own, and ends as COMMAND does. COMMAND finds the server's URL in
# POSTGRES_URL, which is also a store URL; in a shell: Scripts/with-postgres.sh sh -c 'psql "$POSTGRES_URL"'.
# The server keeps its data in a temporary folder (below TMPDIR), listens on a Unix socket there and nowhere else, runs
# as an unprivileged user, and commits durably, as a server does that nobody configured. It is stopped, and its folder
# removed, when COMMAND has ended. POSTGRES_OPTIONS, where set, is handed to the server, such as '-c jit=off'.
set -eu

[ $# -gt 0 ] || { echo "usage: with-postgres.sh COMMAND [ARGUMENT…]" >&2; exit 64; }

# Debian keeps the programs out of PATH, a folder a version; the newest counts.
programs=
for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -nr) /opt/homebrew/bin /usr/local/bin \
    /usr/bin; do
    if [ -x "$folder/initdb" ]; then programs=$folder; break; fi
done
[ -n "$programs" ] || { echo "error: PostgreSQL is not installed; 'make test-deps' installs it" >&2; exit 1; }

# The path of a Unix socket has 107 bytes at the most.
parent=${TMPDIR:-/tmp}
[ ${#parent} -le 60 ] || parent=/tmp
folder=$(mktemp -d "$parent/agent-sessions-pg.XXXXXX")

# PostgreSQL refuses to run as root.
as_user=
if [ "$(id -u)" -eq 0 ]; then
    as_user="runuser -u nobody --"
    chown nobody "$folder"
fi

# Neither program may stand in a folder that its user cannot enter.
run() { (cd "$folder" && $as_user "$@") >>"$folder.log" 2>&1; }

clean_up() {
    status=$?
    trap '' INT TERM HUP
    [ ! -e "$folder/data/postmaster.pid" ] || run "$programs/pg_ctl" -D "$folder/data" -m fast -w stop ||
        run "$programs/pg_ctl" -D "$folder/data" -m immediate -w stop || true
    rm -rf "$folder" "$folder.log"
    exit "$status"
}
trap clean_up EXIT
# COMMAND hears of them too; this shell goes on to clean up after it.
trap : INT TERM HUP

fail() {
    cat "$folder.log" >&2
    echo "error: $1" >&2
    exit 1
}

run "$programs/initdb" --no-sync -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C || fail "initdb failed"
options="-c listen_addresses= -c unix_socket_directories=$folder -c max_connections=100 ${POSTGRES_OPTIONS:-}"
run "$programs/pg_ctl" -D "$folder/data" -l "$folder/server.log" -o "$options" -w start || {
    cat "$folder/server.log" >&2 2>/dev/null || true
    fail "the server did not start"
}

POSTGRES_URL="postgres:///postgres?host=$folder&user=postgres"
export POSTGRES_URL
status=0
"$@" || status=$?
exit "$status"
