
/*
 * Copyright (C) The Tailgate authors
 *
 * Metrics: their names, and that nothing leaves its label.
 */

#include <tailgate/metrics.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define S(text)  ((tg_str_t) TG_STR(text))


static char    buffer[64 * 1024];


static const char *
written(const tg_metrics_t *metrics)
{
    tg_metrics_text_t  text = { buffer, sizeof(buffer) - 1, 0 };

    tg_metrics_write(&text, metrics);
    assert_true(text.len < sizeof(buffer));
    buffer[text.len] = '\0';

    return buffer;
}


static tg_metrics_t
empty(void)
{
    tg_metrics_t  metrics;

    memset(&metrics, 0, sizeof(tg_metrics_t));

    metrics.component = "test";
    metrics.version = "1.2.3";

    return metrics;
}


/* As Prometheus wants them: a prefix, base units, and _total for counters. */

static void
test_names(void **state)
{
    int                 i, j;
    size_t              n;
    const tg_metric_t  *m;

    (void) state;

    for (i = 0; i < TG_METRIC_MAX; i++) {
        m = tg_metric((tg_metric_id_t) i);

        assert_non_null(m->name);
        assert_memory_equal(m->name, "tailgate_", 9);
        assert_int_equal(strspn(m->name, "abcdefghijklmnopqrstuvwxyz_"),
                         strlen(m->name));

        n = strlen(m->name);
        assert_int_equal(strcmp(m->type, "counter") == 0,
                         n > 6 && strcmp(m->name + n - 6, "_total") == 0);
        assert_true(strcmp(m->type, "counter") == 0
                    || strcmp(m->type, "gauge") == 0
                    || strcmp(m->type, "histogram") == 0);
        assert_true(m->help[strlen(m->help) - 1] == '.');
        assert_null(strpbrk(m->help, "\\\n"));

        for (j = 0; j < i; j++) {
            assert_string_not_equal(m->name,
                                    tg_metric((tg_metric_id_t) j)->name);
        }
    }
}


/* What a route, a file or a digest holds stays between its quotes. */

static void
test_escapes(void **state)
{
    tg_metrics_t         m;
    tg_metrics_route_t   route;
    tg_metrics_policy_t  policy;

    (void) state;

    m = empty();
    memset(&route, 0, sizeof(route));
    route.name = S("a\"} 1\nevil{x=\"\\");
    route.outcomes[TG_OUTCOME_DENY] = 7;
    m.routes = &route;
    m.nroutes = 1;

    policy.file = S("/p\\\"\n");
    policy.digest = S("<script>");
    m.policies = &policy;
    m.npolicies = 1;

    (void) written(&m);

    assert_non_null(strstr(buffer, "\ntailgate_decisions_total{route="
                    "\"a\\\"} 1\\nevil{x=\\\"\\\\\",outcome=\"deny\"} 7\n"));
    assert_null(strstr(buffer, "\nevil"));
    assert_non_null(strstr(buffer, "\ntailgate_policy_info{"
                    "file=\"/p\\\\\\\"\\n\",digest=\"<script>\"} 1\n"));
}


static void
test_outcomes(void **state)
{
    tg_metrics_t        m;
    tg_metrics_route_t  route;

    (void) state;

    m = empty();
    memset(&route, 0, sizeof(route));
    route.name = S(TG_METRICS_NONE);
    m.routes = &route;
    m.nroutes = 1;

    (void) written(&m);
    assert_non_null(strstr(buffer, "outcome=\"unavailable\"} 0\n"));
    assert_null(strstr(buffer, "outcome=\"optional\""));

    route.outcomes[TG_OUTCOME_OPTIONAL] = 1;

    (void) written(&m);
    assert_non_null(strstr(buffer, "outcome=\"optional\"} 1\n"));
}


/* Bounds are inclusive, buckets cumulative, and the sum is in seconds. */

static void
test_histogram(void **state)
{
    tg_metrics_t  m;

    (void) state;

    m = empty();
    tg_metrics_duration(m.counts, 0);
    tg_metrics_duration(m.counts, 50);
    tg_metrics_duration(m.counts, 51);
    tg_metrics_duration(m.counts, 1000000);
    tg_metrics_duration(m.counts, UINT32_MAX);

    (void) written(&m);

#define D  "\ntailgate_localapi_duration_seconds_"
    assert_non_null(strstr(buffer, D "bucket{le=\"0.00005\"} 2\n"));
    assert_non_null(strstr(buffer, D "bucket{le=\"0.0001\"} 3\n"));
    assert_non_null(strstr(buffer, D "bucket{le=\"0.5\"} 3\n"));
    assert_non_null(strstr(buffer, D "bucket{le=\"1\"} 4\n"));
    assert_non_null(strstr(buffer, D "bucket{le=\"2.5\"} 4\n"));
    assert_non_null(strstr(buffer, D "bucket{le=\"+Inf\"} 5\n"));
    assert_non_null(strstr(buffer, D "sum 4295.967396\n"));
    assert_non_null(strstr(buffer, D "count 5\n"));
#undef D
}


/* Where nothing is kept there is no bus; else one state alone is 1. */

static void
test_bus(void **state)
{
    tg_metrics_t  m;

    (void) state;

    m = empty();
    m.bus = TG_BUS_FOLLOWED;

    (void) written(&m);
    assert_non_null(strstr(buffer, "state{state=\"none\"} 1\n"));
    assert_non_null(strstr(buffer, "state{state=\"followed\"} 0\n"));

    m.cached = true;

    (void) written(&m);
    assert_non_null(strstr(buffer, "state{state=\"none\"} 0\n"));
    assert_non_null(strstr(buffer, "state{state=\"lost\"} 0\n"));
    assert_non_null(strstr(buffer, "state{state=\"followed\"} 1\n"));
}


/* Nothing is written past the end, and what is needed is told. */

static void
test_bound(void **state)
{
    char               *small;
    size_t              size, i;
    tg_metrics_t        m;
    tg_metrics_text_t   text;

    (void) state;

    m = empty();
    memset(&text, 0, sizeof(text));
    tg_metrics_write(&text, &m);
    size = text.len;
    assert_true(size > 1000);

    for (i = 0; i <= size; i += size / 7) {
        small = malloc(i + 1);
        assert_non_null(small);
        small[i] = '#';

        text = (tg_metrics_text_t) { small, i, 0 };
        tg_metrics_write(&text, &m);
        assert_int_equal(text.len, size);
        assert_int_equal(small[i], '#');
        free(small);
    }

    text = (tg_metrics_text_t) { buffer, size, 0 };
    tg_metrics_write(&text, &m);
    assert_int_equal(text.len, size);
    assert_int_equal(buffer[size - 1], '\n');
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_bus),
        cmocka_unit_test(test_bound)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
