
/*
 * Copyright (C) The Tailgate authors
 *
 * One streaming request of libcurl, connected again whenever it ends.
 */

#include <net/client/bus.h>
#include <net/client/multi.h>

#include <tailgate/identity.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define TIMEOUT     2000
#define RETRY       100
#define RETRY_MAX   2000
#define RETRY_NONE  5000

/* In ms: a stream that lived so long is none of a row of failures. */

#define STEADY      1000

/* In ms: how often we say that we run, and the silence that says we do not. */

#define BEAT        100
#define SILENCE     600

/* In ms, and addresses for each: what is told once more. */

#define ECHO        200
#define ECHOES      256

/* What is remembered of nodes: about 2,000 of them. */

#define MEMORY      (256 * 1024)

/* Behind so many bytes of one message the stream is given up. */

#define SKIP_MAX    (64 * 1024 * 1024)

/* What one message may make. */

#define ARENA_MAX   (1024 * 1024)

#define TEXT_MAX    512


/* What is to be told once more. */

typedef struct {
    tg_addr_t          addrs[ECHOES];
    size_t             n;
    bool               all;
} echo_t;

struct tgn_bus_s {
    tgn_loop_t        *loop;
    tgn_bus_conf_t     conf;
    tgn_bus_events_t   events;
    void              *data;
    char              *path;
    tgn_multi_t       *multi;
    CURL              *easy;       /* NULL: not connected */
    tgn_timer_t       *timer;      /* to connect, or to give that up */
    tgn_timer_t       *beat;
    tgn_timer_t       *echo;

    tg_bus_state_t     state;
    uint64_t           heard;      /* the last beat */
    uint64_t           began;      /* the stream, with its first message */
    uint64_t           delay;      /* before the next attempt */
    bool               endless;    /* a message did not end */

    void              *memory;
    tg_bus_t          *nodes;
    tg_arena_t        *arena;
    char              *line;       /* TG_BUS_MESSAGE_MAX bytes */
    size_t             len;
    size_t             skipped;    /* of a message that is too long */

    echo_t             due;        /* when the timer of echo fires */
    echo_t             next;       /* came since it began, so a turn later */
};


static void on_timer(tgn_timer_t *timer, void *data);
static void on_beat(tgn_timer_t *timer, void *data);
static void on_echo(tgn_timer_t *timer, void *data);
static void on_done(CURL *easy, CURLcode rc, void *data);
static void on_settled(void *data);
static size_t on_data(char *data, size_t size, size_t n, void *userdata);
static void connect_stream(tgn_bus_t *bus);
static CURL *new_easy(tgn_bus_t *bus);
static void disconnect(tgn_bus_t *bus);
static void ended(tgn_bus_t *bus, long code, const char *text);
static void move(tgn_bus_t *bus, tg_bus_state_t state, const char *text);
static void follow(tgn_bus_t *bus);
static bool take(tgn_bus_t *bus, const char *data, size_t len);
static void read_line(tgn_bus_t *bus);
static void tell(tgn_bus_t *bus, const tg_bus_change_t *change);
static void echo_add(echo_t *echo, const tg_bus_change_t *change);
static void tell_all(tgn_bus_t *bus);


tgn_bus_t *
tgn_bus_new(tgn_loop_t *loop, const tgn_bus_conf_t *conf,
    const tgn_bus_events_t *events, void *data)
{
    tgn_bus_t  *bus;

    bus = calloc(1, sizeof(tgn_bus_t));
    if (bus == NULL) {
        return NULL;
    }

    bus->loop = loop;
    bus->events = *events;
    bus->data = data;
    bus->state = TG_BUS_LOST;

    bus->conf.timeout = conf->timeout ? conf->timeout : TIMEOUT;
    bus->conf.retry = conf->retry ? conf->retry : RETRY;
    bus->conf.retry_max = conf->retry_max ? conf->retry_max : RETRY_MAX;
    bus->conf.retry_none = conf->retry_none ? conf->retry_none : RETRY_NONE;

    bus->path = strdup(conf->socket ? conf->socket : TG_LOCALAPI_SOCKET);
    bus->multi = tgn_multi_new(loop, on_done, on_settled, bus);
    bus->timer = tgn_timer_new(loop, on_timer, bus);
    bus->beat = tgn_timer_new(loop, on_beat, bus);
    bus->echo = tgn_timer_new(loop, on_echo, bus);
    bus->memory = malloc(MEMORY);
    bus->line = malloc(TG_BUS_MESSAGE_MAX);
    bus->arena = tg_arena_new(ARENA_MAX);

    if (bus->path == NULL || bus->multi == NULL || bus->timer == NULL
        || bus->beat == NULL || bus->echo == NULL || bus->memory == NULL
        || bus->line == NULL || bus->arena == NULL)
    {
        tgn_bus_free(&bus);
        return NULL;
    }

    bus->nodes = tg_bus_init(bus->memory, MEMORY);

    tgn_timer_start(bus->timer, 0, 0);

    return bus;
}


