#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if SQLite

#include <sqlite3.h>

/* WAL and synchronous=FULL: every commit is on disk. The statements are prepared once. */
typedef struct {
    raw_engine base;
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *create, *touch, *insert, *usage, *get, *list, *tail, *page, *count;
} sqlite_engine;

static int failed(raw_engine *e, const char *what) { return raw_fail(e, what, sqlite3_errmsg(((sqlite_engine *)e)->db)); }

static int execute(sqlite_engine *s, const char *sql) {
    return sqlite3_exec(s->db, sql, 0, 0, 0) == SQLITE_OK ? 0 : failed(&s->base, "execute");
}

static int prepare(sqlite_engine *s, sqlite3_stmt **statement, const char *sql) {
    return sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, 0) == SQLITE_OK
               ? 0 : failed(&s->base, sql);
}

static int finish(raw_engine *e, sqlite3_stmt *statement, const char *what) {
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {}
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : failed(e, what);
}

static void bind_text(sqlite3_stmt *statement, int index, raw_text text) {
    if (text.count) sqlite3_bind_text(statement, index, text.bytes, (int)text.count, SQLITE_STATIC);
    else sqlite3_bind_null(statement, index);
}

static int begin(raw_engine *e, size_t changes) {
    (void)changes;
    return finish(e, ((sqlite_engine *)e)->begin, "begin");
}
static int commit(raw_engine *e) { return finish(e, ((sqlite_engine *)e)->commit, "commit"); }

static int create(raw_engine *e, uint64_t session, uint64_t actor) {
    sqlite3_stmt *s = ((sqlite_engine *)e)->create;
    char id[27], name[32];
    raw_id_text(id, session);
    raw_actor_name(name, actor);
    sqlite3_bind_text(s, 1, id, 26, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)e->clock_us);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)e->clock_us++);
    return finish(e, s, "create");
}

static int append(raw_engine *e, uint64_t session, const raw_message *m) {
    sqlite_engine *s = (sqlite_engine *)e;
    char session_id[27], id[27];
    raw_id_text(session_id, session);
    raw_id_text(id, e->message_serial++);
    sqlite3_bind_int64(s->touch, 1, (sqlite3_int64)e->clock_us);
    sqlite3_bind_text(s->touch, 2, session_id, 26, SQLITE_STATIC);
    if (sqlite3_step(s->touch) != SQLITE_ROW) return failed(e, "touch");
    sqlite3_int64 sequence = sqlite3_column_int64(s->touch, 0);
    if (finish(e, s->touch, "touch")) return -1;
    sqlite3_bind_text(s->insert, 1, id, 26, SQLITE_STATIC);
    sqlite3_bind_text(s->insert, 2, session_id, 26, SQLITE_STATIC);
    sqlite3_bind_int64(s->insert, 3, sequence);
    bind_text(s->insert, 4, m->role);
    sqlite3_bind_text(s->insert, 5, m->content.bytes, (int)m->content.count, SQLITE_STATIC);
    bind_text(s->insert, 6, m->tool_call_id);
    bind_text(s->insert, 7, m->metadata);
    sqlite3_bind_int64(s->insert, 8, (sqlite3_int64)e->clock_us++);
    return finish(e, s->insert, "insert");
}

static int add_usage(raw_engine *e, uint64_t session) {
    sqlite3_stmt *s = ((sqlite_engine *)e)->usage;
    char id[27];
    raw_id_text(id, session);
    sqlite3_bind_int64(s, 1, (sqlite3_int64)e->clock_us++);
    sqlite3_bind_text(s, 2, id, 26, SQLITE_STATIC);
    return finish(e, s, "usage");
}

