
/*
 * Copyright (C) The Tailgate authors
 *
 * The module's reader of LocalAPI responses: each is read whole and byte by
 * byte, with the same outcome.
 */

#include <modules/nginx/ngx_http_tailgate_reader.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define N(table)  (sizeof(table) / sizeof(table[0]))

#define OK11      "HTTP/1.1 200 OK\r\n"
#define CHUNKED   OK11 "Transfer-Encoding: chunked\r\n\r\n"
#define BODY_MAX  32


typedef struct {
    ngx_http_tailgate_reader_rc_t  rc;
    const char                    *error;
    int                            code;
    bool                           keepalive;
    size_t                         rest;     /* bytes that were not taken */
    size_t                         len;
    char                           body[BODY_MAX];
} outcome_t;


static outcome_t
read_in_steps(const char *text, size_t len, size_t step)
{
    size_t                          n, given;
    outcome_t                       outcome;
    const char                     *pos, *last, *body;
    ngx_http_tailgate_reader_t      reader;
    ngx_http_tailgate_reader_rc_t   rc;

    memset(&outcome, 0, sizeof(outcome));
    ngx_http_tailgate_reader_init(&reader, BODY_MAX);

    pos = text;
    given = 0;

    do {
        given += len - given < step ? len - given : step;
        last = text + given;

        do {
            rc = ngx_http_tailgate_reader_feed(&reader, &pos, last, &body, &n);

            if (rc == NGX_HTTP_TAILGATE_READER_BODY) {
                assert_true(n != 0);
                assert_true(outcome.len + n <= BODY_MAX);
                memcpy(outcome.body + outcome.len, body, n);
                outcome.len += n;
            }

        } while (rc == NGX_HTTP_TAILGATE_READER_BODY);

        assert_true(rc != NGX_HTTP_TAILGATE_READER_MORE || pos == last);

    } while (rc == NGX_HTTP_TAILGATE_READER_MORE && given < len);

    outcome.rc = rc;
    outcome.error = reader.error;
    outcome.code = reader.code;
    outcome.keepalive = reader.keepalive;
    outcome.rest = len - (size_t) (pos - text);

    return outcome;
}


