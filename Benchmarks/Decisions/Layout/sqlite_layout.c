/* Measures SQLite table layouts for sessions and messages, through the C API (see docs/decisions/0001-sqlite-table-layout.md).
 *
 * build:  gcc -O2 -o sqlite_layout sqlite_layout.c -lsqlite3 -lpthread
 * usage:  sqlite_layout STAGE [-d DIR] [-s SESSIONS] [-m MESSAGES] [-r REPETITIONS] [-l A4,C8,...] [-q] [-k KB]
 *   STAGE  layouts      every layout named by -l: load, appends, tails, pages, lists, imports; medians over the repetitions
 *          checkpoints  cost of a single append under each way of checkpointing, on the layouts named by -l
 *   -d     directory of the scratch databases (default /tmp/layout); they are deleted at the end
 *   -l     a letter for the layout (below) and the page size in KB: A4 is layout A with pages of 4096 bytes
 *   -q     load session after session instead of interleaved in time (for very large stores)
 *   -k     reader cache in KB (default 16384); the writer's is 65536
 *
 * Every store is WAL, synchronous=FULL, foreign_keys=ON. Messages are synthetic, made from a fixed seed: a long system prompt first, then
 * contents from empty to 2 KB (mean about 480 bytes), 44 % with metadata. An append does what the product does: it reads
 * the session, looks for the message id, updates the session, inserts the message. "rnd" picks any session; "hot" picks, nine times of ten,
 * one of 200 sessions among the 2,000 newest. Output: a line a layout, operations a second (p99 in microseconds where named so). */
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- layouts ---- */

#define COLUMNS(type) "CREATE TABLE session_messages(id " type " NOT NULL, session_id " type " NOT NULL REFERENCES sessions(id) ON DELETE CASCADE," \
  " sequence INTEGER NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL, tool_call_id TEXT, metadata TEXT, created_at INTEGER NOT NULL,"
#define ORDER ";CREATE UNIQUE INDEX session_messages_order ON session_messages(session_id, sequence);"
#define SESSIONS(type) "CREATE TABLE sessions(id " type " PRIMARY KEY NOT NULL, actor_name TEXT NOT NULL, message_count INTEGER NOT NULL DEFAULT 0," \
  " input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0, estimated_cost INTEGER NOT NULL DEFAULT 0," \
  " metadata TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL)"
#define CLUSTERED_SESSIONS(type) SESSIONS(type) " WITHOUT ROWID;" \
  "CREATE INDEX sessions_actor ON sessions(actor_name, created_at); CREATE INDEX sessions_created ON sessions(created_at);"
#define ROWID_SESSIONS SESSIONS("TEXT") ";" \
  "CREATE INDEX sessions_actor ON sessions(actor_name, created_at, id); CREATE INDEX sessions_created ON sessions(created_at, id);"
#define MESSAGES_C COLUMNS("TEXT") "PRIMARY KEY(session_id, sequence), UNIQUE(id, session_id)) WITHOUT ROWID;"
#define MESSAGES_A COLUMNS("TEXT") "PRIMARY KEY(id, session_id))" ORDER

