#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if Postgres

#include <libpq-fe.h>

/* One connection and prepared statements. A commit is one round trip: a single statement alone, several in a pipeline
 * with one sync behind them, which makes them one transaction. */
typedef struct {
    raw_engine base;
    PGconn *connection;
    char schema[64];
    /* Statements on their way, whether there is a pipeline, and whether the transaction was begun by a statement. */
    int pending, pipelined, explicit_transaction;
} pq_engine;

static int failed(raw_engine *e, const char *what) {
    return raw_fail(e, what, PQerrorMessage(((pq_engine *)e)->connection));
}

static int accept_result(raw_engine *e, PGresult *result, const char *what) {
    ExecStatusType status = PQresultStatus(result);
    int good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good) raw_fail(e, what, PQresultErrorMessage(result));
    PQclear(result);
    return good ? 0 : -1;
}

static int execute(pq_engine *p, const char *sql) { return accept_result(&p->base, PQexec(p->connection, sql), "execute"); }

static int prepare(pq_engine *p, const char *name, const char *sql) {
    return accept_result(&p->base, PQprepare(p->connection, name, sql, 0, 0), name);
}

/* A blocking client may not let more answers gather than fit the socket. */
enum { window = 100, most_under_one_sync = 1000 };

/* Takes the results of what is on its way; each statement's ends with a NULL. */
static int drain(pq_engine *p) {
    int outcome = 0;
    if (!PQpipelineSync(p->connection)) return failed(&p->base, "sync");
    for (; p->pending > 0; p->pending--) {
        PGresult *result;
        while ((result = PQgetResult(p->connection)))
            if (accept_result(&p->base, result, "pipeline")) outcome = -1;
    }
    PGresult *result = PQgetResult(p->connection);
    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) outcome = raw_fail(&p->base, "pipeline", "the sync is missing");
    PQclear(result);
    return outcome;
}

static int begin(raw_engine *e, size_t changes) {
    pq_engine *p = (pq_engine *)e;
    p->pending = 0;
    p->pipelined = changes > 1;
    p->explicit_transaction = changes > most_under_one_sync;
    if (!p->pipelined) return 0;
    if (p->explicit_transaction && execute(p, "BEGIN")) return -1;
    return PQenterPipelineMode(p->connection) ? 0 : failed(e, "pipeline");
}

static int commit(raw_engine *e) {
    pq_engine *p = (pq_engine *)e;
    if (!p->pipelined) return 0;
    int outcome = drain(p);
    p->pipelined = 0;
    if (!PQexitPipelineMode(p->connection)) return failed(e, "pipeline");
    return outcome || !p->explicit_transaction ? outcome : execute(p, "COMMIT");
}

static int send(raw_engine *e, const char *name, int count, const char *const *values) {
    pq_engine *p = (pq_engine *)e;
    if (!p->pipelined) return accept_result(e, PQexecPrepared(p->connection, name, count, values, 0, 0, 0), name);
    if (!PQsendQueryPrepared(p->connection, name, count, values, 0, 0, 0)) return failed(e, name);
    return ++p->pending < window || !p->explicit_transaction ? 0 : drain(p);
}

static int create(raw_engine *e, uint64_t session, uint64_t actor) {
    char id[27], name[32], time[24];
    raw_id_text(id, session);
    raw_actor_name(name, actor);
    snprintf(time, sizeof time, "%llu", (unsigned long long)e->clock_us++);
    const char *values[] = {id, name, time};
    return send(e, "create", 3, values);
}

static const char *or_null(raw_text text) { return text.count ? text.bytes : NULL; }

static int append(raw_engine *e, uint64_t session, const raw_message *m) {
    char session_id[27], id[27], time[24];
    raw_id_text(session_id, session);
    raw_id_text(id, e->message_serial++);
    snprintf(time, sizeof time, "%llu", (unsigned long long)e->clock_us++);
    const char *values[] = {session_id, id, time, m->role.bytes, m->content.bytes, or_null(m->tool_call_id),
                            or_null(m->metadata)};
    return send(e, "append", 7, values);
}

static int add_usage(raw_engine *e, uint64_t session) {
    char id[27], time[24];
    raw_id_text(id, session);
    snprintf(time, sizeof time, "%llu", (unsigned long long)e->clock_us++);
    const char *values[] = {id, time};
    return send(e, "usage", 2, values);
}

