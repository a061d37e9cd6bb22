
/*
 * Copyright (C) The Tailgate authors
 *
 * The request parser: what is refused and with which status, what is taken,
 * and that it makes no difference how the bytes are cut.
 */

#include <net/http/http.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define H  "Host: a\r\n"


typedef struct {
    const char  *name;
    int          status;       /* 0: taken */
    const char  *text;
    size_t       len;          /* 0: up to the NUL */
} case_t;


static const case_t  cases[] = {
    { "two Content-Lengths", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n"
      "\r\na", 0 },
    { "two Content-Lengths that differ", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n"
      "\r\nab", 0 },
    { "a list of Content-Lengths", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\na", 0 },
    { "Content-Length with Transfer-Encoding", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0 },
    { "Transfer-Encoding with Content-Length", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
      "Content-Length: 5\r\n\r\n0\r\n\r\n", 0 },
    { "Content-Length: +3", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", 0 },
    { "Content-Length: -1", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 0 },
    { "Content-Length: 0x3", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc", 0 },
    { "Content-Length: 3 3", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: 3 3\r\n\r\nabc", 0 },
    { "an empty Content-Length", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: \r\n\r\n", 0 },
    { "a Content-Length over 64 bits", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n"
      "\r\n", 0 },
    { "gzip, chunked", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n"
      "\r\n0\r\n\r\n", 0 },
    { "chunked, identity", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, identity\r\n"
      "\r\n0\r\n\r\n", 0 },
    { "identity", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 0 },
    { "xchunked", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n"
      "\r\n0\r\n\r\n", 0 },
    { "chunked behind a vertical tab", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b" "chunked\r\n"
      "\r\n0\r\n\r\n", 0 },
    { "chunked twice", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0 },
    { "an empty Transfer-Encoding", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", 0 },
    { "Transfer-Encoding in HTTP/1.0", 400,
      "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n"
      "\r\n0\r\n\r\n", 0 },
    { "a space before the colon", 400,
      "GET / HTTP/1.1\r\n" H "X-A : b\r\n\r\n", 0 },
    { "a space before the colon of Content-Length", 400,
      "POST / HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\nabc", 0 },
    { "a folded header", 400,
      "GET / HTTP/1.1\r\n" H "X-A: b\r\n c\r\n\r\n", 0 },
    { "a header folded by a tab", 400,
      "GET / HTTP/1.1\r\n" H "X-A: b\r\n\tc\r\n\r\n", 0 },
    { "a first header that begins with a blank", 400,
      "GET / HTTP/1.1\r\n X-A: b\r\n" H "\r\n", 0 },
    { "a bare CR in a value", 400,
      "GET / HTTP/1.1\r\n" H "X-A: b\rc\r\n\r\n", 0 },
    { "a bare CR at the end of a line", 400,
      "GET / HTTP/1.1\r\n" H "X-A: b\rX-B: c\r\n\r\n", 0 },
    { "two CRs", 400,
      "GET / HTTP/1.1\r\n" H "X-A: b\r\r\n\r\n", 0 },
    { "a bare LF at the end of the request line", 400,
      "GET / HTTP/1.1\n" H "\r\n", 0 },
    { "a bare LF at the end of a header", 400,
      "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n", 0 },
    { "a bare LF at the end of the head", 400,
      "GET / HTTP/1.1\r\n" H "\n", 0 },
    { "NUL in a value", 400,
      "GET / HTTP/1.1\r\n" H "X-A: b\0c\r\n\r\n", 37 },
    { "NUL in a name", 400,
      "GET / HTTP/1.1\r\n" H "X\0A: b\r\n\r\n", 35 },
    { "NUL in the target", 400,
      "GET /\0 HTTP/1.1\r\n" H "\r\n", 28 },
    { "a control character in a value", 400,
      "GET / HTTP/1.1\r\n" H "X-A: b\x01\r\n\r\n", 0 },
    { "DEL in a value", 400,
      "GET / HTTP/1.1\r\n" H "X-A: b\x7f\r\n\r\n", 0 },
    { "an empty header name", 400,
      "GET / HTTP/1.1\r\n" H ": b\r\n\r\n", 0 },
    { "a header without a colon", 400,
      "GET / HTTP/1.1\r\n" H "X-A\r\n\r\n", 0 },
    { "a header name that is no token", 400,
      "GET / HTTP/1.1\r\n" H "X(A: b\r\n\r\n", 0 },
    { "a header name above ASCII", 400,
      "GET / HTTP/1.1\r\n" H "X\xe9: b\r\n\r\n", 0 },
    { "no Host", 400, "GET / HTTP/1.1\r\n\r\n", 0 },
    { "no Host in HTTP/1.0", 400, "GET / HTTP/1.0\r\n\r\n", 0 },
    { "two Hosts", 400,
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 0 },
    { "two equal Hosts", 400,
      "GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n", 0 },
    { "absolute-form", 400, "GET http://a/ HTTP/1.1\r\n" H "\r\n", 0 },
    { "authority-form", 400, "GET a:80 HTTP/1.1\r\n" H "\r\n", 0 },
    { "asterisk-form", 400, "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0 },
    { "CONNECT", 405, "CONNECT a:80 HTTP/1.1\r\n" H "\r\n", 0 },
    { "a relative target", 400, "GET a HTTP/1.1\r\n" H "\r\n", 0 },
    { "%00 in the path", 400, "GET /a%00b HTTP/1.1\r\n" H "\r\n", 0 },
    { "%00 in the query", 400, "GET /?a=%00 HTTP/1.1\r\n" H "\r\n", 0 },
    { "a broken escape in the path", 400,
      "GET /%zz HTTP/1.1\r\n" H "\r\n", 0 },
    { "half an escape in the path", 400,
      "GET /a%2 HTTP/1.1\r\n" H "\r\n", 0 },
    { "a fragment", 400, "GET /a#b HTTP/1.1\r\n" H "\r\n", 0 },
    { "a tab in the target", 400, "GET /a\tb HTTP/1.1\r\n" H "\r\n", 0 },
    { "a control character in the target", 400,
      "GET /a\x01 HTTP/1.1\r\n" H "\r\n", 0 },
    { "DEL in the target", 400, "GET /a\x7f HTTP/1.1\r\n" H "\r\n", 0 },
    { "a target above ASCII", 400, "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 0 },
    { "a space in the target", 400, "GET /a b HTTP/1.1\r\n" H "\r\n", 0 },
    { "two blanks behind the method", 400,
      "GET  / HTTP/1.1\r\n" H "\r\n", 0 },
    { "two blanks behind the target", 400,
      "GET /  HTTP/1.1\r\n" H "\r\n", 0 },
    { "a blank behind the version", 400,
      "GET / HTTP/1.1 \r\n" H "\r\n", 0 },
    { "a tab behind the method", 400, "GET\t/ HTTP/1.1\r\n" H "\r\n", 0 },
    { "HTTP/0.9", 505, "GET /\r\n\r\n", 0 },
    { "HTTP/2.0", 505, "GET / HTTP/2.0\r\n" H "\r\n", 0 },
    { "HTTP/1.2", 400, "GET / HTTP/1.2\r\n" H "\r\n", 0 },
    { "a lower-case version", 400, "GET / http/1.1\r\n" H "\r\n", 0 },
    { "the preface of HTTP/2", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0 },
    { "a lower-case method", 400, "get / HTTP/1.1\r\n" H "\r\n", 0 },
    { "an unknown method", 400, "FROB / HTTP/1.1\r\n" H "\r\n", 0 },
    { "another protocol", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9 },
    { "another expectation", 417,
      "POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\nContent-Length: 1\r\n"
      "\r\na", 0 },
    { "chunk size 0x3", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "0x3\r\nabc\r\n0\r\n\r\n", 0 },
    { "chunk size +3", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "+3\r\nabc\r\n0\r\n\r\n", 0 },
    { "an empty chunk size", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "\r\nabc\r\n0\r\n\r\n", 0 },
    { "a chunk size over 64 bits", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "10000000000000003\r\nabc\r\n0\r\n\r\n", 0 },
    { "a chunk that is longer than its size", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabcd\r\n0\r\n\r\n", 0 },
    { "a bare LF behind a chunk size", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3\nabc\r\n0\r\n\r\n", 0 },
    { "a bare LF behind a chunk", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\n0\r\n\r\n", 0 },
    { "a bare LF in a chunk extension", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3;a\nabc\r\n0\r\n\r\n", 0 },
    { "a bare CR in a chunk extension", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3;a\rb\r\nabc\r\n0\r\n\r\n", 0 },
    { "a bare LF behind the last chunk", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\n\r\n", 0 },
    { "a bare LF at the end of the body", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\n", 0 },
    { "a bare LF behind a trailer", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX: y\n\r\n", 0 },
    { "a folded trailer", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n", 0 },
    { "a blank before a chunk size", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      " 3\r\nabc\r\n0\r\n\r\n", 0 },
    { "a blank behind a chunk size", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3 \r\nabc\r\n0\r\n\r\n", 0 },
    { "a negative chunk size", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "-3\r\nabc\r\n0\r\n\r\n", 0 },
    { "a trailer", 400,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX-User: root\r\n\r\n", 0 },
    { "a body over the limit", 413,
      "POST / HTTP/1.1\r\n" H "Content-Length: 17\r\n\r\n"
      "0123456789abcdefg", 0 },
    { "a chunked body over the limit", 413,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "11\r\n0123456789abcdefg\r\n0\r\n\r\n", 0 },

    { "a plain request", 0, "GET / HTTP/1.1\r\n" H "\r\n", 0 },
    { "an empty Host", 0, "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0 },
    { "an empty line before it", 0, "\r\nGET / HTTP/1.1\r\n" H "\r\n", 0 },
    { "an empty value", 0, "GET / HTTP/1.1\r\n" H "X-A:\r\n\r\n", 0 },
    { "a value above ASCII", 0,
      "GET / HTTP/1.1\r\n" H "X-A: \xc3\xa9\xff\r\n\r\n", 0 },
    { "a broken escape in the query", 0,
      "GET /?a=50% HTTP/1.1\r\n" H "\r\n", 0 },
    { "an Upgrade", 0,
      "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\n"
      "Upgrade: websocket\r\n\r\n", 0 },
    { "Content-Length: 0", 0,
      "POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0 },
    { "a body", 0,
      "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 0 },
    { "a body of the limit", 0,
      "POST / HTTP/1.1\r\n" H "Content-Length: 16\r\n\r\n"
      "0123456789abcdef", 0 },
    { "a chunked body", 0,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"
      "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", 0 },
    { "a chunk extension", 0,
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
      "3;a=b\r\nabc\r\n0\r\n\r\n", 0 },
    { "100-continue", 0,
      "POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n"
      "Content-Length: 3\r\n\r\nabc", 0 },
    { "HEAD", 0, "HEAD / HTTP/1.1\r\n" H "\r\n", 0 }
};


static void
set_limits(tgn_http_limits_t *limits)
{
    tgn_http_limits(limits);

    limits->body = 16;
    limits->head = 1024;
    limits->target = 64;
    limits->headers = 8;
}


/* Feeds text in pieces; returns the status that it is refused with, 0 when it
   was taken, -1 when there was not enough of it. */

static int
parse(tgn_message_t *m, const tgn_http_limits_t *limits, const char *text,
    size_t len, size_t piece, size_t *taken)
{
    char    *copy;
    size_t   pos, n, used;

    tgn_parse_init(m, limits, false);

    pos = 0;

    while (pos < len) {
        n = len - pos < piece ? len - pos : piece;

        /* of its own, so that a byte too far is found */

        copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, text + pos, n);

        used = 0;

        switch (tgn_parse(m, copy, n, &used)) {

        case TGN_PARSE_ERROR:
            free(copy);
            assert_int_not_equal(m->error, 0);
            assert_non_null(m->reason);
            return m->error;

        case TGN_PARSE_DONE:
            free(copy);
            *taken = pos + used;
            return 0;

        case TGN_PARSE_MORE:
            assert_int_equal(used, n);
            break;

        case TGN_PARSE_HEAD:
            assert_true(used <= n);
            break;
        }

        pos += used;
        free(copy);
    }

    return -1;
}


static void
test_cases(void **state)
{
    int                 status;
    size_t              i, piece, len, taken;
    const case_t       *c;
    tgn_message_t      *m;
    tgn_http_limits_t   limits;

    (void) state;

    set_limits(&limits);

    m = calloc(1, sizeof(tgn_message_t));
    assert_non_null(m);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = &cases[i];
        len = c->len ? c->len : strlen(c->text);

        for (piece = 1; piece <= len; piece++) {
            status = parse(m, &limits, c->text, len, piece, &taken);

            if (status != c->status) {
                fail_msg("%s, in pieces of %zu: %d, not %d", c->name, piece,
                         status, c->status);
            }

            if (status == 0 && taken != len) {
                fail_msg("%s, in pieces of %zu: ends at %zu, not %zu", c->name,
                         piece, taken, len);
            }
        }
    }

    tgn_parse_free(m);
    free(m);
}


static void
assert_str(tg_str_t s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.data, text, s.len);
}


static void
test_fields(void **state)
{
    size_t              piece, taken;
    tg_str_t            value;
    tgn_message_t      *m;
    tgn_http_limits_t   limits;

    static const char  text[] =
        "POST /a%20b/c?d=e&f HTTP/1.1\r\n"
        "Host:  Wiki.Example:80 \r\n"
        "X-A: first\r\n"
        "Content-Length: 5\r\n"
        "x-a:\tsecond \t\r\n"
        "X-Empty:\r\n"
        "X-B: with  blanks\r\n\r\n"
        "hello"
        "GET /next";

    (void) state;

    set_limits(&limits);

    m = calloc(1, sizeof(tgn_message_t));
    assert_non_null(m);

    for (piece = 1; piece < sizeof(text); piece++) {
        assert_int_equal(parse(m, &limits, text, sizeof(text) - 1, piece,
                               &taken), 0);
        assert_int_equal(taken, sizeof(text) - 1 - strlen("GET /next"));

        assert_str(m->r.method, "POST");
        assert_str(m->r.target, "/a%20b/c?d=e&f");
        assert_str(m->r.path, "/a%20b/c");
        assert_str(m->r.query, "d=e&f");
        assert_str(m->r.host, "Wiki.Example:80");
        assert_str(m->r.body, "hello");
        assert_int_equal(m->r.minor, 1);
        assert_int_equal(m->r.nheaders, 6);
        assert_false(m->r.head);
        assert_true(m->keepalive);

        assert_true(tgn_request_header(&m->r, "X-a", 0, &value));
        assert_str(value, "first");
        assert_true(tgn_request_header(&m->r, "x-A", 1, &value));
        assert_str(value, "second");
        assert_false(tgn_request_header(&m->r, "X-A", 2, &value));
        assert_true(tgn_request_header(&m->r, "x-empty", 0, &value));
        assert_str(value, "");
        assert_true(tgn_request_header(&m->r, "X-B", 0, &value));
        assert_str(value, "with  blanks");
        assert_false(tgn_request_header(&m->r, "X-C", 0, &value));
    }

    tgn_parse_free(m);
    free(m);
}


/* Exactly the limit is taken, one more is refused. */

static void
test_limits(void **state)
{
    int                 status;
    char                text[8192];
    size_t              i, n, taken;
    tgn_message_t      *m;
    tgn_http_limits_t   limits;

    (void) state;

    set_limits(&limits);

    m = calloc(1, sizeof(tgn_message_t));
    assert_non_null(m);

    for (i = 63; i <= 65; i++) {
        n = (size_t) snprintf(text, sizeof(text), "GET /%0*d HTTP/1.1\r\n" H
                              "\r\n", (int) i - 1, 0);
        status = parse(m, &limits, text, n, n, &taken);
        assert_int_equal(status, i <= 64 ? 0 : 414);
    }

    for (i = 6; i <= 8; i++) {
        n = (size_t) snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" H);

        while (n < sizeof(text) - 64 && i > 0) {
            size_t  k;

            for (k = 0; k < i; k++) {
                n += (size_t) snprintf(text + n, sizeof(text) - n,
                                       "X-%zu: a\r\n", k);
            }

            break;
        }

        n += (size_t) snprintf(text + n, sizeof(text) - n, "\r\n");
        status = parse(m, &limits, text, n, n, &taken);
        assert_int_equal(status, i + 1 <= 8 ? 0 : 431);
    }

    for (i = 1023; i <= 1025; i++) {
        n = (size_t) snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" H
                              "X-A: ");
        memset(text + n, 'a', i - n - 4);
        memcpy(text + i - 4, "\r\n\r\n", 4);

        assert_int_equal(parse(m, &limits, text, i, i, &taken),
                         i <= 1024 ? 0 : 431);
        assert_int_equal(parse(m, &limits, text, i, 100, &taken),
                         i <= 1024 ? 0 : 431);
    }

    /* empty lines before the request are part of it */

    for (i = 0; i < 1100; i += 2) {
        memcpy(text + i, "\r\n", 2);
    }

    assert_int_equal(parse(m, &limits, text, 1100, 10, &taken), 431);

    tgn_parse_free(m);
    free(m);
}


/* Chunk extensions and trailers are not free of charge. */

static void
test_chunk_overhead(void **state)
{
    int                 status;
    size_t              i, n, taken;
    char               *text;
    tgn_message_t      *m;
    tgn_http_limits_t   limits;

    (void) state;

    set_limits(&limits);

    m = calloc(1, sizeof(tgn_message_t));
    text = malloc(65536);
    assert_non_null(m);
    assert_non_null(text);

    n = (size_t) snprintf(text, 65536, "POST / HTTP/1.1\r\n" H
                          "Transfer-Encoding: chunked\r\n\r\n1;");

    for (i = n; i < 65536; i++) {
        text[i] = 'a';
    }

    status = parse(m, &limits, text, 65536, 512, &taken);
    assert_int_equal(status, 413);

    tgn_parse_free(m);
    free(m);
    free(text);
}


static void
test_keepalive(void **state)
{
    size_t              i, taken;
    tgn_message_t      *m;
    tgn_http_limits_t   limits;

    static const struct {
        const char  *text;
        bool         keepalive;
    } table[] = {
        { "GET / HTTP/1.1\r\n" H "\r\n", true },
        { "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" H "Connection: a, Close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n" H "\r\n", false },
        { "GET / HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n", true }
    };

    (void) state;

    set_limits(&limits);

    m = calloc(1, sizeof(tgn_message_t));
    assert_non_null(m);

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(parse(m, &limits, table[i].text,
                               strlen(table[i].text), 4096, &taken), 0);
        assert_int_equal(m->keepalive, table[i].keepalive);
    }

    tgn_parse_free(m);
    free(m);
}


static void
test_query(void **state)
{
    char    buf[16];
    size_t  len;

    static const tg_str_t  q = TG_STR("a=1&b=x%20y+z&a=2&c&=d&e=%zz&f=%4"
                                      "&g=0123456789abcdef&%68=i&j=a%00b&k=");

    (void) state;

    assert_int_equal(tgn_query_arg(q, "a", 0, buf, sizeof(buf), &len), TG_OK);
    assert_string_equal(buf, "1");
    assert_int_equal(tgn_query_arg(q, "a", 1, buf, sizeof(buf), &len), TG_OK);
    assert_string_equal(buf, "2");
    assert_int_equal(tgn_query_arg(q, "a", 2, buf, sizeof(buf), &len),
                     TG_ERR_ABSENT);
    assert_int_equal(tgn_query_arg(q, "b", 0, buf, sizeof(buf), &len), TG_OK);
    assert_string_equal(buf, "x y z");
    assert_int_equal(len, 5);
    assert_int_equal(tgn_query_arg(q, "c", 0, buf, sizeof(buf), &len), TG_OK);
    assert_int_equal(len, 0);
    assert_int_equal(tgn_query_arg(q, "k", 0, buf, sizeof(buf), &len), TG_OK);
    assert_int_equal(len, 0);
    assert_int_equal(tgn_query_arg(q, "e", 0, buf, sizeof(buf), &len),
                     TG_ERR_SYNTAX);
    assert_int_equal(tgn_query_arg(q, "f", 0, buf, sizeof(buf), &len),
                     TG_ERR_SYNTAX);
    assert_int_equal(tgn_query_arg(q, "g", 0, buf, sizeof(buf), &len),
                     TG_ERR_LIMIT);
    assert_int_equal(tgn_query_arg(q, "g", 0, buf, 0, &len), TG_ERR_LIMIT);
    assert_int_equal(tgn_query_arg(q, "h", 0, buf, sizeof(buf), &len), TG_OK);
    assert_string_equal(buf, "i");
    assert_int_equal(tgn_query_arg(q, "j", 0, buf, sizeof(buf), &len),
                     TG_ERR_SYNTAX);
    assert_int_equal(tgn_query_arg(q, "z", 0, buf, sizeof(buf), &len),
                     TG_ERR_ABSENT);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_chunk_overhead),
        cmocka_unit_test(test_keepalive),
        cmocka_unit_test(test_query)
    };

    return cmocka_run_group_tests_name("http parser", tests, NULL, NULL);
}
