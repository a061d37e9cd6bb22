
/*
 * Copyright (C) The Tailgate authors
 *
 * What a proxy states about a request, and what an administrator writes behind
 * an endpoint.
 */

#include "authd/app/forward/arguments.h"
#include "authd/app/forward/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>


typedef struct {
    const char  *in;
    const char  *want;             /* NULL: refused */
} row_t;


static tg_str_t
str(const char *s)
{
    return (tg_str_t) { s, strlen(s) };
}


static void
assert_str(tg_str_t s, const char *want)
{
    assert_int_equal(s.len, strlen(want));
    assert_memory_equal(s.data, want, s.len);
}


static void
check(const row_t *row, const char *error, tg_str_t got)
{
    if (row->want == NULL) {
        if (error == NULL) {
            fail_msg("\"%s\" passed", row->in);
        }

        return;
    }

    if (error != NULL) {
        fail_msg("\"%s\": %s", row->in, error);
    }

    assert_str(got, row->want);
}


static void
test_method(void **state)
{
    size_t             i;
    const char        *error;
    authd_statement_t  st;

    static const row_t  rows[] = {
        { "GET", "GET" },
        { "PROPFIND", "PROPFIND" },
        { "get", "get" },
        { "M-SEARCH", "M-SEARCH" },
        { "", NULL },
        { "GET ", NULL },
        { "G\tET", NULL },
        { "GET\r\nX", NULL },
        { "G\xc3\x89T", NULL },
        { "G(T", NULL },
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&st, 0, sizeof(st));
        error = authd_statement_method(&st, str(rows[i].in));
        check(&rows[i], error, st.method);
    }

    /* a NUL is not the end */

    assert_non_null(authd_statement_method(&st, (tg_str_t) { "GE\0T", 4 }));
}


/* iap 20: lower case, without port and last dot, never empty */

static void
test_host(void **state)
{
    size_t             i;
    char               label[256];
    const char        *error;
    authd_statement_t  st;

    static const row_t  rows[] = {
        { "grafana.corp", "grafana.corp" },
        { "Grafana.CORP", "grafana.corp" },
        { "grafana.corp.", "grafana.corp" },
        { "grafana.corp:8443", "grafana.corp" },
        { "GRAFANA.corp.:443", "grafana.corp" },
        { "grafana.corp:", "grafana.corp" },
        { "xn--bcher-kva.example", "xn--bcher-kva.example" },
        { "under_score", "under_score" },
        { "100.64.0.1:80", "100.64.0.1" },
        { "[FD7A::1]", "[fd7a::1]" },
        { "[fd7a::1]:443", "[fd7a::1]" },
        { "", NULL },
        { ".", NULL },
        { "..", NULL },
        { "a..b", NULL },
        { ".a", NULL },
        { "a..", NULL },
        { "a b", NULL },
        { "a,b", NULL },
        { "a/b", NULL },
        { "a\\b", NULL },
        { "user@host", NULL },
        { "host:80:80", NULL },
        { "host:x", NULL },
        { "host:65536", NULL },
        { "host:-1", NULL },
        { "fd7a::1", NULL },
        { "[fd7a::1", NULL },
        { "[fd7a::1]x", NULL },
        { "[fe80::1%eth0]", NULL },
        { "[]", NULL },
        { "[1.2.3.4]", NULL },
        { "b\xc3\xbc" "cher.example", NULL },
        { "a%2eb", NULL },
        { "a#b", NULL },
        { "a\r\nb", NULL }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&st, 0, sizeof(st));
        error = authd_statement_host(&st, str(rows[i].in));
        check(&rows[i], error, st.host);
    }

    memset(label, 'a', sizeof(label));

    assert_null(authd_statement_host(&st, (tg_str_t) { label, 253 }));
    assert_non_null(authd_statement_host(&st, (tg_str_t) { label, 254 }));
    assert_non_null(authd_statement_host(&st, (tg_str_t) { "a\0b", 3 }));
}


/* iap 21, CVE-2021-32637: a URI that cannot be parsed is no URI */