enum { PLACED = 1, BLOB = 2, YARDSTICK = 4 };
typedef struct { char letter; int flags; const char *sessions, *messages, *what; } Layout;
static const Layout layouts[] = {
  {'A', 0, CLUSTERED_SESSIONS("TEXT"), MESSAGES_A, "rowid, PK(id, session_id), unique(session_id, sequence)"},
  {'B', 0, CLUSTERED_SESSIONS("TEXT"), COLUMNS("TEXT") "UNIQUE(session_id, id))" ORDER, "rowid, unique(session_id, id), unique(session_id, sequence)"},
  {'C', 0, CLUSTERED_SESSIONS("TEXT"), MESSAGES_C, "clustered PK(session_id, sequence), unique(id, session_id)"},
  {'D', 0, CLUSTERED_SESSIONS("TEXT"), COLUMNS("TEXT") "PRIMARY KEY(session_id, sequence), UNIQUE(session_id, id)) WITHOUT ROWID;", "clustered PK(session_id, sequence), unique(session_id, id)"},
  {'E', 0, CLUSTERED_SESSIONS("TEXT"), COLUMNS("TEXT") "PRIMARY KEY(id))" ORDER, "the yardstick's tables: rowid, PK(id), unique(session_id, sequence)"},
  {'Y', YARDSTICK, CLUSTERED_SESSIONS("TEXT"), COLUMNS("TEXT") "PRIMARY KEY(id))" ORDER, "E with the yardstick's own two statements: no session read, no id check"},
  {'G', PLACED, ROWID_SESSIONS, MESSAGES_A, "A, each row placed: rowid = session's rowid << 32 | sequence"},
  {'R', 0, ROWID_SESSIONS, MESSAGES_A, "A with a rowid table of sessions"},
  {'S', 0, ROWID_SESSIONS, MESSAGES_C, "C with a rowid table of sessions"},
  {'X', BLOB, CLUSTERED_SESSIONS("BLOB"), COLUMNS("BLOB") "PRIMARY KEY(session_id, sequence), UNIQUE(id, session_id)) WITHOUT ROWID;", "C with ids of 16 bytes"},
};

/* ---- small things ---- */

static void die(const char *what, const char *why) { fprintf(stderr, "%s: %s\n", what, why); exit(1); }
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static uint64_t mix(uint64_t x) { x += 0x9E3779B97F4A7C15ull; x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull; x = (x ^ x >> 27) * 0x94D049BB133111EBull; return x ^ x >> 31; }
static uint64_t dice_state;
static uint32_t dice(uint32_t n) { return (uint32_t)(mix(dice_state++) >> 32) % n; }
static int by_value(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return (x > y) - (x < y); }

typedef struct { char bytes[27]; int n; } Id;
/* 48 bits of time and 80 of hash, as a ULID has: serial numbers of one kind are in order of time. */
static Id make_id(uint64_t ms, uint64_t salt, int blob) {
  static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  Id id; uint64_t a = mix(ms * 31 + salt), b = mix(a); ms += 1700000000000ull;
  if (blob) { for (int i = 0; i < 6; i++) id.bytes[i] = ms >> (40 - 8 * i); memcpy(id.bytes + 6, &a, 8); memcpy(id.bytes + 14, &b, 2); id.n = 16; return id; }
  for (int i = 9; i >= 0; i--, ms >>= 5) id.bytes[i] = digits[ms & 31];
  for (int i = 0; i < 8; i++) { id.bytes[10 + i] = digits[a >> (5 * i) & 31]; id.bytes[18 + i] = digits[b >> (5 * i) & 31]; }
  id.bytes[26] = 0; id.n = 26; return id;
}

static char prose[16384];
typedef struct { const char *content, *metadata, *tool; int content_n, metadata_n, tool_n; } Body;
static Body body(uint64_t salt, int64_t sequence) {
  static const int quantile[] = {0, 0, 19, 60, 127, 240, 399, 600, 801, 1230, 2000};
  uint64_t h = mix(salt); int q = h % 10, f = (h >> 8) % 1000; Body b;
  b.content_n = sequence == 1 ? 6155 : quantile[q] + (quantile[q + 1] - quantile[q]) * f / 1000;
  b.content = prose + (h >> 20) % 4096; b.metadata = "{}"; b.metadata_n = 2; b.tool = 0; b.tool_n = 0;
  if ((h >> 32) % 100 < 44) { b.metadata = prose + 8192; b.metadata_n = 60 + (h >> 40) % 300; }
  if ((h >> 32) % 100 < 25) { b.tool = prose + (h >> 50) % 4096; b.tool_n = 29; }
  return b;
}

/* ---- a store ---- */

