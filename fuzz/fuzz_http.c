
/*
 * Copyright (C) The Tailgate authors
 *
 * The request path of the HTTP server, authd's among them: bytes to a request.
 * However they are cut, the outcome is the same, and what is taken keeps the
 * rules.
 */

#include <net/http/http.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>


/* Small, so that the fuzzer gets to them. */

#define TARGET_MAX   256
#define HEAD_MAX     2048
#define HEADERS_MAX  16
#define BODY_MAX     64


typedef struct {
    int     status;            /* 0: taken, -1: not at its end */
    size_t  end;
} outcome_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static outcome_t
parse(tgn_message_t *m, const tgn_http_limits_t *limits, const uint8_t *data,
    size_t size, size_t piece)
{
    char       *copy;
    size_t      pos, n, used;
    outcome_t   outcome;
    tgn_parse_t result;

    tgn_parse_init(m, limits, false);

    outcome.status = -1;
    outcome.end = 0;
    pos = 0;

    while (pos < size) {
        n = size - pos < piece ? size - pos : piece;

        copy = malloc(n);
        require(copy != NULL);
        memcpy(copy, data + pos, n);

        used = 0;
        result = tgn_parse(m, copy, n, &used);
        free(copy);

        require(used <= n);

        if (result == TGN_PARSE_ERROR) {
            require(m->error >= 400 && m->reason != NULL);
            outcome.status = m->error;
            return outcome;
        }

        if (result == TGN_PARSE_DONE) {
            outcome.status = 0;
            outcome.end = pos + used;
            return outcome;
        }

        require(result == TGN_PARSE_HEAD || used == n);
        pos += used;
    }

    return outcome;
}


static bool
is_plain(tg_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (((unsigned char) s.data[i] < ' ' && s.data[i] != '\t')
            || s.data[i] == 127)
        {
            return false;
        }
    }

    return true;
}


static size_t
count(const tgn_request_t *r, const char *name)
{
    size_t    n;
    tg_str_t  value;

    for (n = 0; tgn_request_header(r, name, n, &value); n++) { /* void */ }

    return n;
}


/* What no request that is taken may be. */

static void
check(const tgn_request_t *r)
{
    char      buf[64];
    size_t    i, len;
    tg_str_t  coding;

    require(r->target.len > 0 && r->target.len <= TARGET_MAX);
    require(r->target.data[0] == '/' && is_plain(r->target));
    require(memchr(r->target.data, ' ', r->target.len) == NULL);
    require(memmem(r->target.data, r->target.len, "%00", 3) == NULL);
    require(memchr(r->path.data, '?', r->path.len) == NULL);
    require(r->nheaders <= HEADERS_MAX);
    require(r->body.len <= BODY_MAX);

    for (i = 0; i < r->nheaders; i++) {
        require(r->headers[i].name.len > 0);
        require(is_plain(r->headers[i].name));
        require(memchr(r->headers[i].name.data, ' ',
                       r->headers[i].name.len) == NULL);
        require(is_plain(r->headers[i].value));
    }

    require(count(r, "Host") == 1);
    require(count(r, "Content-Length") + count(r, "Transfer-Encoding") <= 1);

    if (tgn_request_header(r, "Transfer-Encoding", 0, &coding)) {
        require(coding.len == 7 && strncasecmp(coding.data, "chunked", 7)
                                   == 0);
    }

    if (tgn_query_arg(r->query, "addr", 0, buf, sizeof(buf), &len) == TG_OK) {
        require(len < sizeof(buf) && strlen(buf) == len);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              piece;
    outcome_t           whole, cut;
    tgn_message_t      *a, *b;
    tgn_http_limits_t   limits;

    if (size < 2) {
        return 0;
    }

    tgn_http_limits(&limits);
    limits.target = TARGET_MAX;
    limits.head = HEAD_MAX;
    limits.headers = HEADERS_MAX;
    limits.body = BODY_MAX;

    a = calloc(1, sizeof(tgn_message_t));
    b = calloc(1, sizeof(tgn_message_t));
    require(a != NULL && b != NULL);

    /* the first byte is how it is cut */

    piece = 1 + data[0] % 32;

    whole = parse(a, &limits, data + 1, size - 1, size);
    cut = parse(b, &limits, data + 1, size - 1, piece);

    /*
     * Two faults in one request may be found in another order, as a piece may
     * end between them; that it is refused does not change.
     */

    require((whole.status > 0) == (cut.status > 0)
            || whole.status == -1 || cut.status == -1);
    require((whole.status == 0) == (cut.status == 0));
    require(whole.end == cut.end);

    if (whole.status == 0) {
        check(&a->r);

        require(a->r.target.len == b->r.target.len
                && memcmp(a->r.target.data, b->r.target.data, a->r.target.len)
                   == 0);
        require(a->r.nheaders == b->r.nheaders);
        require(a->r.body.len == b->r.body.len);
        require(a->keepalive == b->keepalive);
    }

    tgn_parse_free(a);
    tgn_parse_free(b);
    free(a);
    free(b);

    return 0;
}
