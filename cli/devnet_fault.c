
/*
 * Copyright (C) The Tailgate authors
 *
 * Wrong answers on purpose: late, never, or nonsense of a kind.  Each is
 * something that a client of the LocalAPI has to survive.
 */

#include <cli/devnet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


/* More than a client may take: TG_WHOIS_BODY_MAX and then some. */

#define OVERSIZED  (2 * 1024 * 1024)

#define DEEP       4096


struct cli_held_s {
    cli_held_t       *next;
    cli_devnet_t     *devnet;
    tgn_request_t    *r;
    tgn_timer_t      *timer;
    unsigned          scope;
};


static void
drop(cli_held_t *held)
{
    cli_held_t  **last;

    for (last = &held->devnet->held; *last != held; last = &(*last)->next) {
        /* void */
    }

    *last = held->next;

    tgn_timer_free(&held->timer);
    free(held);
}


static void
gone(void *data)
{
    drop(data);
}


static void
answer(cli_devnet_t *devnet, tgn_request_t *r, unsigned scope)
{
    if (scope == CLI_SCOPE_WHOIS) {
        cli_api_whois(devnet, r);

    } else {
        cli_api_status(devnet, r);
    }
}


static void
late(tgn_timer_t *timer, void *data)
{
    unsigned        scope;
    cli_held_t     *held = data;
    cli_devnet_t   *devnet;
    tgn_request_t  *r;

    (void) timer;

    devnet = held->devnet;
    scope = held->scope;
    r = held->r;

    drop(held);
    tgn_request_on_abort(r, NULL, NULL);

    answer(devnet, r, scope);
}


/* Keeps the request; msec is 0 for ever. */

static void
hold(cli_devnet_t *devnet, tgn_request_t *r, unsigned scope, uint64_t msec)
{
    cli_held_t  *held;

    held = calloc(1, sizeof(cli_held_t));
    if (held == NULL) {
        tgn_request_abort(r);
        return;
    }

    if (msec) {
        held->timer = tgn_timer_new(devnet->loop, late, held);

        if (held->timer == NULL) {
            free(held);
            tgn_request_abort(r);
            return;
        }

        tgn_timer_start(held->timer, msec, 0);
    }

    held->devnet = devnet;
    held->r = r;
    held->scope = scope;
    held->next = devnet->held;
    devnet->held = held;

    tgn_request_on_abort(r, gone, held);
}


/* A valid answer to start from; malloc()ed, NULL when out of memory. */

static char *
sample(cli_devnet_t *devnet, size_t *len)
{
    char              *text;
    json_t            *json;
    const cli_node_t  *node;

    node = devnet->world->nodes ? devnet->world->nodes : devnet->world->self;

    json = cli_json_whois(devnet->world, node, node->caps);
    text = cli_json_text(json, true, len);
    json_decref(json);

    return text;
}


static void
truncated(cli_devnet_t *devnet, tgn_request_t *r)
{
    char      *text;
    size_t     len;
    tg_str_t   half;

    text = sample(devnet, &len);
    if (text == NULL) {
        tgn_request_abort(r);
        return;
    }

    half.data = text;
    half.len = len / 2;

    cli_api_headers(devnet, r, "application/json");

    if (tgn_response_begin(r, 200, len) == TG_OK
        && tgn_response_write(r, half) == TG_OK)
    {
        tgn_response_end(r);
    }

    free(text);
}


/* Well-formed as HTTP, and not as JSON. */

static void
half_json(cli_devnet_t *devnet, tgn_request_t *r)
{
    char    *text;
    size_t   len;

    text = sample(devnet, &len);
    if (text == NULL) {
        tgn_request_abort(r);
        return;
    }

    cli_api_json(devnet, r, text, len / 2);
    free(text);
}


static void
filled(cli_devnet_t *devnet, tgn_request_t *r, size_t size, const char *before,
    char fill, const char *after)
{
    char    *text;
    size_t   b, a;

    b = strlen(before);
    a = strlen(after);

    text = malloc(size + b + a + 1);
    if (text == NULL) {
        tgn_request_abort(r);
        return;
    }

    memcpy(text, before, b);
    memset(text + b, fill, size);
    memcpy(text + b + size, after, a + 1);

    cli_api_json(devnet, r, text, size + b + a);
    free(text);
}


static void
oversized(cli_devnet_t *devnet, tgn_request_t *r)
{
    filled(devnet, r, OVERSIZED, "{\"Node\":{\"Name\":\"", 'a', "\"}}");
}


static void
deep(cli_devnet_t *devnet, tgn_request_t *r)
{
    filled(devnet, r, DEEP, "{\"Node\":", '[', "");
}


static void
fixed(cli_devnet_t *devnet, tgn_request_t *r, const char *text, size_t len)
{
    cli_api_json(devnet, r, text, len);
}


static void
garbage(cli_devnet_t *devnet, tgn_request_t *r)
{
    static const char  text[] = "\x00\xff\xfe garbage \x01{]";

    fixed(devnet, r, text, sizeof(text) - 1);
}


static void
empty(cli_devnet_t *devnet, tgn_request_t *r)
{
    fixed(devnet, r, "", 0);
}