typedef struct { sqlite3 *db; sqlite3_stmt *begin, *commit, *create, *session, *known, *update, *touch, *insert, *tail, *page, *list; } Connection;
typedef struct {
  const Layout *layout; int page_kb; char path[512]; Connection writer, reader;
  Id *ids; uint32_t *counts, n, actors, hot[200]; uint64_t serial;
} Store;

static uint32_t session_count = 200, message_count = 5300; static int repetitions = 3, in_session_order, reader_kb = 16384;
static const char *directory = "/tmp/layout";
static char *copied; static size_t bytes_read;

static void run(Connection *c, const char *sql) { char *e = 0; if (sqlite3_exec(c->db, sql, 0, 0, &e)) die(sql, e); }
static sqlite3_stmt *prepare(Connection *c, const char *sql) { sqlite3_stmt *s; if (sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, 0)) die(sql, sqlite3_errmsg(c->db)); return s; }
static void done(Connection *c, sqlite3_stmt *s) { int rc; while ((rc = sqlite3_step(s)) == SQLITE_ROW); if (rc != SQLITE_DONE) die("step", sqlite3_errmsg(c->db)); sqlite3_reset(s); }
static void bind_id(sqlite3_stmt *s, int i, const Id *id) { if (id->n == 16) sqlite3_bind_blob(s, i, id->bytes, 16, SQLITE_STATIC); else sqlite3_bind_text(s, i, id->bytes, 26, SQLITE_STATIC); }
static void rows(sqlite3_stmt *s, int at_least) {
  int n = 0, columns = sqlite3_column_count(s);
  for (; sqlite3_step(s) == SQLITE_ROW; n++) for (int c = 0; c < columns; c++) { const void *p = sqlite3_column_blob(s, c); int b = sqlite3_column_bytes(s, c); if (p) memcpy(copied, p, b); bytes_read += b; }
  sqlite3_reset(s); if (n < at_least) die("rows", "too few");
}

static void connect_to(Store *s, Connection *c, int cache_kb) {
  char sql[256];
  if (sqlite3_open_v2(s->path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, 0)) die(s->path, sqlite3_errmsg(c->db));
  snprintf(sql, sizeof sql, "PRAGMA page_size=%d; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-%d; PRAGMA temp_store=MEMORY;", s->page_kb * 1024, cache_kb);
  run(c, sql); sqlite3_busy_timeout(c->db, 5000);
}
static void prepare_all(Store *s, Connection *c) {
#define SESSION_COLUMNS "id,actor_name,message_count,input_tokens,output_tokens,estimated_cost,metadata,created_at,updated_at"
#define MESSAGE_COLUMNS "id,session_id,sequence,role,content,tool_call_id,metadata,created_at"
  int placed = s->layout->flags & PLACED;
  c->begin = prepare(c, "BEGIN IMMEDIATE"); c->commit = prepare(c, "COMMIT");
  c->create = prepare(c, "INSERT INTO sessions(id,actor_name,message_count,metadata,created_at,updated_at) VALUES(?,?,?,'{\"source\":\"bench\",\"title\":\"a conversation about flights\"}',?,?)");
  c->session = prepare(c, placed ? "SELECT message_count,updated_at,actor_name,input_tokens,output_tokens,estimated_cost,metadata,created_at,rowid FROM sessions WHERE id=?"
                                 : "SELECT message_count,updated_at,actor_name,input_tokens,output_tokens,estimated_cost,metadata,created_at FROM sessions WHERE id=?");
  c->known = prepare(c, "SELECT sequence FROM session_messages WHERE id=? AND session_id=?");
  c->update = prepare(c, "UPDATE sessions SET message_count=?, updated_at=?, input_tokens=input_tokens+? WHERE id=?");
  c->touch = prepare(c, "UPDATE sessions SET message_count=message_count+1, updated_at=? WHERE id=? RETURNING message_count");
  c->insert = prepare(c, placed ? "INSERT INTO session_messages(" MESSAGE_COLUMNS ",rowid) VALUES(?,?,?,?,?,?,?,?,?)" : "INSERT INTO session_messages(" MESSAGE_COLUMNS ") VALUES(?,?,?,?,?,?,?,?)");
  c->tail = prepare(c, "SELECT " MESSAGE_COLUMNS " FROM session_messages WHERE session_id=? ORDER BY sequence DESC LIMIT 20");
  c->page = prepare(c, "SELECT " MESSAGE_COLUMNS " FROM session_messages WHERE session_id=? AND sequence>? ORDER BY sequence LIMIT 50");
  c->list = prepare(c, "SELECT " SESSION_COLUMNS " FROM sessions WHERE actor_name=? ORDER BY created_at DESC, id DESC LIMIT 50");
}