void
tgn_bus_free(tgn_bus_t **busp)
{
    tgn_bus_t  *bus;

    bus = *busp;
    *busp = NULL;

    if (bus == NULL) {
        return;
    }

    disconnect(bus);

    tgn_multi_free(&bus->multi);
    tgn_timer_free(&bus->timer);
    tgn_timer_free(&bus->beat);
    tgn_timer_free(&bus->echo);
    tg_arena_free(&bus->arena);

    free(bus->memory);
    free(bus->line);
    free(bus->path);
    free(bus);
}


void
tgn_bus_timeout(tgn_bus_t *bus, uint64_t timeout)
{
    bus->conf.timeout = timeout ? timeout : TIMEOUT;

    /* one that has said nothing yet has the new time from now on */

    if (bus->easy != NULL && tgn_timer_is_set(bus->timer)) {
        tgn_timer_start(bus->timer, bus->conf.timeout, 0);
    }
}


tg_bus_state_t
tgn_bus_state(const tgn_bus_t *bus)
{
    if (bus->state == TG_BUS_FOLLOWED
        && tgn_loop_now(bus->loop) - bus->heard > SILENCE)
    {
        return TG_BUS_LOST;
    }

    return bus->state;
}


/* Time to connect, or the time to do so is over. */

static void
on_timer(tgn_timer_t *timer, void *data)
{
    tgn_bus_t  *bus = data;

    (void) timer;

    if (bus->easy == NULL) {
        connect_stream(bus);
        return;
    }

    disconnect(bus);
    ended(bus, 0, "no message came in time");
}


static void
connect_stream(tgn_bus_t *bus)
{
    bus->len = 0;
    bus->skipped = 0;
    bus->endless = false;

    tg_bus_forget(bus->nodes);

    bus->easy = new_easy(bus);

    if (bus->easy == NULL || tgn_multi_add(bus->multi, bus->easy) != TG_OK) {
        curl_easy_cleanup(bus->easy);
        bus->easy = NULL;
        ended(bus, 0, "out of memory");
        return;
    }

    tgn_timer_start(bus->timer, bus->conf.timeout, 0);
}


static CURL *
new_easy(tgn_bus_t *bus)
{
    CURL      *easy;
    CURLcode   rc;

    easy = curl_easy_init();
    if (easy == NULL) {
        return NULL;
    }

    /* not even the environment may send this elsewhere */

    rc = curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, bus->path);

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_URL,
                              "http://" TG_LOCALAPI_HOST TG_BUS_TARGET);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                              (long) CURL_HTTP_VERSION_1_1);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_WRITEDATA, bus);
    }

    if (rc != CURLE_OK) {
        curl_easy_cleanup(easy);
        return NULL;
    }

    return easy;
}


static void
disconnect(tgn_bus_t *bus)
{
    if (bus->easy == NULL) {
        return;
    }

    tgn_multi_remove(bus->multi, bus->easy);
    curl_easy_cleanup(bus->easy);
    bus->easy = NULL;
}


/* The stream has an end after all, or there is none. */

static void
on_done(CURL *easy, CURLcode rc, void *data)
{
    long        code;
    char        text[TEXT_MAX];
    tgn_bus_t  *bus = data;

    code = 0;
    (void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);

    if (bus->endless) {
        (void) snprintf(text, sizeof(text), "a message of over %d bytes",
                        SKIP_MAX);

    } else if (code != 0 && code != 200) {
        (void) snprintf(text, sizeof(text), "it answered %ld", code);

    } else {
        (void) snprintf(text, sizeof(text), "%s",
                        rc == CURLE_OK ? "it has ended"
                                       : curl_easy_strerror(rc));
    }

    disconnect(bus);
    ended(bus, code, text);
}


static void
on_settled(void *data)
{
    (void) data;
}


static void
ended(tgn_bus_t *bus, long code, const char *text)
{
    uint64_t        wait;
    tg_bus_state_t  state;

    tgn_timer_stop(bus->beat);

    if (bus->delay == 0
        || (bus->state == TG_BUS_FOLLOWED
            && tgn_loop_now(bus->loop) - bus->began >= STEADY))
    {
        bus->delay = bus->conf.retry;
    }

    state = TG_BUS_LOST;
    wait = bus->delay;

    if (code == 400 || code == 404) {
        state = TG_BUS_NONE;
        wait = bus->conf.retry_none;
    }

    bus->delay = bus->delay * 2 < bus->conf.retry_max ? bus->delay * 2
                                                      : bus->conf.retry_max;

    tgn_timer_start(bus->timer, wait, 0);
    move(bus, state, text);
}


static void
move(tgn_bus_t *bus, tg_bus_state_t state, const char *text)
{
    char  line[TEXT_MAX];

    bus->state = state;

    (void) snprintf(line, sizeof(line), "%s%s%s",
                    text[0] ? bus->path : "", text[0] ? ": " : "", text);

    bus->events.moved(state, line, bus->data);
}


