
/*
 * Copyright (C) The Tailgate authors
 *
 * The shared table under threads, for ThreadSanitizer: workers ask, answer and
 * forget while people move between addresses.
 */

#include <tailgate/table.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>


#define WORKERS  4
#define ADDRS    16
#define STEPS    20000
#define KEPT     16            /* ready-made answers of a worker */
#define ADDR     TG_TABLE_ADDR


/* A ready-made answer, good while the epoch of its making stands. */

typedef struct {
    uint32_t   addr;
    uint32_t   person;
    uint64_t   epoch;
    bool       used;
} kept_t;

typedef struct {
    pthread_t  thread;
    unsigned   seed;
    unsigned   wrong;
    unsigned   found;
    kept_t     kept[KEPT];
} worker_t;


static tg_table_t       *table;
static pthread_mutex_t   mutex = PTHREAD_MUTEX_INITIALIZER;

/* Who is at an address: asked of tailscaled, and told by its bus. */

static _Atomic uint32_t            people[ADDRS];

/* The oldest person at an address whom a request may still be taken for. */

static _Atomic uint32_t            announced[ADDRS];
static _Atomic uint64_t            clock_ms;


static void
make_key(uint8_t data[ADDR], uint32_t addr)
{
    memset(data, 0, ADDR);
    memcpy(data, &addr, sizeof(addr));
}


static uint32_t
ask(uint32_t addr)
{
    uint32_t  person;

    person = atomic_load(&people[addr]);

    /* an answer is on its way for some time */
    (void) usleep(20);

    return person;
}


/* What the module does: its own answers, the table, and then tailscaled. */

static bool
identify(worker_t *worker, uint32_t addr, uint32_t *person)
{
    bool              changed;
    kept_t           *kept;
    uint8_t           data[ADDR];
    uint64_t          now;
    tg_table_ask_t    how = { 0 };
    tg_table_key_t    key = { data, ADDR };
    tg_table_found_t  found;

    kept = &worker->kept[addr % KEPT];

    if (kept->used && kept->addr == addr
        && kept->epoch == tg_table_epoch(table))
    {
        *person = kept->person;
        return true;
    }

    make_key(data, addr);
    now = atomic_load(&clock_ms);
    how.now = now;
    how.lease = 1000000;

    (void) pthread_mutex_lock(&mutex);
    tg_table_get(table, &key, &how, person, sizeof(*person), &found);
    (void) pthread_mutex_unlock(&mutex);

    if (found.state == TG_TABLE_WAIT) {
        return false;
    }

    if (found.state == TG_TABLE_FOUND && found.ticket == 0) {
        kept->used = true;
        kept->addr = addr;
        kept->person = *person;
        kept->epoch = found.epoch;
        worker->found++;
        return true;
    }

    *person = ask(addr);

    (void) pthread_mutex_lock(&mutex);
    (void) tg_table_put(table, &key, found.ticket, 1, person, sizeof(*person),
                        now, 50, &changed);
    (void) pthread_mutex_unlock(&mutex);

    return !changed;
}


static void *
work(void *data)
{
    uint32_t   addr, least, person;
    unsigned   i;
    worker_t  *worker = data;

    for (i = 0; i < STEPS; i++) {
        worker->seed = worker->seed * 1103515245u + 12345u;
        addr = (worker->seed >> 16) % ADDRS;

        /* the request begins: what was announced before has to be seen */
        least = atomic_load(&announced[addr]);

        if (identify(worker, addr, &person) && person < least) {
            worker->wrong++;
        }

        (void) atomic_fetch_add(&clock_ms, 1);
    }

    return NULL;
}


static void *
move_people(void *data)
{
    uint8_t         key[ADDR];
    uint32_t        addr, person;
    unsigned        i;
    _Atomic bool   *stop = data;

    for (i = 0; !atomic_load(stop); i++) {
        addr = (i * 7) % ADDRS;
        make_key(key, addr);

        person = atomic_fetch_add(&people[addr], 1) + 1;

        (void) pthread_mutex_lock(&mutex);

        if (i % 500 == 499) {
            tg_table_flush(table);

        } else {
            tg_table_evict(table, key);
        }

        (void) pthread_mutex_unlock(&mutex);

        atomic_store(&announced[addr], person);

        /* answers have to live long enough to be found */
        (void) usleep(20);
    }

    return NULL;
}


static void
test_workers(void **state)
{
    void          *memory;
    unsigned       i;
    worker_t       workers[WORKERS] = { 0 };
    pthread_t      mover;
    _Atomic bool   stop = false;

    (void) state;

    memory = malloc(TG_TABLE_SIZE_MIN);
    assert_non_null(memory);

    table = tg_table_init(memory, TG_TABLE_SIZE_MIN);
    assert_non_null(table);

    assert_int_equal(pthread_create(&mover, NULL, move_people, &stop), 0);

    for (i = 0; i < WORKERS; i++) {
        workers[i].seed = i + 1;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
                                        &workers[i]), 0);
    }

    for (i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }

    atomic_store(&stop, true);
    assert_int_equal(pthread_join(mover, NULL), 0);

    for (i = 0; i < WORKERS; i++) {
        assert_int_equal(workers[i].wrong, 0);
        assert_true(workers[i].found > 0);
    }

    free(memory);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_workers)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