static void insert_message(Store *s, const Id *session, int64_t sequence, int64_t session_rowid) {
  static const char *const roles[] = {"system", "user", "assistant", "tool"};
  Connection *c = &s->writer; uint64_t n = s->serial++; Id id = make_id(10000000 + n, 7, s->layout->flags & BLOB); Body b = body(n, sequence); sqlite3_stmt *i = c->insert;
  if (!(s->layout->flags & YARDSTICK) && session_rowid >= 0) {
    bind_id(c->known, 1, &id); bind_id(c->known, 2, session); if (sqlite3_step(c->known) != SQLITE_DONE) die("known", "id is there"); sqlite3_reset(c->known);
  }
  bind_id(i, 1, &id); bind_id(i, 2, session); sqlite3_bind_int64(i, 3, sequence); sqlite3_bind_text(i, 4, roles[sequence == 1 ? 0 : 1 + n % 3], -1, SQLITE_STATIC);
  sqlite3_bind_text(i, 5, b.content, b.content_n, SQLITE_STATIC);
  if (b.tool) sqlite3_bind_text(i, 6, b.tool, b.tool_n, SQLITE_STATIC); else sqlite3_bind_null(i, 6);
  sqlite3_bind_text(i, 7, b.metadata, b.metadata_n, SQLITE_STATIC); sqlite3_bind_int64(i, 8, 1700000000000000ll + n);
  if (s->layout->flags & PLACED) sqlite3_bind_int64(i, 9, llabs(session_rowid) << 32 | sequence);
  done(c, i);
}
static void append_in_transaction(Store *s, uint32_t index) {
  Connection *c = &s->writer; Id *id = &s->ids[index]; int64_t rowid = 0, count; sqlite3_stmt *u = c->update;
  if (s->layout->flags & YARDSTICK) {
    sqlite3_bind_int64(c->touch, 1, 1700000000000000ll + s->serial); bind_id(c->touch, 2, id);
    if (sqlite3_step(c->touch) != SQLITE_ROW) die("touch", "no session");
    count = sqlite3_column_int64(c->touch, 0); done(c, c->touch);
  } else {
    bind_id(c->session, 1, id);
    if (sqlite3_step(c->session) != SQLITE_ROW) die("session", "missing");
    count = sqlite3_column_int64(c->session, 0) + 1;
    if (s->layout->flags & PLACED) rowid = sqlite3_column_int64(c->session, 8);
    sqlite3_reset(c->session);
    sqlite3_bind_int64(u, 1, count); sqlite3_bind_int64(u, 2, 1700000000000000ll + s->serial); sqlite3_bind_int64(u, 3, 10); bind_id(u, 4, id); done(c, u);
  }
  insert_message(s, id, count, rowid); s->counts[index] = count;
}
static void create_session(Store *s, const Id *id, int64_t at, int messages) {
  char actor[32]; snprintf(actor, sizeof actor, "bench/actor-%lld", (long long)(at % s->actors)); sqlite3_stmt *c = s->writer.create;
  bind_id(c, 1, id); sqlite3_bind_text(c, 2, actor, -1, SQLITE_STATIC); sqlite3_bind_int64(c, 3, messages); sqlite3_bind_int64(c, 4, 1700000000000000ll + at); sqlite3_bind_int64(c, 5, 1700000000000000ll + at); done(&s->writer, c);
}
static uint32_t pick(Store *s, int hot) { return hot && dice(10) ? s->hot[dice(200)] : dice(s->n); }