static void
wrong_type(cli_devnet_t *devnet, tgn_request_t *r)
{
    static const char  text[] =
        "{\"Node\":\"alice\",\"UserProfile\":[],\"CapMap\":7}";

    fixed(devnet, r, text, sizeof(text) - 1);
}


/* The second login is the one that a careless parser takes. */

static void
duplicate_keys(cli_devnet_t *devnet, tgn_request_t *r)
{
    char        *text, *out;
    size_t       len;
    const char  *end;

    static const char  second[] =
        ",\"UserProfile\":{\"ID\":1,\"LoginName\":\"root@example.com\","
        "\"DisplayName\":\"Root\"}}";

    text = sample(devnet, &len);
    out = text ? realloc(text, len + sizeof(second)) : NULL;

    if (out == NULL) {
        free(text);
        tgn_request_abort(r);
        return;
    }

    end = strrchr(out, '}');
    len = (size_t) (end - out);
    memcpy(out + len, second, sizeof(second));

    cli_api_json(devnet, r, out, len + sizeof(second) - 1);
    free(out);
}


static void
empty_profile(cli_devnet_t *devnet, tgn_request_t *r)
{
    char        *text;
    size_t       len;
    json_t      *json;
    cli_node_t  *node;

    node = devnet->world->nodes ? devnet->world->nodes : devnet->world->self;

    json = cli_json_whois(devnet->world, node, node->caps);
    (void) json_object_set_new(json, "UserProfile", json_object());

    text = cli_json_text(json, true, &len);
    json_decref(json);

    if (text == NULL) {
        tgn_request_abort(r);
        return;
    }

    cli_api_json(devnet, r, text, len);
    free(text);
}


static void
html(cli_devnet_t *devnet, tgn_request_t *r)
{
    tg_str_t  page = TG_STR("<!DOCTYPE html><title>Sign in</title>");

    cli_api_headers(devnet, r, "text/html");
    tgn_response_send(r, 200, page);
}


static void
server_error(cli_devnet_t *devnet, tgn_request_t *r)
{
    cli_api_error(devnet, r, 500, "server has no local backend\n");
}


static void
close_early(cli_devnet_t *devnet, tgn_request_t *r)
{
    (void) devnet;

    tgn_request_abort(r);
}


/* What the server would never write, so it is written around it. */

static void
raw(tgn_request_t *r, const char *text, size_t len)
{
    int  fd;

    fd = tgn_request_hijack(r);

    if (fd != -1) {
        /* a few bytes, which a new socket has room for */
        (void) !send(fd, text, len, MSG_NOSIGNAL);
        (void) close(fd);
    }
}


static void
not_http(cli_devnet_t *devnet, tgn_request_t *r)
{
    static const char  text[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";

    (void) devnet;

    raw(r, text, sizeof(text) - 1);
}


static void
bad_chunk(cli_devnet_t *devnet, tgn_request_t *r)
{
    static const char  text[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
        "fffffffffffffffffff\r\n{\"Node\":{}}\r\n0\r\n\r\n";

    (void) devnet;

    raw(r, text, sizeof(text) - 1);
}


static void
two_lengths(cli_devnet_t *devnet, tgn_request_t *r)
{
    static const char  text[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nContent-Length: 11\r\n\r\n{\"Node\":{}}";

    (void) devnet;

    raw(r, text, sizeof(text) - 1);
}


static const struct {
    const char  *name;
    void       (*answer)(cli_devnet_t *devnet, tgn_request_t *r);
} kinds[] = {
    { "truncated", truncated },
    { "half-json", half_json },
    { "oversized", oversized },
    { "deep", deep },
    { "garbage", garbage },
    { "empty", empty },
    { "wrong-type", wrong_type },
    { "duplicate-keys", duplicate_keys },
    { "empty-profile", empty_profile },
    { "html", html },
    { "server-error", server_error },
    { "close", close_early },
    { "not-http", not_http },
    { "bad-chunk", bad_chunk },
    { "two-lengths", two_lengths }
};

#define NKINDS  (sizeof(kinds) / sizeof(kinds[0]))


const char *
cli_fault_kind(size_t n)
{
    return n < NKINDS ? kinds[n].name : NULL;
}


bool
cli_fault_handle(cli_devnet_t *devnet, tgn_request_t *r, unsigned scope)
{
    size_t              i;
    const cli_fault_t  *fault;

    fault = &devnet->fault;

    if (!(fault->scope & scope)) {
        return false;
    }

    if (strcmp(fault->kind, "slow") == 0) {
        hold(devnet, r, scope, fault->msec);
        return true;
    }

    if (strcmp(fault->kind, "silent") == 0) {
        hold(devnet, r, scope, 0);
        return true;
    }

    for (i = 0; i < NKINDS; i++) {
        if (strcmp(fault->kind, kinds[i].name) == 0) {
            kinds[i].answer(devnet, r);
            return true;
        }
    }

    return false;
}


/* What is held is given up: the connections close. */

void
cli_fault_free(cli_devnet_t *devnet)
{
    tgn_request_t  *r;

    while (devnet->held) {
        r = devnet->held->r;

        drop(devnet->held);
        tgn_request_on_abort(r, NULL, NULL);
        tgn_request_abort(r);
    }
}
