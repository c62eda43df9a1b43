#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if LMDB

#include <lmdb.h>

/* Default flags: every commit is on disk. Keys are big-endian, so that sequences are in order. */
typedef struct {
    raw_engine base;
    MDB_env *env;
    MDB_txn *write, *read;
    MDB_cursor *tail, *by_actor_cursor;
    MDB_dbi sessions, messages, by_actor, by_created, by_id;
} lmdb_engine;

typedef struct {
    uint64_t count, input, output, cost, created, updated;
    char actor[24];
} session_row;

static int check(raw_engine *e, int code, const char *what) { return code ? raw_fail(e, what, mdb_strerror(code)) : 0; }
static uint64_t big_endian(uint64_t value) { return __builtin_bswap64(value); }

static void make_key(unsigned char key[16], uint64_t number) {
    uint64_t bytes = big_endian(number);
    memset(key, 0, 8);
    memcpy(key + 8, &bytes, 8);
}

static void make_message_key(unsigned char key[24], uint64_t session, uint64_t sequence) {
    uint64_t bytes = big_endian(sequence);
    make_key(key, session);
    memcpy(key + 16, &bytes, 8);
}

static int begin(raw_engine *e, size_t changes) {
    (void)changes;
    lmdb_engine *l = (lmdb_engine *)e;
    return check(e, mdb_txn_begin(l->env, 0, 0, &l->write), "begin");
}

static int commit(raw_engine *e) { return check(e, mdb_txn_commit(((lmdb_engine *)e)->write), "commit"); }

static int create(raw_engine *e, uint64_t session, uint64_t actor) {
    lmdb_engine *l = (lmdb_engine *)e;
    unsigned char key[16];
    char name[32];
    session_row row = {.created = e->clock_us, .updated = e->clock_us};
    make_key(key, session);
    raw_actor_name(name, actor);
    memcpy(row.actor, name, sizeof row.actor);
    uint64_t created = big_endian(e->clock_us++);
    MDB_val id = {16, key}, value = {sizeof row, &row}, actor_key = {strlen(name), name}, time_key = {8, &created};
    int code = mdb_put(l->write, l->sessions, &id, &value, 0);
    if (!code) code = mdb_put(l->write, l->by_actor, &actor_key, &id, 0);
    if (!code) code = mdb_put(l->write, l->by_created, &time_key, &id, 0);
    return check(e, code, "create");
}

static int change(raw_engine *e, uint64_t session, session_row *row) {
    lmdb_engine *l = (lmdb_engine *)e;
    unsigned char key[16];
    make_key(key, session);
    MDB_val id = {16, key}, value = {sizeof *row, row};
    row->updated = e->clock_us;
    return check(e, mdb_put(l->write, l->sessions, &id, &value, 0), "change");
}

static int find(raw_engine *e, uint64_t session, session_row *row) {
    lmdb_engine *l = (lmdb_engine *)e;
    unsigned char key[16];
    make_key(key, session);
    MDB_val id = {16, key}, value;
    int code = mdb_get(l->write, l->sessions, &id, &value);
    if (code) return check(e, code, "find");
    memcpy(row, value.mv_data, sizeof *row);
    return 0;
}

static int append(raw_engine *e, uint64_t session, const raw_message *m) {
    lmdb_engine *l = (lmdb_engine *)e;
    session_row row;
    if (find(e, session, &row)) return -1;
    row.count++;
    if (change(e, session, &row)) return -1;
    unsigned char key[24], id[16];
    make_message_key(key, session, row.count);
    make_key(id, e->message_serial++);
    const raw_text fields[4] = {m->role, m->content, m->tool_call_id, m->metadata};
    size_t size = 16 + 8 + 16;
    for (int i = 0; i < 4; i++) size += fields[i].count;
    MDB_val message_key = {24, key}, value = {size, 0}, id_key = {16, id};
    int code = mdb_put(l->write, l->messages, &message_key, &value, MDB_RESERVE);
    if (code) return check(e, code, "append");
    char *at = value.mv_data;
    memcpy(at, id, 16);
    memcpy(at + 16, &e->clock_us, 8);
    at += 24;
    for (int i = 0; i < 4; i++, at += 4) {
        uint32_t length = (uint32_t)fields[i].count;
        memcpy(at, &length, 4);
    }
    for (int i = 0; i < 4; i++) {
        memcpy(at, fields[i].bytes, fields[i].count);
        at += fields[i].count;
    }
    e->clock_us++;
    return check(e, mdb_put(l->write, l->by_id, &id_key, &message_key, 0), "index");
}