static double load(Store *s) {
  snprintf(s->path, sizeof s->path, "%s/%c%d.db", directory, s->layout->letter, s->page_kb); unlink(s->path);
  connect_to(s, &s->writer, 65536); run(&s->writer, s->layout->sessions); run(&s->writer, s->layout->messages); prepare_all(s, &s->writer);
  s->n = session_count; s->actors = session_count / 20 < 10 ? 3 : session_count / 100; s->serial = 0;
  s->ids = malloc((s->n + 1) * sizeof *s->ids); s->counts = calloc(s->n, sizeof *s->counts);
  uint32_t *order = malloc(message_count * sizeof *order), longer = s->n >= 2000 ? 10 : 4, longer_share = s->n >= 2000 ? 25 : 5;
  dice_state = 42;
  /* Every session has its system prompt first; a few long sessions take one message of 25 (or of 5). */
  for (uint32_t i = 0; i < message_count; i++) order[i] = i < s->n ? i : in_session_order ? (uint32_t)((uint64_t)i * s->n / message_count) : dice(longer_share) ? dice(s->n) : dice(longer) * (s->n / longer);
  if (in_session_order) for (uint32_t i = 0; i < message_count; i++) order[i] = (uint64_t)i * s->n / message_count;
  for (uint32_t i = 0; i < message_count; i++) s->counts[order[i]]++;
  double t0 = now(); done(&s->writer, s->writer.begin);
  for (uint32_t i = 0; i < s->n; i++) { s->ids[i] = make_id(i, 1, s->layout->flags & BLOB); create_session(s, &s->ids[i], i, s->counts[i]); s->counts[i] = 0; }
  for (uint32_t i = 0; i < message_count; i++) {
    if (i % 5000 == 4999) { done(&s->writer, s->writer.commit); done(&s->writer, s->writer.begin); }
    insert_message(s, &s->ids[order[i]], ++s->counts[order[i]], -(int64_t)(order[i] + 1));      /* negative: no check of the id */
  }
  done(&s->writer, s->writer.commit); double seconds = now() - t0; free(order);
  uint32_t newest = s->n < 2000 ? s->n : 2000; for (int i = 0; i < 200; i++) s->hot[i] = s->n - 1 - dice(newest);
  connect_to(s, &s->reader, reader_kb); prepare_all(s, &s->reader); return seconds;
}
static void close_store(Store *s) {
  for (int i = 0; i < 2; i++) { Connection *c = i ? &s->writer : &s->reader; sqlite3_stmt *st; while ((st = sqlite3_next_stmt(c->db, 0))) sqlite3_finalize(st); sqlite3_close(c->db); }
  unlink(s->path); free(s->ids); free(s->counts);
}

/* ---- operations ---- */

enum { APPEND_RND, APPEND_HOT, P99_RND, P99_HOT, SHARED_RND, SHARED_HOT, SHARED_FIXED, TAIL_RND, TAIL_HOT, TAIL_BUSY, TAIL_BUSY_MAP, PAGE, LIST, IMPORT25, OPERATIONS };
static const char *const names[] = {"append_rnd", "append_hot", "p99_rnd_us", "p99_hot_us", "share32_rnd", "share32_hot", "share32_fix", "tail_rnd", "tail_hot", "tail_busy", "busy_mmap", "page50", "list50", "import25"};