/* Steps through the rows and copies every column as text. */
static int copy_rows(raw_engine *e, sqlite3_stmt *s, int columns, size_t expected, const char *what) {
    size_t rows = 0;
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        for (int c = 0; c < columns; c++) {
            const void *bytes = sqlite3_column_text(s, c);
            if (bytes) memcpy(e->copy, bytes, (size_t)sqlite3_column_bytes(s, c));
        }
        rows++;
    }
    sqlite3_reset(s);
    if (code != SQLITE_DONE) return failed(e, what);
    return rows == expected ? 0 : raw_fail(e, what, "rows are missing");
}

static int get(raw_engine *e, uint64_t session) {
    sqlite3_stmt *s = ((sqlite_engine *)e)->get;
    char id[27];
    raw_id_text(id, session);
    sqlite3_bind_text(s, 1, id, 26, SQLITE_STATIC);
    return copy_rows(e, s, 9, 1, "get");
}

static int list(raw_engine *e, uint64_t actor) {
    sqlite3_stmt *s = ((sqlite_engine *)e)->list;
    char name[32];
    raw_actor_name(name, actor);
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    return copy_rows(e, s, 9, 50, "list");
}

static int tail(raw_engine *e, uint64_t session, size_t expected) {
    sqlite3_stmt *s = ((sqlite_engine *)e)->tail;
    char id[27];
    raw_id_text(id, session);
    sqlite3_bind_text(s, 1, id, 26, SQLITE_STATIC);
    return copy_rows(e, s, 7, expected, "tail");
}

static int page(raw_engine *e, uint64_t session, uint64_t after, size_t expected) {
    sqlite3_stmt *s = ((sqlite_engine *)e)->page;
    char id[27];
    raw_id_text(id, session);
    sqlite3_bind_text(s, 1, id, 26, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)after);
    return copy_rows(e, s, 7, expected, "page");
}

static int count(raw_engine *e, uint64_t session, int64_t *counter, int64_t *rows) {
    sqlite3_stmt *s = ((sqlite_engine *)e)->count;
    char id[27];
    raw_id_text(id, session);
    sqlite3_bind_text(s, 1, id, 26, SQLITE_STATIC);
    if (sqlite3_step(s) != SQLITE_ROW) return failed(e, "count");
    *counter = sqlite3_column_int64(s, 0);
    *rows = sqlite3_column_int64(s, 1);
    return finish(e, s, "count");
}

static int pragma(sqlite_engine *s, const char *name, char *value, size_t size) {
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA %s", name);
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(s->db, sql, -1, &statement, 0) != SQLITE_OK) return failed(&s->base, sql);
    int code = sqlite3_step(statement);
    const unsigned char *text = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : 0;
    snprintf(value, size, "%s", text ? (const char *)text : "");
    sqlite3_finalize(statement);
    return 0;
}

static int settings(raw_engine *e, char *text, size_t size) {
    sqlite_engine *s = (sqlite_engine *)e;
    int used = snprintf(text, size, "engine=SQLite %s\n", sqlite3_libversion());
    const char *names[] = {"journal_mode", "synchronous", "page_size", "cache_size", "foreign_keys"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char value[64];
        if (pragma(s, names[i], value, sizeof value)) return -1;
        used += snprintf(text + used, size - (size_t)used, "%s=%s\n", names[i], value);
    }
    return 0;
}

static int is_durable(raw_engine *e) {
    char mode[64], synchronous[64];
    if (pragma((sqlite_engine *)e, "journal_mode", mode, sizeof mode)
        || pragma((sqlite_engine *)e, "synchronous", synchronous, sizeof synchronous)) return 0;
    return strcmp(mode, "wal") == 0 && atoi(synchronous) >= 2;
}

static void close_engine(raw_engine *e) {
    sqlite_engine *s = (sqlite_engine *)e;
    sqlite3_stmt *statements[] = {s->begin, s->commit, s->create, s->touch, s->insert, s->usage,
                                  s->get, s->list, s->tail, s->page, s->count};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) sqlite3_finalize(statements[i]);
    sqlite3_close_v2(s->db);
    free(s);
}