static int copy_rows(raw_engine *e, const char *name, int count, const char *const *values, size_t expected) {
    PGresult *result = PQexecPrepared(((pq_engine *)e)->connection, name, count, values, 0, 0, 0);
    size_t rows = (size_t)PQntuples(result);
    for (int row = 0; row < PQntuples(result); row++)
        for (int column = 0; column < PQnfields(result); column++)
            memcpy(e->copy, PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
    if (accept_result(e, result, name)) return -1;
    return rows == expected ? 0 : raw_fail(e, name, "rows are missing");
}

static int get(raw_engine *e, uint64_t session) {
    char id[27];
    raw_id_text(id, session);
    const char *values[] = {id};
    return copy_rows(e, "get", 1, values, 1);
}

static int list(raw_engine *e, uint64_t actor) {
    char name[32];
    raw_actor_name(name, actor);
    const char *values[] = {name};
    return copy_rows(e, "list", 1, values, 50);
}

static int tail(raw_engine *e, uint64_t session, size_t expected) {
    char id[27];
    raw_id_text(id, session);
    const char *values[] = {id};
    return copy_rows(e, "tail", 1, values, expected);
}

static int page(raw_engine *e, uint64_t session, uint64_t after, size_t expected) {
    char id[27], sequence[24];
    raw_id_text(id, session);
    snprintf(sequence, sizeof sequence, "%llu", (unsigned long long)after);
    const char *values[] = {id, sequence};
    return copy_rows(e, "page", 2, values, expected);
}

static int count(raw_engine *e, uint64_t session, int64_t *counter, int64_t *rows) {
    char id[27];
    raw_id_text(id, session);
    const char *values[] = {id};
    PGresult *result = PQexecPrepared(((pq_engine *)e)->connection, "count", 1, values, 0, 0, 0);
    if (PQntuples(result) == 1) {
        *counter = atoll(PQgetvalue(result, 0, 0));
        *rows = atoll(PQgetvalue(result, 0, 1));
    }
    return accept_result(e, result, "count");
}

static void show(pq_engine *p, const char *sql, char *value, size_t size) {
    PGresult *result = PQexec(p->connection, sql);
    snprintf(value, size, "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
}

static int settings(raw_engine *e, char *text, size_t size) {
    pq_engine *p = (pq_engine *)e;
    char value[128];
    show(p, "SHOW server_version", value, sizeof value);
    int used = snprintf(text, size, "engine=PostgreSQL %s, libpq %d\n", value, PQlibVersion());
    const char *names[] = {"synchronous_commit", "fsync", "full_page_writes", "wal_sync_method", "shared_buffers"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SHOW %s", names[i]);
        show(p, sql, value, sizeof value);
        used += snprintf(text + used, size - (size_t)used, "%s=%s\n", names[i], value);
    }
    return 0;
}

static int is_durable(raw_engine *e) {
    char commits[32], fsync[32];
    show((pq_engine *)e, "SHOW synchronous_commit", commits, sizeof commits);
    show((pq_engine *)e, "SHOW fsync", fsync, sizeof fsync);
    return strcmp(commits, "off") != 0 && strcmp(fsync, "on") == 0;
}

static int64_t bytes(raw_engine *e) {
    char value[32];
    show((pq_engine *)e,
         "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relnamespace = current_schema()::regnamespace"
         " AND relkind = 'r'", value, sizeof value);
    return atoll(value);
}

static int settle(raw_engine *e) { return execute((pq_engine *)e, "ANALYZE"); }

static void close_engine(raw_engine *e) {
    pq_engine *p = (pq_engine *)e;
    if (p->schema[0]) {
        char sql[128];
        if (p->pipelined) {
            drain(p);
            PQexitPipelineMode(p->connection);
        }
        snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS \"%s\" CASCADE", p->schema);
        PQclear(PQexec(p->connection, sql));
    }
    PQfinish(p->connection);
    free(p);
}

static void ignore(void *argument, const PGresult *result) {
    (void)argument;
    (void)result;
}

/* Connects with the parameters of a location and those beside it that libpq knows. */
static PGconn *connect_to(
    const char *location, const char *const *keywords, const char *const *values, char *error, size_t error_size) {
    enum { maximum = 128 };
    const char *names[maximum] = {0}, *given[maximum] = {0};
    int used = 0;
    char uri[2048];
    snprintf(uri, sizeof uri, "postgresql:%s", location[0] ? location : "//");
    PQconninfoOption *options = PQconninfoParse(uri, 0), *known = PQconndefaults();
    if (!options || !known) {
        snprintf(error, error_size, "libpq does not understand the URL");
        PQconninfoFree(options);
        PQconninfoFree(known);
        return NULL;
    }
    for (PQconninfoOption *o = options; o->keyword && used < maximum / 2; o++)
        if (o->val) names[used] = o->keyword, given[used++] = o->val;
    for (int i = 0; keywords[i] && used < maximum - 2; i++)
        for (PQconninfoOption *o = known; o->keyword; o++)
            if (!strcmp(o->keyword, keywords[i])) {
                names[used] = keywords[i], given[used++] = values[i];
                break;
            }
    names[used] = "gssencmode", given[used] = "disable";
    PGconn *connection = PQconnectdbParams(names, given, 0);
    PQconninfoFree(options);
    PQconninfoFree(known);
    if (PQstatus(connection) != CONNECTION_OK) {
        snprintf(error, error_size, "%s", PQerrorMessage(connection));
        PQfinish(connection);
        return NULL;
    }
    PQsetNoticeReceiver(connection, ignore, 0);
    return connection;
}

#define SESSION "id,actor_name,message_count,input_tokens,output_tokens,estimated_cost,metadata,created_at,updated_at"
#define MESSAGE "id,sequence,role,content,tool_call_id,metadata,created_at"

raw_engine *raw_libpq_open(
    const char *location, const char *const *keywords, const char *const *values, const char *schema, char *error,
    size_t error_size) {
    PGconn *connection = connect_to(location, keywords, values, error, error_size);
    if (!connection) return NULL;
    pq_engine *p = calloc(1, sizeof *p);
    p->base = (raw_engine){
        .clock_us = 1700000000000000u, .begin = begin, .commit = commit, .create = create, .append = append,
        .add_usage = add_usage, .get = get, .list = list, .tail = tail, .page = page, .count = count,
        .settings = settings, .is_durable = is_durable, .bytes = bytes, .settle = settle, .close = close_engine};
    p->connection = connection;
    snprintf(p->schema, sizeof p->schema, "%s", schema);
    char sql[2048];
    snprintf(sql, sizeof sql,
        "CREATE SCHEMA \"%s\"; SET search_path = \"%s\";"
        "CREATE TABLE sessions (id text COLLATE \"C\" PRIMARY KEY, actor_name text NOT NULL,"
        " message_count bigint NOT NULL DEFAULT 0, input_tokens bigint NOT NULL DEFAULT 0,"
        " output_tokens bigint NOT NULL DEFAULT 0, estimated_cost bigint NOT NULL DEFAULT 0, metadata json,"
        " created_at bigint NOT NULL, updated_at bigint NOT NULL) WITH (fillfactor = 70);"
        "CREATE INDEX ON sessions (actor_name); CREATE INDEX ON sessions (created_at);"
        "CREATE TABLE session_messages (id text COLLATE \"C\" PRIMARY KEY,"
        " session_id text COLLATE \"C\" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE, sequence bigint NOT NULL,"
        " role text NOT NULL, content text NOT NULL, tool_call_id text, metadata json, created_at bigint NOT NULL,"
        " UNIQUE (session_id, sequence));", p->schema, p->schema);
    if (!execute(p, sql)
        && !prepare(p, "create", "INSERT INTO sessions (id, actor_name, created_at, updated_at) VALUES ($1,$2,$3,$3)")
        && !prepare(p, "append",
            "WITH touched AS (UPDATE sessions SET message_count = message_count + 1, updated_at = $3::bigint"
            " WHERE id = $1 RETURNING message_count) INSERT INTO session_messages"
            " SELECT $2, $1, message_count, $4, $5, $6, $7::json, $3::bigint FROM touched RETURNING sequence")
        && !prepare(p, "usage",
            "UPDATE sessions SET input_tokens = input_tokens + 10, output_tokens = output_tokens + 5,"
            " estimated_cost = estimated_cost + 1, updated_at = $2::bigint WHERE id = $1 RETURNING " SESSION)
        && !prepare(p, "get", "SELECT " SESSION " FROM sessions WHERE id = $1")
        && !prepare(p, "list", "SELECT " SESSION " FROM sessions WHERE actor_name = $1 ORDER BY id LIMIT 50")
        && !prepare(p, "tail",
            "SELECT " MESSAGE " FROM session_messages WHERE session_id = $1 ORDER BY sequence DESC LIMIT 20")
        && !prepare(p, "page",
            "SELECT " MESSAGE " FROM session_messages WHERE session_id = $1 AND sequence > $2 ORDER BY sequence"
            " LIMIT 20")
        && !prepare(p, "count",
            "SELECT message_count, (SELECT count(*) FROM session_messages WHERE session_id = sessions.id)"
            " FROM sessions WHERE id = $1"))
        return &p->base;
    snprintf(error, error_size, "%s", p->base.error);
    close_engine(&p->base);
    return NULL;
}

#else

raw_engine *raw_libpq_open(
    const char *location, const char *const *keywords, const char *const *values, const char *schema, char *error,
    size_t error_size) {
    (void)location, (void)keywords, (void)values, (void)schema;
    snprintf(error, error_size, "Postgres was not compiled in");
    return NULL;
}

#endif