static double *samples; static size_t sample_count;
static double total(void) { double t = 0; for (size_t i = 0; i < sample_count; i++) t += samples[i]; return t; }
static double rate(double per) { double r = sample_count * per / total(); sample_count = 0; return r; }
static double p99(void) { qsort(samples, sample_count, sizeof *samples, by_value); return samples[(size_t)(sample_count * 0.99)] * 1e6; }

static void append(Store *s, uint32_t index) { double t = now(); done(&s->writer, s->writer.begin); append_in_transaction(s, index); done(&s->writer, s->writer.commit); samples[sample_count++] = now() - t; }
static void share(Store *s, int how) {
  uint32_t chosen[32];
  for (int k = 0; k < 32; k++) again: { chosen[k] = how == SHARED_FIXED ? s->n - 1 - k : pick(s, how == SHARED_HOT); for (int j = 0; j < k; j++) if (chosen[j] == chosen[k]) goto again; }
  double t = now(); done(&s->writer, s->writer.begin); for (int k = 0; k < 32; k++) append_in_transaction(s, chosen[k]); done(&s->writer, s->writer.commit); samples[sample_count++] = now() - t;
}
static void tail(Store *s, uint32_t index) { sqlite3_stmt *q = s->reader.tail; double t = now(); bind_id(q, 1, &s->ids[index]); rows(q, 1); samples[sample_count++] = now() - t; }

static void measure(Store *s, int repetition, double *r) {
  dice_state = 1000000 + repetition * 7919; int appends = 800, commits = 150, reads = 1500;
  for (int hot = 0; hot < 2; hot++) { for (int i = 0; i < 100; i++) append(s, pick(s, hot)); sample_count = 0;
    for (int i = 0; i < appends; i++) append(s, pick(s, hot));
    r[P99_RND + hot] = p99(); r[APPEND_RND + hot] = rate(1); }
  for (int how = SHARED_RND; how <= SHARED_FIXED; how++) { for (int i = 0; i < commits; i++) share(s, how); r[how] = rate(32); }
  for (int hot = 0; hot < 2; hot++) { for (int i = 0; i < reads * (1 + hot); i++) { tail(s, pick(s, hot)); if (i == reads / 2) sample_count = 0; } r[TAIL_RND + hot] = rate(1); }
  for (int map = 0; map < 2; map++) {
    if (map) run(&s->reader, "PRAGMA mmap_size=17179869184");
    for (int i = 0; i < appends / 2; i++) { append(s, pick(s, 1)); sample_count = i; tail(s, pick(s, 1)); } r[TAIL_BUSY + map] = rate(1);
    if (map) run(&s->reader, "PRAGMA mmap_size=0");
  }
  uint32_t longer = s->n >= 2000 ? 10 : 4;
  for (int i = 0; i < reads / 3; i++) { uint32_t x = in_session_order ? pick(s, 0) : dice(longer) * (s->n / longer); sqlite3_stmt *q = s->reader.page; double t = now();
    bind_id(q, 1, &s->ids[x]); sqlite3_bind_int64(q, 2, s->counts[x] > 60 ? s->counts[x] - 51 - dice((s->counts[x] - 51) / 2) : 0); rows(q, 1); samples[sample_count++] = now() - t; }
  r[PAGE] = rate(1);
  for (int i = 0; i < reads / 3; i++) { sqlite3_stmt *q = s->reader.list; char actor[32]; snprintf(actor, sizeof actor, "bench/actor-%u", dice(s->actors)); double t = now();
    sqlite3_bind_text(q, 1, actor, -1, SQLITE_STATIC); rows(q, 40); samples[sample_count++] = now() - t; }
  r[LIST] = rate(1);
  for (int i = 0; i < 60; i++) { uint64_t at = 1000000 + repetition * 1000 + i; Id id = make_id(at, 3, s->layout->flags & BLOB); double t = now(); done(&s->writer, s->writer.begin);
    create_session(s, &id, at, 25); int64_t rowid = sqlite3_last_insert_rowid(s->writer.db);
    for (int k = 1; k <= 25; k++) insert_message(s, &id, k, s->layout->flags & PLACED ? rowid : 0);
    done(&s->writer, s->writer.commit); samples[sample_count++] = now() - t; }
  r[IMPORT25] = rate(25);
}

