
/*
 * Copyright (C) The Tailgate authors
 *
 * Deadlines and the queue for a free connection are our own, not libcurl's: a
 * call that waits for a connection runs out of time as well.
 */

#include <net/client/localapi.h>
#include <net/client/localapi_error.h>
#include <net/client/multi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define TIMEOUT      2000
#define KEEPALIVE    4
#define CONNECTIONS  64

/* Header lines of an answer, in all. */

#define HEADERS_MAX  65536

/* Calls until the peak of connections goes down by one. */

#define PEAK_CALLS   64

/* Easy handles that are kept for the next calls. */

#define SPARE_MAX    16


struct tgn_localapi_call_s {
    tgn_localapi_call_t  *prev;
    tgn_localapi_call_t  *next;
    tgn_localapi_t       *api;
    CURL                 *easy;        /* NULL: it waits for a connection */
    tgn_localapi_pt       cb;
    void                 *data;
    uint64_t              deadline;
    char                 *body;
    size_t                len;
    size_t                size;
    size_t                headers;
    bool                  too_large;
    bool                  no_memory;
    char                  target[TG_LOCALAPI_TARGET_MAX];
};

struct tgn_localapi_s {
    tgn_loop_t           *loop;
    tgn_localapi_conf_t   conf;
    char                 *path;
    tgn_multi_t          *multi;
    CURL                 *spare[SPARE_MAX];
    size_t                nspare;
    size_t                active;
    size_t                peak;        /* of active, lately */
    size_t                released;    /* calls, since peak went down */
    tgn_localapi_call_t  *first;       /* by age, so by deadline */
    tgn_localapi_call_t  *last;
    tgn_timer_t          *deadline;
};


static void on_deadline(tgn_timer_t *timer, void *data);
static void on_done(CURL *easy, CURLcode rc, void *data);
static void on_settled(void *data);
static void set_peak(tgn_localapi_t *api, size_t peak);


tgn_localapi_t *
tgn_localapi_new(tgn_loop_t *loop, const tgn_localapi_conf_t *conf)
{
    tgn_localapi_t  *api;

    api = calloc(1, sizeof(tgn_localapi_t));
    if (api == NULL) {
        return NULL;
    }

    api->loop = loop;
    api->conf = *conf;

    if (conf->timeout == 0) {
        api->conf.timeout = TIMEOUT;
    }

    if (conf->keepalive == 0) {
        api->conf.keepalive = KEEPALIVE;
    }

    if (conf->connections == 0) {
        api->conf.connections = CONNECTIONS;
    }

    if (conf->body_max == 0) {
        api->conf.body_max = TG_WHOIS_BODY_MAX;
    }

    api->path = strdup(conf->socket ? conf->socket : TG_LOCALAPI_SOCKET);
    api->conf.socket = api->path;

    api->multi = tgn_multi_new(loop, on_done, on_settled, api);
    api->deadline = tgn_timer_new(loop, on_deadline, api);

    if (api->path == NULL || api->multi == NULL || api->deadline == NULL) {
        tgn_localapi_free(&api);
        return NULL;
    }

    set_peak(api, api->conf.keepalive);

    return api;
}


static void
unlink_call(tgn_localapi_call_t *call)
{
    tgn_localapi_t  *api;

    api = call->api;

    if (call->prev) {
        call->prev->next = call->next;

    } else {
        api->first = call->next;
    }

    if (call->next) {
        call->next->prev = call->prev;

    } else {
        api->last = call->prev;
    }
}


/*
 * As many connections stay open as were in use at once lately, and keepalive
 * at least: with less each burst of calls would open most of them anew.  The
 * peak wears off by one each so many calls.
 */

static void
set_peak(tgn_localapi_t *api, size_t peak)
{
    api->released = 0;
    api->peak = peak > api->conf.keepalive ? peak : api->conf.keepalive;

    tgn_multi_set_open(api->multi, api->peak);
}


/* Takes the call off libcurl; keeps the handle for another one. */

static void
release(tgn_localapi_call_t *call)
{
    tgn_localapi_t  *api;

    api = call->api;

    if (call->easy == NULL) {
        return;
    }

    tgn_multi_remove(api->multi, call->easy);

    if (api->nspare < SPARE_MAX) {
        api->spare[api->nspare++] = call->easy;

    } else {
        curl_easy_cleanup(call->easy);
    }

    call->easy = NULL;
    api->active--;

    if (++api->released == PEAK_CALLS) {
        set_peak(api, api->peak - 1);
    }
}


static void
free_call(tgn_localapi_call_t *call)
{
    release(call);
    unlink_call(call);

    free(call->body);
    free(call);
}