static void
test_whole(void **state)
{
    size_t     i, step;
    outcome_t  got;

    static const struct {
        const char  *text;
        int          code;
        const char  *body;
        bool         keepalive;
    } table[] = {
        { OK11 "Content-Length: 5\r\n\r\nhello", 200, "hello", true },
        { OK11 "content-length:5\r\n\r\nhello", 200, "hello", true },
        { OK11 "Content-Length: \t5 \t\r\n\r\nhello", 200, "hello", true },
        { OK11 "Content-Length: 0\r\n\r\n", 200, "", true },
        { OK11 "Content-Length: 005\r\n\r\nhello", 200, "hello", true },
        { OK11 "Content-Length: 32\r\n\r\n"
          "01234567890123456789012345678901", 200,
          "01234567890123456789012345678901", true },
        { "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx", 404, "x",
          true },
        { "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, "x", true },
        { "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", 200, "x", true },
        { "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true },
        { "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, "",
          true },
        { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", false },
        { OK11 "Connection: close\r\nContent-Length: 1\r\n\r\nx", 200, "x",
          false },
        { OK11 "Connection: a, CLOSE ,b\r\nContent-Length: 1\r\n\r\nx", 200,
          "x", false },
        { OK11 "Connection: closed\r\nContent-Length: 1\r\n\r\nx", 200, "x",
          true },
        { OK11 "Tailscale-Cap: 142\r\nX-Any!#$%&'*+.^_`|~: \x80\xff\r\n"
          "Content-Length: 1\r\n\r\nx", 200, "x", true },
        { CHUNKED "0\r\n\r\n", 200, "", true },
        { CHUNKED "5\r\nhello\r\n0\r\n\r\n", 200, "hello", true },
        { CHUNKED "2\r\nhe\r\n03;a=b\r\nllo\r\n000\r\n\r\n", 200, "hello",
          true },
        { CHUNKED "A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\nT: x\r\n\r\n",
          200, "0123456789abcdefghij", true },
        { OK11 "transfer-encoding: CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200,
          "x", true },
    };

    (void) state;

    for (i = 0; i < N(table); i++) {
        for (step = 1; step <= strlen(table[i].text); step++) {

            got = read_in_steps(table[i].text, strlen(table[i].text), step);

            if (got.rc != NGX_HTTP_TAILGATE_READER_DONE) {
                fail_msg("case %zu, step %zu: %s", i, step,
                         got.error ? got.error : "more");
            }

            assert_int_equal(got.code, table[i].code);
            assert_int_equal(got.len, strlen(table[i].body));
            assert_memory_equal(got.body, table[i].body, got.len);
            assert_int_equal(got.keepalive, table[i].keepalive);
            assert_int_equal(got.rest, 0);
        }
    }
}


/* What comes behind an answer belongs to nobody. */

static void
test_rest(void **state)
{
    outcome_t  got;

    static const char  text[] =
        OK11 "Content-Length: 1\r\n\r\nx" "HTTP/1.1 200";

    (void) state;

    got = read_in_steps(text, sizeof(text) - 1, sizeof(text) - 1);

    assert_int_equal(got.rc, NGX_HTTP_TAILGATE_READER_DONE);
    assert_int_equal(got.rest, strlen("HTTP/1.1 200"));
    assert_false(got.keepalive);
}


/* Every answer that was cut off anywhere is not whole. */

static void
test_cut(void **state)
{
    size_t     i, len;
    outcome_t  got;

    static const char *const  table[] = {
        OK11 "Content-Length: 5\r\n\r\nhello",
        CHUNKED "5\r\nhello\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"
    };

    (void) state;

    for (i = 0; i < N(table); i++) {
        for (len = 0; len < strlen(table[i]); len++) {
            got = read_in_steps(table[i], len, 7);
            assert_int_equal(got.rc, NGX_HTTP_TAILGATE_READER_MORE);
        }
    }
}


static void
test_refused(void **state)
{
    size_t     i, step;
    outcome_t  got;

    static const struct {
        const char  *text;
        const char  *error;
    } table[] = {
        { "HTTP/2.0 200 OK\r\n\r\n", "status line" },
        { "HTTP/1.2 200 OK\r\n\r\n", "status line" },
        { "http/1.1 200 OK\r\n\r\n", "status line" },
        { "HTTP/1.1  200 OK\r\n\r\n", "status line" },
        { "HTTP/1.1 20 OK\r\n\r\n", "status line" },
        { "HTTP/1.1 2000\r\n\r\n", "status line" },
        { "HTTP/1.1 2x0 OK\r\n\r\n", "status line" },
        { " HTTP/1.1 200 OK\r\n\r\n", "status line" },
        { "\r\nHTTP/1.1 200 OK\r\n\r\n", "status line" },
        { "HTTP/1.1 100 Continue\r\n\r\n", "HTTP status" },
        { "HTTP/1.1 600 Odd\r\n\r\n", "HTTP status" },
        { OK11 "\r\n", "how long its body is" },
        { OK11 "Connection: close\r\n\r\nbody", "how long its body is" },
        { OK11 "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
          "Content-Length is malformed" },
        { OK11 "Content-Length: \r\n\r\n", "Content-Length is malformed" },
        { OK11 "Content-Length: +1\r\n\r\n", "Content-Length is malformed" },
        { OK11 "Content-Length: 1, 1\r\n\r\n", "Content-Length is malformed" },
        { OK11 "Content-Length: 0x1\r\n\r\n", "Content-Length is malformed" },
        { OK11 "Content-Length: 33\r\n\r\n", "body is too long" },
        { OK11 "Content-Length: 18446744073709551616\r\n\r\n",
          "body is too long" },
        { OK11 "Transfer-Encoding: gzip\r\n\r\n", "transfer encoding" },
        { OK11 "Transfer-Encoding: chunked, chunked\r\n\r\n",
          "transfer encoding" },
        { OK11 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
          "transfer encoding" },
        { OK11 "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
          "both a length and chunks" },
        { OK11 "Content-Encoding: gzip\r\n\r\n", "content is encoded" },
        { OK11 "Name : x\r\n\r\n", "header line is malformed" },
        { OK11 " folded: x\r\n\r\n", "header line is malformed" },
        { OK11 "A: b\r\n c\r\n\r\n", "header line is malformed" },
        { OK11 ": x\r\n\r\n", "header line is malformed" },
        { OK11 "none\r\n\r\n", "header line is malformed" },
        { OK11 "A: b\n\r\n", "without CR" },
        { OK11 "A: b\rc\r\n", "NUL or CR" },
        { OK11 "A: b\r\r\n", "NUL or CR" },
        { CHUNKED "\r\n", "chunk size is malformed" },
        { CHUNKED "g\r\n", "chunk size is malformed" },
        { CHUNKED " 1\r\n", "chunk size is malformed" },
        { CHUNKED "1 \r\n", "chunk size is malformed" },
        { CHUNKED "-1\r\n", "chunk size is malformed" },
        { CHUNKED "0x1\r\n", "chunk size is malformed" },
        { CHUNKED "21\r\n", "body is too long" },
        { CHUNKED "ffffffffffffffffff\r\n", "body is too long" },
        { CHUNKED "11\r\n01234567890123456\r\n10\r\n", "body is too long" },
        { CHUNKED "1\r\nxy\r\n", "longer than it says" },
        { CHUNKED "1\r\nx\n", "without CR" },
    };

    (void) state;

    for (i = 0; i < N(table); i++) {
        for (step = 1; step <= strlen(table[i].text); step++) {

            got = read_in_steps(table[i].text, strlen(table[i].text), step);

            if (got.rc != NGX_HTTP_TAILGATE_READER_ERROR
                || strstr(got.error, table[i].error) == NULL)
            {
                fail_msg("case %zu, step %zu: %d, %s", i, step, (int) got.rc,
                         got.error ? got.error : "-");
            }
        }
    }
}


static void
test_nul(void **state)
{
    outcome_t  got;

    static const char  text[] = OK11 "A: b\0c\r\n\r\n";

    (void) state;

    got = read_in_steps(text, sizeof(text) - 1, 3);

    assert_int_equal(got.rc, NGX_HTTP_TAILGATE_READER_ERROR);
    assert_non_null(strstr(got.error, "NUL or CR"));
}


/* Lines, and all of them together, are bounded; so is a trailer. */

static void
test_bounds(void **state)
{
    char        text[2 * NGX_HTTP_TAILGATE_READER_HEAD_MAX];
    size_t      i, len;
    outcome_t   got;

    static const char *const  heads[] = { OK11, CHUNKED "0\r\n" };

    (void) state;

    for (i = 0; i < N(heads); i++) {

        len = strlen(heads[i]);
        memcpy(text, heads[i], len);
        memset(text + len, 'a', sizeof(text) - len);

        got = read_in_steps(text, sizeof(text), 1000);

        assert_int_equal(got.rc, NGX_HTTP_TAILGATE_READER_ERROR);
        assert_string_equal(got.error, "a line is too long");

        while (len + 6 <= sizeof(text)) {
            memcpy(text + len, "a: b\r\n", 6);
            len += 6;
        }

        got = read_in_steps(text, len, 1000);

        assert_int_equal(got.rc, NGX_HTTP_TAILGATE_READER_ERROR);
        assert_string_equal(got.error, "its headers are too long");
    }
}


/* Many small chunks are no long head. */

static void
test_many_chunks(void **state)
{
    char                        *text;
    size_t                       i, n, len;
    const char                  *pos, *last, *body;
    ngx_http_tailgate_reader_t   reader;

    (void) state;

    n = 10000;
    text = malloc(sizeof(CHUNKED) + n * 6 + 5);
    assert_non_null(text);

    len = sizeof(CHUNKED) - 1;
    memcpy(text, CHUNKED, len);

    for (i = 0; i < n; i++) {
        memcpy(text + len, "1\r\nx\r\n", 6);
        len += 6;
    }

    memcpy(text + len, "0\r\n\r\n", 5);
    len += 5;

    ngx_http_tailgate_reader_init(&reader, n);

    pos = text;
    last = text + len;

    for (n = 0;
         ngx_http_tailgate_reader_feed(&reader, &pos, last, &body, &i)
         == NGX_HTTP_TAILGATE_READER_BODY;
         n += i)
    {
        assert_int_equal(i, 1);
    }

    assert_int_equal(n, 10000);
    assert_true(pos == last);
    assert_true(reader.keepalive);

    free(text);
}


/* What ended stays ended. */

static void
test_end(void **state)
{
    size_t                       n;
    const char                  *pos, *body, *text;
    ngx_http_tailgate_reader_t   reader;

    (void) state;

    ngx_http_tailgate_reader_init(&reader, BODY_MAX);

    text = "nonsense\r\n" OK11 "Content-Length: 0\r\n\r\n";
    pos = text;

    assert_int_equal(ngx_http_tailgate_reader_feed(&reader, &pos,
                                                   text + strlen(text),
                                                   &body, &n),
                     NGX_HTTP_TAILGATE_READER_ERROR);
    assert_int_equal(ngx_http_tailgate_reader_feed(&reader, &pos,
                                                   text + strlen(text),
                                                   &body, &n),
                     NGX_HTTP_TAILGATE_READER_ERROR);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_many_chunks),
        cmocka_unit_test(test_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
