
/*
 * Copyright (C) The Tailgate authors
 *
 * A link, and where a visitor of it goes.
 */

#ifndef T_GOLINK_H_INCLUDED_
#define T_GOLINK_H_INCLUDED_

#include <tailgate/golink.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))

#define LOGIN     "foo@example.com"
#define NOW       1654131723       /* 2022-06-02T01:02:03Z */

typedef struct {
    const char  *url;
    const char  *rest;
    const char  *query;
    const char  *want;         /* a location, or NULL for an error */
    int          rc;
} golink_case_t;


static inline tg_str_t
golink_str(const char *text)
{
    tg_str_t  str;

    str.data = text;
    str.len = text != NULL ? strlen(text) : 0;

    return str;
}


static inline tg_link_request_t
golink_request(const char *rest, const char *query, const char *user)
{
    tg_link_request_t  request;

    memset(&request, 0, sizeof(tg_link_request_t));

    request.rest = golink_str(rest);
    request.query = golink_str(query);
    request.user = golink_str(user);
    request.now = NOW;

    return request;
}


/* Compiles and expands; what is wrong at save is what it gives. */

static inline int
golink_go(const char *url, const tg_link_request_t *request,
    const tg_link_limits_t *limits, char *out, size_t size, tg_error_t *error)
{
    int          rc;
    tg_str_t     location;
    tg_link_t   *link;
    tg_arena_t  *arena;
    tg_alloc_t   alloc;

    arena = tg_arena_new(4 * 1024 * 1024);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);

    rc = tg_link_compile(golink_str(url), limits, &alloc, &link, error);

    if (rc == TG_OK) {
        rc = tg_link_expand(link, golink_str(url), request, limits, &alloc,
                            &location, error);
        assert_true(rc == TG_OK || location.len == 0);

        if (rc == TG_OK) {
            assert_true(location.len < size);
            memcpy(out, location.data, location.len);
            out[location.len] = '\0';
        }

    } else {
        assert_null(link);
    }

    tg_arena_free(&arena);

    return rc;
}


static inline void
golink_check(const golink_case_t *cases, size_t n)
{
    int                 rc;
    char                out[20000];
    size_t              i;
    tg_error_t          error;
    tg_link_request_t   request;

    for (i = 0; i < n; i++) {
        memset(&error, 0, sizeof(tg_error_t));
        request = golink_request(cases[i].rest, cases[i].query, LOGIN);

        rc = golink_go(cases[i].url, &request, NULL, out, sizeof(out),
                       &error);

        if (rc != cases[i].rc) {
            print_error("%s + %s: %d, not %d: %s\n", cases[i].url,
                        cases[i].rest, rc, cases[i].rc, error.text);
        }

        assert_int_equal(rc, cases[i].rc);

        if (rc == TG_OK) {
            assert_string_equal(out, cases[i].want);

        } else {
            assert_int_equal(error.code, rc);
            assert_int_not_equal(error.text[0], '\0');
        }
    }
}


#endif /* T_GOLINK_H_INCLUDED_ */
