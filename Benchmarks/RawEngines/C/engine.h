/* What an engine implements; engine.c drives it. */
#ifndef RAW_ENGINE_H
#define RAW_ENGINE_H

#include "CAgentSessionsRawEngines.h"

/* Sessions are numbered; each kind has numbers of its own. */
enum {
    raw_first_empty = 100000000,
    raw_long_session = 200000000,
    raw_first_lane = 300000000,
    raw_first_created = 400000000,
};

struct raw_engine {
    const raw_data *data;
    uint64_t clock_us;
    uint64_t message_serial;
    uint64_t created;
    uint64_t lanes;
    /* The first lane of the run that goes on. */
    uint64_t lane;
    char error[256];

    /* Where rows are copied to, with room for the largest message. */
    char *copy;

    /* A transaction of so many changes. */
    int (*begin)(raw_engine *, size_t changes);
    int (*commit)(raw_engine *);
    /* These run between begin and commit. */
    int (*create)(raw_engine *, uint64_t session, uint64_t actor);
    int (*append)(raw_engine *, uint64_t session, const raw_message *message);
    int (*add_usage)(raw_engine *, uint64_t session);
    /* Reads, each a transaction of its own. They copy what they read, and give -1 where a row is missing. */
    int (*get)(raw_engine *, uint64_t session);
    int (*list)(raw_engine *, uint64_t actor);
    int (*tail)(raw_engine *, uint64_t session, size_t expected);
    int (*page)(raw_engine *, uint64_t session, uint64_t after, size_t expected);
    int (*count)(raw_engine *, uint64_t session, int64_t *counter, int64_t *rows);
    int (*settings)(raw_engine *, char *text, size_t size);
    int (*is_durable)(raw_engine *);
    int64_t (*bytes)(raw_engine *);
    /* What an engine does once after a load, outside the clock; may be NULL. */
    int (*settle)(raw_engine *);
    void (*close)(raw_engine *);
};

int raw_fail(raw_engine *engine, const char *what, const char *why);
/* 26 characters, as long as a ULID's text. */
void raw_id_text(char text[27], uint64_t number);
void raw_actor_name(char name[32], uint64_t actor);
#endif
