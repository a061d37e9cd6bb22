
/*
 * Copyright (C) The Tailgate authors
 *
 * policy_decide FILE ROUNDS LOGIN REQUEST ...
 *
 * Loads a policy, and decides each request ROUNDS times for LOGIN.  Prints the
 * milliseconds of the processor and the bytes that loading took, and each
 * decision with the nanoseconds that it took.  Under callgrind (with
 * --instr-atstart=no) one dump for each request has its instructions.
 */

#include <tailgate/policy.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <valgrind/callgrind.h>


#define ARENA_MAX  ((size_t) 1024 * 1024 * 1024)


/* What a policy takes, without what an arena rounds up to. */

typedef struct {
    tg_arena_t  *arena;
    size_t       bytes;
} counter_t;


static void *
count(void *ctx, size_t size)
{
    counter_t  *counter = ctx;

    counter->bytes += size;

    return tg_arena_alloc(counter->arena, size);
}


static double
processor_seconds(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static void
fail(const char *what, const char *why)
{
    fprintf(stderr, "policy_decide: %s: %s\n", what, why);
    exit(1);
}


static void
report(void *ctx, const tg_policy_message_t *message)
{
    (void) ctx;

    if (message->severity == TG_POLICY_ERROR) {
        fprintf(stderr, "policy_decide: %zu: %s\n", message->line,
                message->text);
    }
}


static char *
read_file(const char *name, size_t *len)
{
    FILE  *file;
    char  *data;

    file = fopen(name, "r");
    data = malloc(TG_POLICY_SIZE_MAX + 1);

    if (file == NULL || data == NULL) {
        fail(name, "cannot be read");
    }

    *len = fread(data, 1, TG_POLICY_SIZE_MAX + 1, file);
    (void) fclose(file);

    return data;
}


static tg_policy_t *
load(const char *name, const tg_alloc_t *alloc, const counter_t *counter)
{
    int           rc;
    char         *data;
    double        start;
    size_t        len;
    tg_policy_t  *policy;

    data = read_file(name, &len);
    start = processor_seconds();

    rc = tg_policy_compile(data, len, alloc, report, NULL, &policy);
    if (rc != TG_OK) {
        fail(name, tg_strerror(rc));
    }

    printf("load %.3f %zu\n", (processor_seconds() - start) * 1e3,
           counter->bytes);
    free(data);

    return policy;
}


static void
decide(const tg_policy_t *policy, const tg_peer_t *peer, const char *text,
    uintmax_t rounds, const tg_alloc_t *alloc)
{
    double         start;
    uintmax_t      i;
    tg_error_t     error;
    tg_request_t   request;
    tg_decision_t  decision;

    if (tg_request_parse((tg_str_t) { text, strlen(text) }, alloc, &request,
                         &error)
        != TG_OK)
    {
        fail(text, error.text);
    }

    start = processor_seconds();

    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;

    for (i = 0; i < rounds; i++) {
        tg_policy_decide(policy, NULL, NULL, peer, &request, &decision);
    }

    CALLGRIND_DUMP_STATS_AT(text);
    CALLGRIND_STOP_INSTRUMENTATION;

    printf("%s %.0f %.*s\n", tg_policy_reason_name(decision.reason),
           (processor_seconds() - start) * 1e9 / (double) rounds,
           (int) decision.rule.len,
           decision.rule.len > 0 ? decision.rule.data : "");
}


int
main(int argc, char **argv)
{
    int            i;
    uintmax_t      rounds;
    tg_peer_t      peer;
    counter_t      counter;
    tg_alloc_t     alloc = { count, &counter };
    tg_error_t     error;
    tg_policy_t   *policy;

    if (argc < 5) {
        fail("usage", "policy_decide FILE ROUNDS LOGIN REQUEST ...");
    }

    counter.arena = tg_arena_new(ARENA_MAX);
    counter.bytes = 0;

    if (counter.arena == NULL) {
        fail("arena", "out of memory");
    }

    policy = load(argv[1], &alloc, &counter);
    rounds = strtoumax(argv[2], NULL, 10);

    if (tg_persona(policy, (tg_str_t) { argv[3], strlen(argv[3]) }, NULL, 0, 0,
                   &alloc, &peer, &error)
        != TG_OK)
    {
        fail(argv[3], error.text);
    }

    for (i = 4; i < argc; i++) {
        decide(policy, &peer, argv[i], rounds, &alloc);
    }

    tg_arena_free(&counter.arena);

    return 0;
}
