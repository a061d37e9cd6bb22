
/*
 * Copyright (C) The Tailgate authors
 *
 * Hosts, their patterns, and versions.
 */

#include "core/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


static tg_str_t
text(const char *s)
{
    return (tg_str_t) { s, strlen(s) };
}


static void
test_canonical(void **state)
{
    bool      ok;
    char      buf[TG_HOST_MAX];
    size_t    i;
    tg_str_t  host;

    static const struct {
        const char  *host;
        const char  *canonical;        /* NULL: it is none */
    } cases[] = {
        { "grafana", "grafana" },
        { "Grafana.CORP", "grafana.corp" },
        { "grafana.corp.", "grafana.corp" },
        { "grafana.corp:8443", "grafana.corp" },
        { "grafana.corp.:443", "grafana.corp" },
        { "grafana:", "grafana" },
        { "100.64.0.1:80", "100.64.0.1" },
        { "a_b-c.d", "a_b-c.d" },
        { "xn--bcher-kva.example", "xn--bcher-kva.example" },
        { "[FD7A::1]:443", "[fd7a::1]" },
        { "[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]" },
        { "", NULL }, { ".", NULL }, { ":80", NULL }, { "..", NULL },
        { ".corp", NULL }, { "a..b", NULL }, { "a.b..", NULL },
        { "a b", NULL }, { "a/b", NULL }, { "a@b", NULL }, { "a%62", NULL },
        { "b\xc3\xbc""cher", NULL }, { "a:80:80", NULL }, { "a:8x", NULL },
        { "[", NULL }, { "[]", NULL }, { "[::1", NULL }, { "[::1]x", NULL },
        { "[::1%25eth0]", NULL }, { "*.corp", NULL }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        ok = tgi_host_canonical(text(cases[i].host), buf, &host);

        if (ok != (cases[i].canonical != NULL)
            || (ok && !tgi_str_equal(host, text(cases[i].canonical))))
        {
            fail_msg("%s: %.*s", cases[i].host, (int) host.len,
                     host.len ? host.data : "");
        }
    }
}


static void
test_long_host(void **state)
{
    char      host[TG_HOST_MAX + 2], buf[TG_HOST_MAX];
    tg_str_t  canonical;

    (void) state;

    memset(host, 'a', sizeof(host));
    assert_true(tgi_host_canonical((tg_str_t) { host, TG_HOST_MAX }, buf,
                                   &canonical));
    assert_false(tgi_host_canonical((tg_str_t) { host, TG_HOST_MAX + 1 }, buf,
                                    &canonical));

    host[0] = '[';
    memset(host + 1, ':', sizeof(host) - 1);
    assert_false(tgi_host_canonical((tg_str_t) { host, sizeof(host) }, buf,
                                    &canonical));
}


static void
test_patterns(void **state)
{
    char        buf[TG_HOST_MAX];
    size_t      i;
    tgi_host_t  pattern;

    static const struct {
        const char  *pattern;
        const char  *host;
        bool         fits;
    } cases[] = {
        { "grafana.corp", "grafana.corp", true },
        { "Grafana.Corp", "grafana.corp", true },
        { "grafana.corp", "a.grafana.corp", false },
        { "grafana.corp", "grafana", false },
        { "*.corp", "grafana.corp", true },
        { "*.corp", "a.b.corp", true },
        { "*.Corp", "a.corp", true },
        { "*.corp", "corp", false },
        { "*.corp", "notcorp", false },
        { "*.corp", "a.corp.evil", false },
        { "*.b.corp", "a.b.corp", true },
        { "*.b.corp", "b.corp", false },
        { "*.b.corp", "a.xb.corp", false }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        assert_true(tgi_host_parse(text(cases[i].pattern), buf, &pattern));

        if (tgi_host_match(&pattern, text(cases[i].host)) != cases[i].fits) {
            fail_msg("%s and %s", cases[i].pattern, cases[i].host);
        }
    }
}