static void
test_uri(void **state)
{
    size_t             i;
    const char        *error;
    authd_statement_t  st;

    static const row_t  rows[] = {
        { "/", "/" },
        { "/a?b=/c?d", "/a" },
        { "/a%20b", "/a%20b" },
        { "/?\\{}|^", "/" },
        { "//evil/a", "//evil/a" },
        { "", NULL },
        { "*", NULL },
        { "a", NULL },
        { "http://host/a", NULL },
        { "/a b", NULL },
        { "/a\tb", NULL },
        { "/a\r\nX: y", NULL },
        { "/\x7f", NULL }
    };

    /* refused by whoever has no policy file that judges them */

    static const char *const  odd[] = {
        "/a#b", "/a\\b", "/a%", "/a%2", "/a%zz", "/a%00", "/\xc3\xa4"
    };

    static const char *const  odd_queries[] = {
        "/a?b=%00", "/a?b=%", "/a?b#c", "/a?\xc3\xa4"
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&st, 0, sizeof(st));
        st.method = str("GET");
        error = authd_statement_uri(&st, str(rows[i].in));
        check(&rows[i], error, st.path);
        assert_null(st.odd);
    }

    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_null(authd_statement_uri(&st, str(odd[i])));
        assert_non_null(st.odd);
        assert_str(st.path, odd[i]);
    }

    for (i = 0; i < sizeof(odd_queries) / sizeof(odd_queries[0]); i++) {
        assert_null(authd_statement_uri(&st, str(odd_queries[i])));
        assert_non_null(st.odd);
        assert_str(st.path, "/a");
    }

    assert_non_null(authd_statement_uri(&st, (tg_str_t) { "/a\0b", 4 }));

    st.method = str("OPTIONS");
    assert_null(authd_statement_uri(&st, str("*")));
    assert_str(st.path, "*");
}


static void
test_uri_length(void **state)
{
    static char        uri[AUTHD_URI_MAX + 1];
    authd_statement_t  st;

    (void) state;

    memset(uri, '/', sizeof(uri));
    memset(&st, 0, sizeof(st));

    assert_null(authd_statement_uri(&st, (tg_str_t) { uri, AUTHD_URI_MAX }));
    assert_non_null(authd_statement_uri(&st,
                                     (tg_str_t) { uri, AUTHD_URI_MAX + 1 }));
}


static void
test_url(void **state)
{
    authd_statement_t  st;

    (void) state;

    memset(&st, 0, sizeof(st));

    assert_null(authd_statement_url(&st, str("https://Wiki.Corp:8443/a/b?c")));
    assert_str(st.host, "wiki.corp");
    assert_str(st.path, "/a/b");

    assert_null(authd_statement_url(&st, str("HTTP://[fd7a::1]:80/")));
    assert_str(st.host, "[fd7a::1]");

    assert_non_null(authd_statement_url(&st, str("https://wiki.corp")));
    assert_non_null(authd_statement_url(&st, str("https:///a")));
    assert_non_null(authd_statement_url(&st, str("ftp://wiki.corp/")));
    assert_non_null(authd_statement_url(&st, str("//wiki.corp/")));
    assert_non_null(authd_statement_url(&st, str("https://a@wiki.corp/")));
    assert_non_null(authd_statement_url(&st, str("https://wiki.corp?/")));
    assert_non_null(authd_statement_url(&st, str("https:/wiki.corp/")));
    assert_non_null(authd_statement_url(&st, str("")));
}


static void
test_arguments(void **state)
{
    authd_arguments_t  args;

    (void) state;

    args.source = AUTHD_SOURCE_FORWARDED;

    assert_null(authd_arguments_read(str(""), &args));
    assert_int_equal(args.nprofiles, 0);
    assert_int_equal(args.source, AUTHD_SOURCE_FORWARDED);

    assert_null(authd_arguments_read(str("headers=off"), &args));
    assert_int_equal(args.nprofiles, 0);

    assert_null(authd_arguments_read(str("headers=webauth,remote-user"
                                         "&source=remote"), &args));
    assert_int_equal(args.nprofiles, 2);
    assert_string_equal(args.profiles[0]->name, "webauth");
    assert_string_equal(args.profiles[1]->name, "remote-user");
    assert_int_equal(args.source, AUTHD_SOURCE_REMOTE);

    assert_null(authd_arguments_read(str("source=forwarded"), &args));
    assert_int_equal(args.source, AUTHD_SOURCE_FORWARDED);
}


static void
test_arguments_refused(void **state)
{
    size_t             i;
    authd_arguments_t  args;

    static const char *const  rows[] = {
        "header=grafana",
        "headers",
        "headers=",
        "headers=nosuch",
        "headers=webauth,nosuch",
        "headers=webauth,,netbox",
        "headers=webauth&headers=netbox",
        "headers=web%61uth",
        "headers=Webauth",
        "headers=webauth,webauth",
        "headers=webauth,grafana",         /* both have X-Webauth-User */
        "source=",
        "source=xff",
        "source=remote&source=remote",
        "x=y",
        "=",
        "&"
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        args.source = AUTHD_SOURCE_REMOTE;

        if (authd_arguments_read(str(rows[i]), &args) == NULL) {
            fail_msg("\"%s\" passed", rows[i]);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_method),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_uri),
        cmocka_unit_test(test_uri_length),
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_arguments_refused)
    };

    return cmocka_run_group_tests_name("authd_statement", tests, NULL, NULL);
}