static int add_usage(raw_engine *e, uint64_t session) {
    session_row row;
    if (find(e, session, &row)) return -1;
    row.input += 10;
    row.output += 5;
    row.cost += 1;
    e->clock_us++;
    return change(e, session, &row);
}

/* The one read transaction is reset after each read and renewed before the next. */
static int begin_read(lmdb_engine *l) {
    int code = l->read ? mdb_txn_renew(l->read) : mdb_txn_begin(l->env, 0, MDB_RDONLY, &l->read);
    return check(&l->base, code, "read");
}

static int begin_cursor(lmdb_engine *l, MDB_cursor **cursor, MDB_dbi database) {
    if (begin_read(l)) return -1;
    int code = *cursor ? mdb_cursor_renew(l->read, *cursor) : mdb_cursor_open(l->read, database, cursor);
    return check(&l->base, code, "cursor");
}

static int end_read(lmdb_engine *l, int code, const char *what) {
    mdb_txn_reset(l->read);
    return check(&l->base, code, what);
}

static int get(raw_engine *e, uint64_t session) {
    lmdb_engine *l = (lmdb_engine *)e;
    unsigned char key[16];
    make_key(key, session);
    MDB_val id = {16, key}, value;
    if (begin_read(l)) return -1;
    int code = mdb_get(l->read, l->sessions, &id, &value);
    if (!code) memcpy(e->copy, value.mv_data, value.mv_size);
    return end_read(l, code, "get");
}

static int list(raw_engine *e, uint64_t actor) {
    lmdb_engine *l = (lmdb_engine *)e;
    char name[32];
    raw_actor_name(name, actor);
    MDB_val key = {strlen(name), name}, id, row;
    if (begin_cursor(l, &l->by_actor_cursor, l->by_actor)) return -1;
    int rows = 0, code = mdb_cursor_get(l->by_actor_cursor, &key, &id, MDB_SET_KEY);
    while (!code) {
        if ((code = mdb_get(l->read, l->sessions, &id, &row))) break;
        memcpy(e->copy, row.mv_data, row.mv_size);
        if (++rows == 50) break;
        code = mdb_cursor_get(l->by_actor_cursor, &key, &id, MDB_NEXT_DUP);
    }
    if (end_read(l, code, "list")) return -1;
    return rows == 50 ? 0 : raw_fail(e, "list", "rows are missing");
}

static int walk(lmdb_engine *l, const unsigned char *prefix, MDB_val key, MDB_val value, int code, MDB_cursor_op step,
                size_t expected, const char *what) {
    size_t rows = 0;
    while (!code && !memcmp(key.mv_data, prefix, 16)) {
        memcpy(l->base.copy, value.mv_data, value.mv_size);
        if (++rows == 20) break;
        code = mdb_cursor_get(l->tail, &key, &value, step);
    }
    if (end_read(l, code == MDB_NOTFOUND ? 0 : code, what)) return -1;
    return rows == expected ? 0 : raw_fail(&l->base, what, "rows are missing");
}

static int tail(raw_engine *e, uint64_t session, size_t expected) {
    lmdb_engine *l = (lmdb_engine *)e;
    unsigned char key_bytes[24];
    make_message_key(key_bytes, session, UINT64_MAX);
    MDB_val key = {24, key_bytes}, value;
    if (begin_cursor(l, &l->tail, l->messages)) return -1;
    /* The first entry behind the session, and one step back. */
    int code = mdb_cursor_get(l->tail, &key, &value, MDB_SET_RANGE);
    code = mdb_cursor_get(l->tail, &key, &value, code ? MDB_LAST : MDB_PREV);
    return walk(l, key_bytes, key, value, code, MDB_PREV, expected, "tail");
}

static int page(raw_engine *e, uint64_t session, uint64_t after, size_t expected) {
    lmdb_engine *l = (lmdb_engine *)e;
    unsigned char key_bytes[24];
    make_message_key(key_bytes, session, after + 1);
    MDB_val key = {24, key_bytes}, value;
    if (begin_cursor(l, &l->tail, l->messages)) return -1;
    int code = mdb_cursor_get(l->tail, &key, &value, MDB_SET_RANGE);
    return walk(l, key_bytes, key, value, code, MDB_NEXT, expected, "page");
}