static double median(double *v, int n) { qsort(v, n, sizeof *v, by_value); return v[n / 2]; }

static void compare_layouts(Store *stores, int n) {
  static double results[16][OPERATIONS][16]; double loads[16], mb[16], r[OPERATIONS];
  for (int i = 0; i < n; i++) { loads[i] = message_count / load(&stores[i]); run(&stores[i].writer, "PRAGMA wal_checkpoint(TRUNCATE)"); struct stat st; stat(stores[i].path, &st); mb[i] = st.st_size / 1e6; fprintf(stderr, "%c%d %.0f/s %.0f MB\n", stores[i].layout->letter, stores[i].page_kb, loads[i], mb[i]); }
  for (int k = 0; k < repetitions; k++) for (int j = 0; j < n; j++) { int i = k % 2 ? n - 1 - j : j; measure(&stores[i], k, r); for (int o = 0; o < OPERATIONS; o++) results[i][o][k] = r[o]; }
  printf("%-7s %8s %6s", "layout", "load", "MB"); for (int o = 0; o < OPERATIONS; o++) printf(" %11s", names[o]); puts("");
  for (int i = 0; i < n; i++) { printf("%c%-6d %8.0f %6.1f", stores[i].layout->letter, stores[i].page_kb, loads[i], mb[i]); for (int o = 0; o < OPERATIONS; o++) printf(" %11.0f", median(results[i][o], repetitions)); puts(""); }
}

/* ---- checkpoints ---- */

typedef struct { Store *store; Connection connection; pthread_mutex_t lock; pthread_cond_t wake; int due, stop, threshold; const char *sql; } Checkpointer;
static void *checkpoint_thread(void *p) {
  Checkpointer *c = p; pthread_mutex_lock(&c->lock);
  for (;;) { while (!c->due && !c->stop) pthread_cond_wait(&c->wake, &c->lock); if (c->stop) break; c->due = 0;
    pthread_mutex_unlock(&c->lock); sqlite3_exec(c->connection.db, c->sql, 0, 0, 0); pthread_mutex_lock(&c->lock); }
  pthread_mutex_unlock(&c->lock); return 0;
}
static int committed(void *p, sqlite3 *db, const char *name, int pages) {
  Checkpointer *c = p; (void)db; (void)name;
  if (pages >= c->threshold) { pthread_mutex_lock(&c->lock); c->due = 1; pthread_cond_signal(&c->wake); pthread_mutex_unlock(&c->lock); }
  return 0;
}
static void compare_checkpoints(Store *stores, int n) {
  static const struct { const char *name; int automatic, threshold; const char *sql; } modes[] = {
    {"auto 1000", 1000, 0, 0}, {"auto 4000", 4000, 0, 0}, {"thread passive 1000", 0, 1000, "PRAGMA wal_checkpoint(PASSIVE)"},
    {"thread passive 4000", 0, 4000, "PRAGMA wal_checkpoint(PASSIVE)"}, {"thread restart 4000", 0, 4000, "PRAGMA wal_checkpoint(RESTART)"}};
  enum { MODES = sizeof modes / sizeof *modes }; static double v[16][MODES][6][16];
  for (int i = 0; i < n; i++) load(&stores[i]);
  for (int k = 0; k < repetitions; k++) for (int i = 0; i < n; i++) for (int m = 0; m < MODES; m++) {
    Store *s = &stores[i]; Checkpointer c = {.store = s, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .threshold = modes[m].threshold, .sql = modes[m].sql}; pthread_t thread; char sql[64];
    run(&s->writer, "PRAGMA wal_checkpoint(TRUNCATE)"); snprintf(sql, sizeof sql, "PRAGMA wal_autocheckpoint=%d", modes[m].automatic); run(&s->writer, sql);
    if (modes[m].sql) { connect_to(s, &c.connection, 2000); sqlite3_wal_hook(s->writer.db, committed, &c); pthread_create(&thread, 0, checkpoint_thread, &c); }
    dice_state = 5000 + k; sample_count = 0; double *r[6]; for (int o = 0; o < 6; o++) r[o] = &v[i][m][o][k];
    for (int a = 0; a < 150; a++) share(s, SHARED_HOT);         /* until the WAL has its size: commits that make the file longer cost twice */
    sample_count = 0;
    for (int a = 0; a < 4000; a++) append(s, pick(s, 1));
    *r[2] = p99(); *r[1] = samples[sample_count / 2] * 1e6; *r[3] = samples[sample_count - 1] * 1e6; *r[0] = rate(1);
    for (int a = 0; a < 150; a++) share(s, SHARED_HOT);
    *r[4] = rate(32);
    char wal[520]; snprintf(wal, sizeof wal, "%s-wal", s->path); struct stat st; stat(wal, &st); *r[5] = st.st_size / 1e6;
    if (modes[m].sql) { sqlite3_wal_hook(s->writer.db, 0, 0); pthread_mutex_lock(&c.lock); c.stop = 1; pthread_cond_signal(&c.wake); pthread_mutex_unlock(&c.lock); pthread_join(thread, 0); sqlite3_close(c.connection.db); }
  }
  printf("%-7s %-20s %9s %8s %8s %8s %9s %7s\n", "layout", "checkpoint", "append/s", "p50_us", "p99_us", "max_us", "share32/s", "wal_MB");
  for (int i = 0; i < n; i++) for (int m = 0; m < MODES; m++) { printf("%c%-6d %-20s", stores[i].layout->letter, stores[i].page_kb, modes[m].name);
    for (int o = 0; o < 6; o++) { static const int width[] = {9, 8, 8, 8, 9, 7}; printf(" %*.0f", width[o], median(v[i][m][o], repetitions)); } puts(""); }
}