static void
test_bad_patterns(void **state)
{
    char        buf[TG_HOST_MAX];
    size_t      i;
    tgi_host_t  pattern;

    static const char *const  bad[] = {
        "", "*", "*.", "**.corp", "*corp", "a.*.b", "a.corp:80", "a.corp.",
        "*.corp:80", "*.corp.", "https://a", "a b", "*.[::1]", "*..corp"
    };

    (void) state;

    for (i = 0; i < NELTS(bad); i++) {
        if (tgi_host_parse(text(bad[i]), buf, &pattern)) {
            fail_msg("%s", bad[i]);
        }
    }
}


static void
test_versions(void **state)
{
    int            order;
    size_t         i;
    tgi_version_t  a, b;

    static const struct {
        const char  *a;
        const char  *b;
        int          order;
    } cases[] = {
        { "18.10", "18.3", 1 },
        { "15.3", "15.3.0", 0 },
        { "15.3", "15.3.1", -1 },
        { "15.2.9", "15.3", -1 },
        { "9", "10", -1 },
        { "6.1.0-13-amd64", "6.1", 0 },
        { "1.66.4-t84e8a00", "1.66.4", 0 },
        { "10.0.22631.4317", "10.0.22631.4316", 1 },
        { "15.", "15", 0 },
        { "15.x", "15", 0 },
        { "007", "7", 0 },
        { "18446744073709551615", "18446744073709551614", 1 },
        { "1.2.3.4.5.6.7.8", "1.2.3.4.5.6.7.9", -1 }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        assert_true(tgi_version_parse(text(cases[i].a), &a));
        assert_true(tgi_version_parse(text(cases[i].b), &b));

        order = tgi_version_compare(&a, &b);

        if (order != cases[i].order
            || tgi_version_compare(&b, &a) != -cases[i].order)
        {
            fail_msg("%s and %s: %d", cases[i].a, cases[i].b, order);
        }
    }
}


static void
test_unknown_versions(void **state)
{
    size_t         i;
    tgi_version_t  version;

    static const char *const  unknown[] = {
        "", "x", "v1.2", ".1", "-1", " 1", "18446744073709551616",
        "1.18446744073709551616", "1.2.3.4.5.6.7.8.9"
    };

    (void) state;

    for (i = 0; i < NELTS(unknown); i++) {
        if (tgi_version_parse(text(unknown[i]), &version)) {
            fail_msg("%s", unknown[i]);
        }
    }
}


static void
test_ranges(void **state)
{
    size_t         i;
    tgi_version_t  version;

    static const tgi_bound_t  bounds[] = {
        { TGI_OP_GE, { { 15 } } }, { TGI_OP_LT, { { 16 } } },
        { TGI_OP_EQ, { { 18, 2 } } }
    };

    static const tgi_range_t  items[] = {
        { (tgi_bound_t *) (uintptr_t) bounds, 2, TG_STR(">= 15, < 16") },
        { (tgi_bound_t *) (uintptr_t) (bounds + 2), 1, TG_STR("18.2") }
    };

    static const tgi_ranges_t  ranges = {
        (tgi_range_t *) (uintptr_t) items, 2
    };

    static const struct {
        const char  *version;
        bool         in;
    } cases[] = {
        { "14.9", false }, { "15", true }, { "15.9.9", true },
        { "16", false }, { "18.2", true }, { "18.2.1", false }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        assert_true(tgi_version_parse(text(cases[i].version), &version));

        if (tgi_ranges_match(&ranges, &version) != cases[i].in) {
            fail_msg("%s", cases[i].version);
        }
    }
}


static void
test_ops(void **state)
{
    int     comparison;
    size_t  i;

    static const bool  holds[][3] = {
        [TGI_OP_LT] = { true, false, false },
        [TGI_OP_LE] = { true, true, false },
        [TGI_OP_EQ] = { false, true, false },
        [TGI_OP_GE] = { false, true, true },
        [TGI_OP_GT] = { false, false, true }
    };

    (void) state;

    for (i = 0; i < NELTS(holds); i++) {
        for (comparison = -1; comparison <= 1; comparison++) {
            assert_int_equal(tgi_op_holds((tgi_op_t) i, comparison),
                             holds[i][comparison + 1]);
        }
    }
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_long_host),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_bad_patterns),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_unknown_versions),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ops)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