static int count(raw_engine *e, uint64_t session, int64_t *counter, int64_t *rows) {
    lmdb_engine *l = (lmdb_engine *)e;
    unsigned char key_bytes[24];
    make_message_key(key_bytes, session, 1);
    MDB_val id = {16, key_bytes}, key = {24, key_bytes}, value;
    if (begin_cursor(l, &l->tail, l->messages)) return -1;
    int code = mdb_get(l->read, l->sessions, &id, &value);
    if (code) return end_read(l, code, "count");
    *counter = (int64_t)((session_row *)value.mv_data)->count;
    *rows = 0;
    unsigned char prefix[16];
    memcpy(prefix, key_bytes, 16);
    code = mdb_cursor_get(l->tail, &key, &value, MDB_SET_RANGE);
    while (!code && !memcmp(key.mv_data, prefix, 16)) {
        ++*rows;
        code = mdb_cursor_get(l->tail, &key, &value, MDB_NEXT);
    }
    return end_read(l, code == MDB_NOTFOUND ? 0 : code, "count");
}

static int settings(raw_engine *e, char *text, size_t size) {
    lmdb_engine *l = (lmdb_engine *)e;
    unsigned int flags;
    MDB_envinfo info;
    if (check(e, mdb_env_get_flags(l->env, &flags), "flags") || check(e, mdb_env_info(l->env, &info), "info")) return -1;
    snprintf(text, size, "engine=%s\nsync=%s\nmap_size=%zu\n", mdb_version(0, 0, 0),
             flags & MDB_NOSYNC ? "none" : flags & MDB_NOMETASYNC ? "nometa" : "full", info.me_mapsize);
    return 0;
}

static int is_durable(raw_engine *e) {
    unsigned int flags;
    return !mdb_env_get_flags(((lmdb_engine *)e)->env, &flags) && !(flags & (MDB_NOSYNC | MDB_NOMETASYNC | MDB_MAPASYNC));
}

static void close_engine(raw_engine *e) {
    lmdb_engine *l = (lmdb_engine *)e;
    if (l->tail) mdb_cursor_close(l->tail);
    if (l->by_actor_cursor) mdb_cursor_close(l->by_actor_cursor);
    if (l->read) mdb_txn_abort(l->read);
    if (l->env) mdb_env_close(l->env);
    free(l);
}

raw_engine *raw_lmdb_open(const char *folder, char *error, size_t error_size) {
    lmdb_engine *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->base = (raw_engine){
        .clock_us = 1700000000000000u, .begin = begin, .commit = commit, .create = create, .append = append,
        .add_usage = add_usage, .get = get, .list = list, .tail = tail, .page = page, .count = count,
        .settings = settings, .is_durable = is_durable, .close = close_engine};
    const unsigned int index = MDB_CREATE | MDB_DUPSORT | MDB_DUPFIXED;
    int code = mdb_env_create(&l->env);
    if (!code) code = mdb_env_set_maxdbs(l->env, 8);
    if (!code) code = mdb_env_set_mapsize(l->env, (size_t)64 << 30);
    if (!code) code = mdb_env_open(l->env, folder, MDB_NOTLS, 0600);
    if (!code) code = mdb_txn_begin(l->env, 0, 0, &l->write);
    if (!code) code = mdb_dbi_open(l->write, "sessions", MDB_CREATE, &l->sessions);
    if (!code) code = mdb_dbi_open(l->write, "messages", MDB_CREATE, &l->messages);
    if (!code) code = mdb_dbi_open(l->write, "by_actor", index, &l->by_actor);
    if (!code) code = mdb_dbi_open(l->write, "by_created", index, &l->by_created);
    if (!code) code = mdb_dbi_open(l->write, "by_id", MDB_CREATE, &l->by_id);
    if (!code) code = mdb_txn_commit(l->write);
    if (!code) return &l->base;
    snprintf(error, error_size, "%s", mdb_strerror(code));
    close_engine(&l->base);
    return NULL;
}

#else

raw_engine *raw_lmdb_open(const char *folder, char *error, size_t error_size) {
    (void)folder;
    snprintf(error, error_size, "LMDB was not compiled in");
    return NULL;
}

#endif