int main(int argc, char **argv) {
  static Store stores[16]; int n = 0; const char *list = "A4,C4,C8,E4,G4,G8";
  if (argc < 2) die("usage", "sqlite_layout layouts|checkpoints [-d DIR] [-s SESSIONS] [-m MESSAGES] [-r REPETITIONS] [-l A4,C8,...] [-q] [-k KB]");
  optind = 2;
  for (int o; (o = getopt(argc, argv, "d:s:m:r:l:qk:")) != -1;) switch (o) {
    case 'd': directory = optarg; break; case 's': session_count = atoi(optarg); break; case 'm': message_count = atoi(optarg); break;
    case 'r': repetitions = atoi(optarg) > 15 ? 15 : atoi(optarg); break; case 'l': list = optarg; break; case 'q': in_session_order = 1; break; case 'k': reader_kb = atoi(optarg); break; default: return 64; }
  mkdir(directory, 0700); copied = malloc(1 << 20); samples = malloc(1000000 * sizeof *samples);
  for (size_t i = 0; i < sizeof prose; i++) prose[i] = "etaoin shrdlu"[mix(i) % 13];
  for (const char *p = list; *p && n < 16;) {
    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) if (layouts[k].letter == *p) stores[n].layout = &layouts[k];
    if (!stores[n].layout) die(p, "no such layout");
    stores[n++].page_kb = strtol(p + 1, (char **)&p, 10);
    if (*p == ',') p++; else break;
  }
  if (!strcmp(argv[1], "layouts")) compare_layouts(stores, n); else if (!strcmp(argv[1], "checkpoints")) compare_checkpoints(stores, n); else die(argv[1], "no such stage");
  for (int i = 0; i < n; i++) close_store(&stores[i]);
  return 0;
}