static size_t
on_data(char *data, size_t size, size_t n, void *userdata)
{
    long        code;
    tgn_bus_t  *bus = userdata;

    if (bus->state != TG_BUS_FOLLOWED) {

        code = 0;
        (void) curl_easy_getinfo(bus->easy, CURLINFO_RESPONSE_CODE, &code);

        if (code != 200) {
            /* what it says does not matter */
            return 0;
        }

        follow(bus);
    }

    /* size is 1, says libcurl */

    return take(bus, data, size * n) ? size * n : 0;
}


static void
follow(tgn_bus_t *bus)
{
    tgn_timer_stop(bus->timer);

    bus->began = tgn_loop_now(bus->loop);
    bus->heard = bus->began;
    tgn_timer_start(bus->beat, BEAT, BEAT);

    /* what was missed may have been about anybody */

    tell_all(bus);
    move(bus, TG_BUS_FOLLOWED, "");
}


/* False: a message that does not end. */

static bool
take(tgn_bus_t *bus, const char *data, size_t len)
{
    size_t       n;
    const char  *end;

    for ( /* void */ ; len; data += n, len -= n) {

        end = memchr(data, '\n', len);
        n = end ? (size_t) (end - data) + 1 : len;

        if (bus->skipped == 0 && n <= TG_BUS_MESSAGE_MAX - bus->len) {
            memcpy(bus->line + bus->len, data, n);
            bus->len += n;

        } else {

            if (bus->skipped == 0) {
                tg_bus_forget(bus->nodes);
                tell_all(bus);
            }

            bus->skipped += n;
        }

        if (bus->skipped > SKIP_MAX) {
            bus->endless = true;
            return false;
        }

        if (end) {
            if (bus->skipped == 0) {
                read_line(bus);
            }

            bus->len = 0;
            bus->skipped = 0;
        }
    }

    return true;
}


static void
read_line(tgn_bus_t *bus)
{
    tg_alloc_t        alloc;
    tg_error_t        error;
    tg_bus_change_t   change;

    if (bus->len == 1) {
        /* an empty line says nothing */
        return;
    }

    memset(&error, 0, sizeof(error));

    tg_arena_reset(bus->arena);
    alloc = tg_arena_allocator(bus->arena);

    if (tg_bus_read(bus->nodes, bus->line, bus->len, &alloc, &change, &error)
        != TG_OK)
    {
        bus->events.nonsense(error.text, bus->data);
    }

    tell(bus, &change);
}


static void
tell_all(tgn_bus_t *bus)
{
    tg_bus_change_t  change = { .all = true };

    tell(bus, &change);
}


static void
tell(tgn_bus_t *bus, const tg_bus_change_t *change)
{
    if (!change->all && change->naddrs == 0) {
        return;
    }

    bus->events.changed(change, bus->data);

    if (tgn_timer_is_set(bus->echo)) {
        echo_add(&bus->next, change);
        return;
    }

    echo_add(&bus->due, change);
    tgn_timer_start(bus->echo, ECHO, 0);
}


/* However often one address is told of, it is one of them. */

static void
echo_add(echo_t *echo, const tg_bus_change_t *change)
{
    size_t  i, j;

    echo->all = echo->all || change->all;

    for (i = 0; !echo->all && i < change->naddrs; i++) {

        for (j = 0; j < echo->n; j++) {
            if (tg_addr_equal(&echo->addrs[j], &change->addrs[i])) {
                break;
            }
        }

        if (j == ECHOES) {
            echo->all = true;

        } else if (j == echo->n) {
            echo->addrs[echo->n++] = change->addrs[i];
        }
    }
}


/*
 * Each change is told of once more, and no oftener: what comes while others
 * wait for their turn has one of its own, so that a steady stream of changes
 * does not make everything out of date again and again.
 */

static void
on_echo(tgn_timer_t *timer, void *data)
{
    tgn_bus_t        *bus = data;
    tg_bus_change_t   change;

    memset(&change, 0, sizeof(change));

    change.all = bus->due.all;
    change.addrs = bus->due.addrs;
    change.naddrs = bus->due.all ? 0 : bus->due.n;

    bus->events.changed(&change, bus->data);

    bus->due = bus->next;
    bus->next.n = 0;
    bus->next.all = false;

    if (bus->due.all || bus->due.n > 0) {
        tgn_timer_start(timer, ECHO, 0);
    }
}


/* tailscaled drops events for a listener that is slow. */

static void
on_beat(tgn_timer_t *timer, void *data)
{
    tgn_bus_t  *bus = data;

    (void) timer;

    if (tgn_bus_state(bus) == TG_BUS_LOST) {
        tell_all(bus);
    }

    bus->heard = tgn_loop_now(bus->loop);
}
