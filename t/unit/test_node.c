
/*
 * Copyright (C) The Tailgate authors
 *
 * The status answer, and the names of a status.
 */

#include "t/unit/alice.h"


static void
test_status(void **state)
{
    tg_self_t   own;
    tg_error_t  error;

    (void) state;

    assert_int_equal(tg_status_parse(status, sizeof(status) - 1, &alloc, &own,
                                     &error), TG_OK);

    assert_true(own.running);
    assert_str(own.state, "Running");
    assert_str(own.version, "1.102.5");
    assert_str(own.node, "Web1.Tail.example");
    assert_str(own.node_id, "n2");
    assert_str(own.tailnet, "tail.example");
    assert_int_equal(own.naddrs, 2);
    assert_int_equal(own.addrs[0].family, TG_ADDR_V4);
    assert_int_equal(own.addrs[0].bytes[3], 2);
    assert_int_equal(own.addrs[1].family, TG_ADDR_V6);

    /* for people: mended, not refused */

    assert_int_equal(own.health.n, 2);
    assert_str(own.health.items[0], "one two");
    assert_str(own.health.items[1], "");
}


static void
test_status_forms(void **state)
{
    size_t      i;
    tg_self_t   own;
    tg_error_t  error;

    static const struct {
        const char  *text;
        int          rc;
        bool         running;
        const char  *tailnet;
        size_t       naddrs;
    } cases[] = {
        { "{\"BackendState\":\"NoState\",\"Self\":null}", TG_OK, false, "",
          0 },
        { "{\"BackendState\":\"running\"}", TG_OK, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":[\"100.64.0.1\"]}",
          TG_OK, true, "", 1 },
        { "{\"BackendState\":\"Running\",\"Self\":{\"DNSName\":\"web1.\"},"
          "\"CurrentTailnet\":{\"MagicDNSSuffix\":\"A.Example.\"}}",
          TG_OK, true, "a.example", 0 },

        { "{}", TG_ERR_MISSING, false, "", 0 },
        { "{\"BackendState\":\"\"}", TG_ERR_MISSING, false, "", 0 },
        { "{\"BackendState\":6}", TG_ERR_TYPE, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"Self\":[]}", TG_ERR_TYPE, false,
          "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":\"1.2.3.4\"}",
          TG_ERR_TYPE, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":[7]}",
          TG_ERR_TYPE, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":[\"1.2.3.4:5\"]}",
          TG_ERR_SYNTAX, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":[\"x\"]}",
          TG_ERR_SYNTAX, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"Health\":[1]}", TG_ERR_TYPE, false,
          "", 0 },
        { "{\"BackendState\":\"a\\nb\"}", TG_ERR_REFUSED, false, "", 0 },
        { "{\"BackendState\":\"a\",\"BackendState\":\"Running\"}",
          TG_ERR_SYNTAX, false, "", 0 },
        { "", TG_ERR_SYNTAX, false, "", 0 }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {

        if (tg_status_parse(cases[i].text, strlen(cases[i].text), &alloc,
                            &own, &error)
            != cases[i].rc)
        {
            fail_msg("%s: %s", cases[i].text, error.text);
        }

        assert_int_equal(error.code, cases[i].rc);
        assert_int_equal(own.running, cases[i].running);
        assert_str(own.tailnet, cases[i].tailnet);
        assert_int_equal(own.naddrs, cases[i].naddrs);
    }
}


static void
test_health_is_cut(void **state)
{
    char        text[4096];
    size_t      i, len;
    tg_self_t   own;
    tg_error_t  error;

    (void) state;

    /* three bytes each, so that the bound falls into a character */

    len = (size_t) snprintf(text, sizeof(text),
                            "{\"BackendState\":\"a\",\"Health\":[\"");

    for (i = 0; i < 500; i++) {
        memcpy(text + len, "\xe2\x82\xac", 3);
        len += 3;
    }

    memcpy(text + len, "\"]}", 3);

    assert_int_equal(tg_status_parse(text, len + 3, &alloc, &own, &error),
                     TG_OK);
    assert_int_equal(own.health.items[0].len, TG_NAME_MAX / 3 * 3);
}


static void
test_addresses_bound(void **state)
{
    char        text[8192];
    size_t      i, n, len;
    tg_self_t   own;
    tg_error_t  error;

    (void) state;

    for (n = TG_LIST_MAX; n <= TG_LIST_MAX + 1; n++) {
        len = (size_t) snprintf(text, sizeof(text),
                                "{\"BackendState\":\"Running\","
                                "\"TailscaleIPs\":[");

        for (i = 0; i < n; i++) {
            len += (size_t) snprintf(text + len, sizeof(text) - len,
                                     "%s\"100.64.0.1\"", i ? "," : "");
        }

        len += (size_t) snprintf(text + len, sizeof(text) - len, "]}");

        assert_int_equal(tg_status_parse(text, len, &alloc, &own, &error),
                         n == TG_LIST_MAX ? TG_OK : TG_ERR_LIMIT);
    }

    assert_int_equal(own.naddrs, 0);
}


static void
test_no_memory(void **state)
{
    int         rc;
    size_t      n;
    tg_self_t   own;
    tg_error_t  error;

    static const char  suffix[] =
        "{\"BackendState\":\"Running\",\"Self\":{\"DNSName\":\"a\"},"
        "\"CurrentTailnet\":{\"MagicDNSSuffix\":\"a.example\"}}";

    static const tg_alloc_t  failing = { failing_alloc, NULL };

    (void) state;

    for (n = 0, rc = TG_ERR_NOMEM; rc != TG_OK; n++) {
        calls_left = n;
        rc = tg_status_parse(suffix, sizeof(suffix) - 1, &failing, &own,
                             &error);

        assert_true(rc == TG_OK || rc == TG_ERR_NOMEM);
        assert_int_equal(own.running, rc == TG_OK);
    }

    assert_int_equal(n, 5);
}


static void
test_status_names(void **state)
{
    int  i, j;

    (void) state;

    for (i = TG_STATUS_NONE; i <= TG_STATUS_UNAVAILABLE; i++) {
        for (j = TG_STATUS_NONE; j < i; j++) {
            assert_string_not_equal(tg_status_name((tg_status_t) i),
                                    tg_status_name((tg_status_t) j));
        }
    }

    assert_string_equal(tg_status_name((tg_status_t) 99), "-");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_status, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_health_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_addresses_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status_names, setup, teardown)
    };

    return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
