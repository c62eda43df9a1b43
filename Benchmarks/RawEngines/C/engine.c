#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int raw_fail(raw_engine *engine, const char *what, const char *why) {
    snprintf(engine->error, sizeof engine->error, "%s: %s", what, why ? why : "unknown error");
    return -1;
}

void raw_id_text(char text[27], uint64_t number) { snprintf(text, 27, "01J%023llu", (unsigned long long)number); }

void raw_actor_name(char name[32], uint64_t actor) {
    snprintf(name, 32, "bench/actor-%llu", (unsigned long long)actor);
}

const char *raw_error(const raw_engine *engine) { return engine->error; }
int raw_settings(raw_engine *engine, char *text, size_t size) { return engine->settings(engine, text, size); }
int raw_is_durable(raw_engine *engine) { return engine->is_durable(engine); }
int64_t raw_bytes(raw_engine *engine) { return engine->bytes ? engine->bytes(engine) : -1; }

void raw_close(raw_engine *engine) {
    free(engine->copy);
    engine->close(engine);
}

void raw_result_free(raw_result *result) {
    free(result->samples);
    result->samples = NULL;
}

int raw_count_lane(raw_engine *engine, uint32_t lane, int64_t *counter, int64_t *rows) {
    return engine->count(engine, raw_first_lane + engine->lane + lane, counter, rows);
}

int raw_load(raw_engine *e, const raw_data *data, uint64_t *nanoseconds) {
    /* Room for a session's row too. */
    size_t largest = 4096;
    for (size_t i = 0; i < data->message_count; i++) {
        const raw_message *m = &data->messages[i];
        size_t size = 256 + m->role.count + m->content.count + m->tool_call_id.count + m->metadata.count;
        if (size > largest) largest = size;
    }
    if (!(e->copy = malloc(largest))) return raw_fail(e, "load", "no memory");
    e->data = data;
    const uint64_t start = now_ns();
    size_t changes = data->message_count + data->conversation_count + data->long_count + data->empty_count + 1;
    if (e->begin(e, changes)) return -1;
    size_t message = 0;
    for (size_t s = 0; s < data->conversation_count; s++) {
        if (e->create(e, s, s % data->actor_count)) return -1;
        for (; message < data->ends[s]; message++)
            if (e->append(e, s, &data->messages[message])) return -1;
    }
    if (e->create(e, raw_long_session, 0)) return -1;
    for (size_t i = 0; i < data->long_count; i++)
        if (e->append(e, raw_long_session, &data->messages[i % data->message_count])) return -1;
    for (size_t i = 0; i < data->empty_count; i++)
        if (e->create(e, raw_first_empty + i, i % data->actor_count)) return -1;
    if (e->commit(e)) return -1;
    *nanoseconds = now_ns() - start;
    return e->settle ? e->settle(e) : 0;
}

static const raw_message *next_message(raw_engine *e) {
    return &e->data->messages[e->message_serial % e->data->message_count];
}

static size_t length_of(const raw_engine *e, size_t session) {
    return e->data->ends[session] - (session ? e->data->ends[session - 1] : 0);
}

/* One call: a read, or a commit that all clients share. */
static int call(raw_engine *e, raw_workload workload, uint32_t clients, uint64_t index) {
    const uint64_t spread = index * 7919;
    switch (workload) {
    case RAW_SESSION_GET: return e->get(e, spread % e->data->conversation_count);
    case RAW_SESSION_LIST: return e->list(e, index % e->data->actor_count);
    case RAW_MESSAGES_TAIL20: {
        size_t session = spread % e->data->conversation_count, length = length_of(e, session);
        return e->tail(e, session, length < 20 ? length : 20);
    }
    case RAW_MESSAGES_PAGE_DEEP: {
        /* Somewhere in the second half of the long session. */
        size_t half = e->data->long_count / 2, room = half > 20 ? half - 20 : 1;
        return e->page(e, raw_long_session, half + spread % room, half >= 20 ? 20 : half);
    }
    default: break;
    }
    if (e->begin(e, (size_t)clients * (workload == RAW_MESSAGE_APPEND_BATCH20 ? 20 : 1))) return -1;
    for (uint32_t c = 0; c < clients; c++) {
        uint64_t lane = raw_first_lane + e->lane + c;
        switch (workload) {
        case RAW_SESSION_CREATE:
            if (e->create(e, raw_first_created + e->created, e->created % e->data->actor_count)) return -1;
            e->created++;
            break;
        case RAW_MESSAGE_APPEND:
            if (e->append(e, lane, next_message(e))) return -1;
            break;
        case RAW_MESSAGE_APPEND_BATCH20:
            for (int i = 0; i < 20; i++)
                if (e->append(e, lane, next_message(e))) return -1;
            break;
        case RAW_TOKEN_UPDATE:
            if (e->add_usage(e, lane)) return -1;
            break;
        default: return raw_fail(e, "workload", "unknown");
        }
    }
    return e->commit(e);
}

int raw_run(
    raw_engine *e, raw_workload workload, uint32_t clients, uint64_t warm_up_ns, uint64_t duration_ns,
    raw_result *result) {
    memset(result, 0, sizeof *result);
    int writes = workload == RAW_SESSION_CREATE || workload == RAW_MESSAGE_APPEND
                 || workload == RAW_MESSAGE_APPEND_BATCH20 || workload == RAW_TOKEN_UPDATE;
    if (writes && workload != RAW_SESSION_CREATE) {
        e->lane = e->lanes;
        e->lanes += clients;
        if (e->begin(e, clients)) return -1;
        for (uint32_t c = 0; c < clients; c++)
            if (e->create(e, raw_first_lane + e->lane + c, c % e->data->actor_count)) return -1;
        if (e->commit(e)) return -1;
    }
    const uint64_t messages = workload == RAW_MESSAGE_APPEND_BATCH20 ? 20 : workload == RAW_MESSAGE_APPEND ? 1 : 0;
    const uint64_t operations = (writes ? clients : 1) * (messages > 1 ? messages : 1);
    size_t capacity = 1 << 16;
    if (!(result->samples = malloc(capacity * sizeof *result->samples))) return raw_fail(e, "samples", "no memory");

    const uint64_t start = now_ns() + warm_up_ns, end = start + duration_ns;
    uint64_t began = now_ns(), ended = began, first = 0;
    /* At least one call is measured, however long those before took. */
    for (uint64_t index = 0; began < end || !result->sample_count; index++, began = now_ns()) {
        if (call(e, workload, clients, index)) return -1;
        ended = now_ns();
        result->appended_per_lane += messages;
        if (began < start) continue;
        if (!first) first = began;
        if (result->sample_count == capacity) {
            uint64_t *grown = realloc(result->samples, 2 * capacity * sizeof *grown);
            if (!grown) return raw_fail(e, "samples", "no memory");
            result->samples = grown;
            capacity *= 2;
        }
        result->samples[result->sample_count++] = ended - began;
        result->operations += operations;
    }
    result->nanoseconds = first ? ended - first : 0;
    return 0;
}
