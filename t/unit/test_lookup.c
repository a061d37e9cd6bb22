
/*
 * Copyright (C) The Tailgate authors
 *
 * What is asked of the LocalAPI.
 */

#include <tailgate/identity.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


static void
test_target(void **state)
{
    char        buf[TG_LOCALAPI_TARGET_MAX];
    size_t      i, len;
    tg_str_t    service;
    tg_addr_t   addr, dst;

    static const struct {
        const char  *addr;
        bool         with_port;
        const char  *service;
        const char  *dst;
        int          rc;
        const char  *target;
    } cases[] = {
        { "100.64.0.4", false, "", NULL, TG_OK,
          "/localapi/v0/whois?addr=100.64.0.4" },
        { "100.64.0.4:4242", false, "", NULL, TG_OK,
          "/localapi/v0/whois?addr=100.64.0.4" },
        { "127.0.0.1:4242", true, "", NULL, TG_OK,
          "/localapi/v0/whois?addr=127.0.0.1%3A4242&proto=tcp" },
        { "fd7a:115c:a1e0::4", false, "", NULL, TG_OK,
          "/localapi/v0/whois?addr=fd7a%3A115c%3Aa1e0%3A%3A4" },
        { "[::1]:80", true, "", NULL, TG_OK,
          "/localapi/v0/whois?addr=%5B%3A%3A1%5D%3A80&proto=tcp" },
        { "100.64.0.4", false, "svc:wiki-2", NULL, TG_OK,
          "/localapi/v0/whois?addr=100.64.0.4&svc_name=svc%3Awiki-2" },
        { "100.64.0.4", false, "", "100.100.1.1", TG_OK,
          "/localapi/v0/whois?addr=100.64.0.4&dst_ip=100.100.1.1" },
        { "127.0.0.1:1", true, "svc:a", "fd7a::1", TG_OK,
          "/localapi/v0/whois?addr=127.0.0.1%3A1&proto=tcp&svc_name=svc%3Aa"
          "&dst_ip=fd7a%3A%3A1" },

        { "127.0.0.1", true, "", NULL, TG_ERR_RANGE, "" },
        { "", false, "", NULL, TG_ERR_RANGE, "" },
        { "100.64.0.4", false, "", "", TG_ERR_RANGE, "" },
        { "100.64.0.4", false, "svc:a&addr=1", NULL, TG_ERR_LIMIT, "" },
        { "100.64.0.4", false, "svc:a b", NULL, TG_ERR_LIMIT, "" },
        { "100.64.0.4", false, "svc:\xc3\xa5", NULL, TG_ERR_LIMIT, "" },
        { "100.64.0.4", false,
          "svc:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          NULL, TG_ERR_LIMIT, "" },

        /* allowed each, too long together */
        { "[1111:2222:3333:4444:5555:6666:7777:8888]:65535", true,
          "::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::",
          "1111:2222:3333:4444:5555:6666:7777:8888", TG_ERR_LIMIT, "" }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        service.data = cases[i].service;
        service.len = strlen(service.data);

        (void) tg_addr_parse(&addr, cases[i].addr, strlen(cases[i].addr));

        if (cases[i].dst != NULL) {
            (void) tg_addr_parse(&dst, cases[i].dst, strlen(cases[i].dst));
        }

        len = 99;
        assert_int_equal(tg_whois_target(&addr, cases[i].with_port, service,
                                         cases[i].dst != NULL ? &dst : NULL,
                                         buf, &len),
                         cases[i].rc);
        assert_string_equal(buf, cases[i].target);
        assert_int_equal(len, strlen(cases[i].target));
    }

    addr.family = TG_ADDR_UNIX;
    assert_int_equal(tg_whois_target(&addr, false, (tg_str_t) TG_NULL_STR,
                                     NULL, buf, &len), TG_ERR_RANGE);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_target)
    };

    return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
