/* The engines' own C APIs on the rows of the benchmark: no service, no tasks, no values made of what is read. What a
 * store costs above its engine is its distance from these loops. */
#ifndef RAW_ENGINES_H
#define RAW_ENGINES_H

#include <stddef.h>
#include <stdint.h>

/* Bytes followed by a NUL that `count` leaves out. */
typedef struct {
    const char *bytes;
    size_t count;
} raw_text;

typedef struct {
    raw_text role, content, tool_call_id, metadata;
} raw_message;

/* What is loaded before anything is measured: conversations one behind the other, a session of `long_count` messages
 * for deep pages, and sessions without messages so that lists are full. */
typedef struct {
    const raw_message *messages;
    size_t message_count;
    /* For each conversation, the index behind its last message. */
    const size_t *ends;
    size_t conversation_count;
    size_t long_count;
    size_t empty_count;
    size_t actor_count;
} raw_data;

typedef enum {
    RAW_SESSION_CREATE,
    RAW_SESSION_GET,
    RAW_SESSION_LIST,
    RAW_MESSAGE_APPEND,
    RAW_MESSAGE_APPEND_BATCH20,
    RAW_MESSAGES_TAIL20,
    RAW_MESSAGES_PAGE_DEEP,
    RAW_TOKEN_UPDATE,
} raw_workload;

typedef struct raw_engine raw_engine;

/* A run: how long each call took, and how many operations the calls came to. */
typedef struct {
    uint64_t *samples;
    size_t sample_count;
    uint64_t operations;
    uint64_t nanoseconds;
    /* Messages appended to each lane, those of the warm-up too. */
    uint64_t appended_per_lane;
} raw_result;

/* Each opens an engine at a fresh place and gives NULL, with the reason in `error`, where it cannot. An engine that was
 * not compiled in cannot be opened. */
raw_engine *raw_sqlite_open(const char *path, char *error, size_t error_size);
raw_engine *raw_lmdb_open(const char *folder, char *error, size_t error_size);
/* `location` is what stands behind the colon of a store URL; `keywords` and `values` are parameters, those that libpq
 * does not know left out, and end with NULL. The tables are made in a schema of that name. */
raw_engine *raw_libpq_open(
    const char *location, const char *const *keywords, const char *const *values, const char *schema, char *error,
    size_t error_size);

/* These give 0, or -1 with the reason in raw_error(). */
/* Stores all of `data` in one transaction. `data` must live as long as the engine. */
int raw_load(raw_engine *engine, const raw_data *data, uint64_t *nanoseconds);
/* Runs a workload for a time. With several clients, as many sessions are written to in each commit. */
int raw_run(
    raw_engine *engine, raw_workload workload, uint32_t clients, uint64_t warm_up_ns, uint64_t duration_ns,
    raw_result *result);
/* The messages that the lane of the last run holds by its counter, and those that are there; -1 on failure. */
int raw_count_lane(raw_engine *engine, uint32_t lane, int64_t *counter, int64_t *rows);
/* The effective settings as lines of name=value. */
int raw_settings(raw_engine *engine, char *text, size_t size);
/* Whether a commit is on disk when it is acknowledged, as the engine says. */
int raw_is_durable(raw_engine *engine);
/* The bytes that the tables take, where only the engine can tell; -1 otherwise. */
int64_t raw_bytes(raw_engine *engine);
const char *raw_error(const raw_engine *engine);
void raw_result_free(raw_result *result);
/* Closes the engine; one in a server takes its schema with it. */
void raw_close(raw_engine *engine);

#endif