void
tgn_localapi_free(tgn_localapi_t **apip)
{
    tgn_localapi_t  *api;

    api = *apip;
    *apip = NULL;

    if (api == NULL) {
        return;
    }

    while (api->first) {
        free_call(api->first);
    }

    while (api->nspare) {
        curl_easy_cleanup(api->spare[--api->nspare]);
    }

    tgn_multi_free(&api->multi);
    tgn_timer_free(&api->deadline);

    free(api->path);
    free(api);
}


static size_t
on_body(char *data, size_t size, size_t n, void *userdata)
{
    char                 *p;
    size_t                len, want;
    tgn_localapi_call_t  *call = userdata;

    /* size is 1, says libcurl */
    len = size * n;

    if (len > call->api->conf.body_max - call->len) {
        call->too_large = true;
        return 0;
    }

    want = call->len + len + 1;

    if (want > call->size) {
        want = want < 2048 ? 4096 : 2 * want;

        p = realloc(call->body, want);
        if (p == NULL) {
            call->no_memory = true;
            return 0;
        }

        call->body = p;
        call->size = want;
    }

    memcpy(call->body + call->len, data, len);
    call->len += len;
    call->body[call->len] = '\0';

    return len;
}


static size_t
on_header(char *data, size_t size, size_t n, void *userdata)
{
    tgn_localapi_call_t  *call = userdata;

    (void) data;

    call->headers += size * n;

    if (call->headers > HEADERS_MAX) {
        call->too_large = true;
        return 0;
    }

    return size * n;
}


static CURL *
new_easy(tgn_localapi_t *api)
{
    CURL      *easy;
    CURLcode   rc;

    easy = curl_easy_init();
    if (easy == NULL) {
        return NULL;
    }

    /* not even the environment may send this elsewhere */

    rc = curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, api->path);

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                              (long) CURL_HTTP_VERSION_1_1);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    }

    if (rc != CURLE_OK) {
        curl_easy_cleanup(easy);
        return NULL;
    }

    return easy;
}


/* Gives the call a handle and hands it to libcurl. */

static int
start(tgn_localapi_call_t *call)
{
    char             url[TG_LOCALAPI_TARGET_MAX + 64];
    CURL            *easy;
    CURLcode         rc;
    tgn_localapi_t  *api;

    api = call->api;

    easy = api->nspare ? api->spare[--api->nspare] : new_easy(api);
    if (easy == NULL) {
        return TG_ERR_NOMEM;
    }

    (void) snprintf(url, sizeof(url), "http://" TG_LOCALAPI_HOST "%s",
                    call->target);

    rc = curl_easy_setopt(easy, CURLOPT_URL, url);

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    }

    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    }

    if (rc != CURLE_OK || tgn_multi_add(api->multi, easy) != TG_OK) {
        curl_easy_cleanup(easy);
        return TG_ERR_NOMEM;
    }

    call->easy = easy;

    if (++api->active > api->peak) {
        set_peak(api, api->active);
    }

    return TG_OK;
}


static tgn_localapi_status_t
status_of(const tgn_localapi_call_t *call, CURLcode rc)
{
    long  error;

    if (call->too_large) {
        return TGN_LOCALAPI_TOO_LARGE;
    }

    if (call->no_memory) {
        return TGN_LOCALAPI_FAILED;
    }

    switch (rc) {

    case CURLE_OK:
        return TGN_LOCALAPI_OK;

    case CURLE_COULDNT_CONNECT:
        error = 0;
        (void) curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &error);
        return tgn_localapi_errno(error);

    case CURLE_OPERATION_TIMEDOUT:
        return TGN_LOCALAPI_TIMEOUT;

    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return TGN_LOCALAPI_FAILED;

    default:
        return TGN_LOCALAPI_BROKEN;
    }
}


/* The end of a call, which is gone before its callback: that may ask anew. */

static void
finish(tgn_localapi_call_t *call, tgn_localapi_status_t status, long code,
    const char *what)
{
    char                    text[TGN_LOCALAPI_TEXT_MAX];
    char                   *body;
    void                   *data;
    tgn_localapi_pt         cb;
    tgn_localapi_answer_t   answer;

    tgn_localapi_explain(status, &call->api->conf, what, text);

    memset(&answer, 0, sizeof(tgn_localapi_answer_t));

    answer.status = status;
    answer.error = text;
    answer.body = "";

    body = call->body;
    call->body = NULL;

    if (status == TGN_LOCALAPI_OK) {
        answer.code = (int) code;
        answer.len = call->len;

        if (body) {
            answer.body = body;
        }
    }

    cb = call->cb;
    data = call->data;

    free_call(call);

    cb(&answer, data);

    free(body);
}