#define SESSION "id,actor_name,message_count,input_tokens,output_tokens,estimated_cost,metadata,created_at,updated_at"
#define MESSAGE "id,sequence,role,content,tool_call_id,metadata,created_at"

raw_engine *raw_sqlite_open(const char *path, char *error, size_t error_size) {
    sqlite_engine *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->base = (raw_engine){
        .clock_us = 1700000000000000u, .begin = begin, .commit = commit, .create = create, .append = append,
        .add_usage = add_usage, .get = get, .list = list, .tail = tail, .page = page, .count = count,
        .settings = settings, .is_durable = is_durable, .close = close_engine};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &s->db, flags, 0) != SQLITE_OK) failed(&s->base, "open");
    else if (execute(s,
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;"
            "PRAGMA temp_store=MEMORY;"
            "CREATE TABLE sessions (id TEXT PRIMARY KEY NOT NULL, actor_name TEXT NOT NULL,"
            " message_count INTEGER NOT NULL DEFAULT 0, input_tokens INTEGER NOT NULL DEFAULT 0,"
            " output_tokens INTEGER NOT NULL DEFAULT 0, estimated_cost INTEGER NOT NULL DEFAULT 0, metadata TEXT,"
            " created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) WITHOUT ROWID;"
            "CREATE INDEX sessions_by_actor ON sessions (actor_name);"
            "CREATE INDEX sessions_by_time ON sessions (created_at);"
            "CREATE TABLE session_messages (id TEXT PRIMARY KEY NOT NULL,"
            " session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE, sequence INTEGER NOT NULL,"
            " role TEXT NOT NULL, content TEXT NOT NULL, tool_call_id TEXT, metadata TEXT,"
            " created_at INTEGER NOT NULL);"
            "CREATE UNIQUE INDEX messages_by_sequence ON session_messages (session_id, sequence);")) {}
    else if (prepare(s, &s->begin, "BEGIN IMMEDIATE") || prepare(s, &s->commit, "COMMIT")
        || prepare(s, &s->create, "INSERT INTO sessions (id, actor_name, created_at, updated_at) VALUES (?,?,?,?)")
        || prepare(s, &s->touch, "UPDATE sessions SET message_count = message_count + 1, updated_at = ? WHERE id = ?"
                                 " RETURNING message_count")
        || prepare(s, &s->insert, "INSERT INTO session_messages (id, session_id, sequence, role, content, tool_call_id,"
                                  " metadata, created_at) VALUES (?,?,?,?,?,?,?,?)")
        || prepare(s, &s->usage, "UPDATE sessions SET input_tokens = input_tokens + 10, output_tokens = output_tokens"
                                 " + 5, estimated_cost = estimated_cost + 1, updated_at = ? WHERE id = ?"
                                 " RETURNING " SESSION)
        || prepare(s, &s->get, "SELECT " SESSION " FROM sessions WHERE id = ?")
        || prepare(s, &s->list, "SELECT " SESSION " FROM sessions WHERE actor_name = ? ORDER BY id LIMIT 50")
        || prepare(s, &s->tail, "SELECT " MESSAGE " FROM session_messages WHERE session_id = ? ORDER BY sequence DESC"
                                " LIMIT 20")
        || prepare(s, &s->page, "SELECT " MESSAGE " FROM session_messages WHERE session_id = ? AND sequence > ?"
                                " ORDER BY sequence LIMIT 20")
        || prepare(s, &s->count, "SELECT message_count, (SELECT count(*) FROM session_messages WHERE session_id = sessions.id)"
                                 " FROM sessions WHERE id = ?")) {}
    else return &s->base;
    snprintf(error, error_size, "%s", s->base.error);
    close_engine(&s->base);
    return NULL;
}

#else

raw_engine *raw_sqlite_open(const char *path, char *error, size_t error_size) {
    (void)path;
    snprintf(error, error_size, "SQLite was not compiled in");
    return NULL;
}

#endif
