#!/bin/sh
# usage: Scripts/with-postgres.sh Scripts/pgbench-append.sh
# What PostgreSQL's own load generator reaches on the SQL of an append, prepared, a session for each client: transactions
# a second by clients. The best of them is what shared commits are compared with.
set -eu

: "${POSTGRES_URL:?run this with Scripts/with-postgres.sh}"
programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -nr | head -1)
PATH=${programs:+$programs:}$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

psql "$POSTGRES_URL" -X -q -v ON_ERROR_STOP=1 <<'SQL'
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS pgbench_append CASCADE;
CREATE SCHEMA pgbench_append;
SET search_path = pgbench_append;
CREATE TABLE sessions (id text COLLATE "C" PRIMARY KEY, actor_name text NOT NULL, message_count bigint NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0, output_tokens bigint NOT NULL DEFAULT 0,
    estimated_cost bigint NOT NULL DEFAULT 0, metadata json, created_at bigint NOT NULL, updated_at bigint NOT NULL)
    WITH (fillfactor = 70);
CREATE INDEX ON sessions (actor_name);
CREATE INDEX ON sessions (created_at);
CREATE TABLE session_messages (id text COLLATE "C" PRIMARY KEY,
    session_id text COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE, sequence bigint NOT NULL,
    role text NOT NULL, content text NOT NULL, tool_call_id text, metadata json, created_at bigint NOT NULL,
    UNIQUE (session_id, sequence));
INSERT INTO sessions (id, actor_name, created_at, updated_at)
    SELECT lpad(i::text, 26, '0'), 'bench/actor', i, i FROM generate_series(0, 127) AS i;
SQL
content=$(printf '%0600d' 7)
cat >"$folder/append.sql" <<SQL
\\set serial random(1, 9000000000000000)
WITH touched AS (UPDATE pgbench_append.sessions SET message_count = message_count + 1, updated_at = :serial
    WHERE id = lpad((:client_id)::text, 26, '0') RETURNING id, message_count)
INSERT INTO pgbench_append.session_messages
    SELECT lpad((:serial)::text, 26, '0'), id, message_count, 'user', '$content', NULL, NULL, :serial FROM touched
    RETURNING sequence;
SQL
for clients in 1 8 16 32 64; do
    rate=$(pgbench -n -M prepared -c "$clients" -j 2 -T "${SECONDS_EACH:-3}" -f "$folder/append.sql" "$POSTGRES_URL" |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p')
    printf '{"engine":"pgbench","workload":"message_append","clients":%s,"operations_per_second":%s}\n' "$clients" "$rate"
done
psql "$POSTGRES_URL" -X -q -c 'SET client_min_messages = warning; DROP SCHEMA pgbench_append CASCADE'