/* Those that waited for a connection, oldest first. */

static void
start_waiting(tgn_localapi_t *api)
{
    tgn_localapi_call_t  *call, *next;

    for (call = api->first; call && api->active < api->conf.connections;
         call = next)
    {
        next = call->next;

        if (call->easy == NULL && start(call) != TG_OK) {
            /* its deadline will tell */
            return;
        }
    }
}


static void
on_done(CURL *easy, CURLcode rc, void *data)
{
    long                  code;
    tgn_localapi_call_t  *call;

    (void) data;

    call = NULL;
    code = 0;

    (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &call);
    (void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);

    finish(call, status_of(call, rc), code, curl_easy_strerror(rc));
}


static void
on_settled(void *data)
{
    start_waiting(data);
}


static void
arm(tgn_localapi_t *api)
{
    uint64_t  now;

    if (api->first == NULL) {
        tgn_timer_stop(api->deadline);
        return;
    }

    now = tgn_loop_now(api->loop);

    tgn_timer_start(api->deadline, api->first->deadline > now
                                   ? api->first->deadline - now : 0, 0);
}


static void
on_deadline(tgn_timer_t *timer, void *data)
{
    uint64_t         now;
    tgn_localapi_t  *api = data;

    (void) timer;

    now = tgn_loop_now(api->loop);

    while (api->first && api->first->deadline <= now) {
        finish(api->first, TGN_LOCALAPI_TIMEOUT, 0, "");
    }

    arm(api);
    start_waiting(api);
}


tgn_localapi_call_t *
tgn_localapi_get(tgn_localapi_t *api, const char *target, tgn_localapi_pt cb,
    void *data)
{
    size_t                len;
    tgn_localapi_call_t  *call;

    len = strlen(target);

    if (target[0] != '/' || len >= TG_LOCALAPI_TARGET_MAX) {
        return NULL;
    }

    call = calloc(1, sizeof(tgn_localapi_call_t));
    if (call == NULL) {
        return NULL;
    }

    memcpy(call->target, target, len + 1);

    call->api = api;
    call->cb = cb;
    call->data = data;
    call->deadline = tgn_loop_now(api->loop) + api->conf.timeout;
    call->prev = api->last;

    if (api->last) {
        api->last->next = call;

    } else {
        api->first = call;
    }

    api->last = call;

    if (api->active < api->conf.connections && start(call) != TG_OK) {
        free_call(call);
        return NULL;
    }

    if (!tgn_timer_is_set(api->deadline)) {
        arm(api);
    }

    return call;
}


tgn_localapi_call_t *
tgn_localapi_whois(tgn_localapi_t *api, const tg_addr_t *addr, bool with_port,
    tg_str_t service, const tg_addr_t *dst, tgn_localapi_pt cb, void *data)
{
    char    target[TG_LOCALAPI_TARGET_MAX];
    size_t  len;

    if (tg_whois_target(addr, with_port, service, dst, target, &len) != TG_OK)
    {
        return NULL;
    }

    return tgn_localapi_get(api, target, cb, data);
}


tgn_localapi_call_t *
tgn_localapi_status(tgn_localapi_t *api, tgn_localapi_pt cb, void *data)
{
    return tgn_localapi_get(api, TG_LOCALAPI_STATUS, cb, data);
}


void
tgn_localapi_cancel(tgn_localapi_call_t **call)
{
    tgn_localapi_t  *api;

    if (*call == NULL) {
        return;
    }

    api = (*call)->api;

    free_call(*call);
    *call = NULL;

    start_waiting(api);
}


typedef struct {
    tgn_loop_t       *loop;
    tgn_localapi_pt   cb;
    void             *data;
    bool              called;
} waiting_t;


static void
on_answer(const tgn_localapi_answer_t *answer, void *data)
{
    waiting_t  *w = data;

    w->called = true;
    w->cb(answer, w->data);

    tgn_loop_stop(w->loop);
}


int
tgn_localapi_get_wait(const tgn_localapi_conf_t *conf, const char *target,
    tgn_localapi_pt cb, void *data)
{
    waiting_t        w;
    tgn_localapi_t  *api;

    api = NULL;

    w.cb = cb;
    w.data = data;
    w.called = false;
    w.loop = tgn_loop_new();

    if (w.loop) {
        api = tgn_localapi_new(w.loop, conf);
    }

    if (api && tgn_localapi_get(api, target, on_answer, &w)) {
        (void) tgn_loop_run(w.loop);
    }

    tgn_localapi_free(&api);
    tgn_loop_free(&w.loop);

    return w.called ? TG_OK : TG_ERR_NOMEM;
}
