
/*
 * Copyright (C) The Tailgate authors
 */

#include <tailgate/addr.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


static tg_addr_t
addr_of(const char *text)
{
    tg_addr_t  addr;

    assert_int_equal(tg_addr_parse(&addr, text, strlen(text)), TG_OK);

    return addr;
}


static void
test_parse(void **state)
{
    size_t     i;
    char       text[TG_ADDR_TEXT_MAX];
    tg_addr_t  addr;

    static const struct {
        const char  *in;
        int          rc;
        const char  *with_port;
    } cases[] = {
        { "1.2.3.4", TG_OK, "1.2.3.4:0" },
        { "1.2.3.4:80", TG_OK, "1.2.3.4:80" },
        { "1.2.3.4:65535", TG_OK, "1.2.3.4:65535" },
        { "1.2.3.4:0", TG_OK, "1.2.3.4:0" },
        { "::1", TG_OK, "[::1]:0" },
        { "::", TG_OK, "[::]:0" },
        { "[::1]", TG_OK, "[::1]:0" },
        { "[::1]:80", TG_OK, "[::1]:80" },
        { "FD7A:115C:A1E0:0:0:0:0:4", TG_OK, "[fd7a:115c:a1e0::4]:0" },
        { "::ffff:100.64.0.4", TG_OK, "100.64.0.4:0" },
        { "::ffff:6440:4", TG_OK, "100.64.0.4:0" },
        { "[::ffff:100.64.0.4]:80", TG_OK, "100.64.0.4:80" },
        { "::100.64.0.4", TG_OK, "[::100.64.0.4]:0" },

        { "", TG_ERR_SYNTAX, NULL },
        { ":", TG_ERR_SYNTAX, NULL },
        { ".", TG_ERR_SYNTAX, NULL },
        { "[", TG_ERR_SYNTAX, NULL },
        { "[]", TG_ERR_SYNTAX, NULL },
        { "[]:80", TG_ERR_SYNTAX, NULL },
        { ":80", TG_ERR_SYNTAX, NULL },
        { ":80.", TG_ERR_SYNTAX, NULL },
        { " 1.2.3.4", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4 ", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4\n", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4/32", TG_ERR_SYNTAX, NULL },
        { "1.2.3.04", TG_ERR_SYNTAX, NULL },
        { "1.2.3.256", TG_ERR_SYNTAX, NULL },
        { "1.2.3", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4.5", TG_ERR_SYNTAX, NULL },
        { "0x1.2.3.4", TG_ERR_SYNTAX, NULL },
        { "16909060", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4:", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4:65536", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4:080", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4:+80", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4:-1", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4:80:80", TG_ERR_SYNTAX, NULL },
        { "1.2.3.4:999999", TG_ERR_SYNTAX, NULL },
        { "[1.2.3.4]", TG_ERR_SYNTAX, NULL },
        { "[1.2.3.4]:80", TG_ERR_SYNTAX, NULL },
        { "[::1", TG_ERR_SYNTAX, NULL },
        { "::1]", TG_ERR_SYNTAX, NULL },
        { "[::1]80", TG_ERR_SYNTAX, NULL },
        { "[::1]:", TG_ERR_SYNTAX, NULL },
        { "[[::1]]", TG_ERR_SYNTAX, NULL },
        { ":::1", TG_ERR_SYNTAX, NULL },
        { "1::2::3", TG_ERR_SYNTAX, NULL },
        { "12345::", TG_ERR_SYNTAX, NULL },
        { "localhost", TG_ERR_SYNTAX, NULL },
        { "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
          TG_ERR_SYNTAX, NULL },

        { "fe80::1%eth0", TG_ERR_REFUSED, NULL },
        { "[fe80::1%eth0]:80", TG_ERR_REFUSED, NULL },
        { "100.64.0.4%eth0", TG_ERR_REFUSED, NULL }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        memset(&addr, 0xff, sizeof(addr));

        if (tg_addr_parse(&addr, cases[i].in, strlen(cases[i].in))
            != cases[i].rc)
        {
            fail_msg("\"%s\" is not %d", cases[i].in, cases[i].rc);
        }

        if (cases[i].rc != TG_OK) {
            assert_int_equal(addr.family, TG_ADDR_NONE);
            continue;
        }

        assert_int_equal(tg_addr_format(&addr, true, text),
                         strlen(cases[i].with_port));
        assert_string_equal(text, cases[i].with_port);
    }

    /* what inet_pton() does not see */

    assert_int_equal(tg_addr_parse(&addr, "1.2.3.4\0x", 9), TG_ERR_SYNTAX);
    assert_int_equal(tg_addr_parse(&addr, "::1\0", 4), TG_ERR_SYNTAX);
    assert_int_equal(tg_addr_parse(&addr, "1.2.3.4:80\0", 11), TG_ERR_SYNTAX);
}


static void
test_format(void **state)
{
    char       text[TG_ADDR_TEXT_MAX];
    tg_addr_t  addr;

    (void) state;

    memset(&addr, 0, sizeof(addr));
    assert_int_equal(tg_addr_format(&addr, true, text), 1);
    assert_string_equal(text, "-");

    addr.family = TG_ADDR_UNIX;
    assert_int_equal(tg_addr_format(&addr, true, text), 5);
    assert_string_equal(text, "unix:");

    addr.family = 77;
    assert_int_equal(tg_addr_format(&addr, false, text), 1);
    assert_string_equal(text, "-");

    addr = addr_of("[::1]:80");
    assert_int_equal(tg_addr_format(&addr, false, text), 3);
    assert_string_equal(text, "::1");

    /* the longest one */
    addr = addr_of("[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
    assert_int_equal(tg_addr_format(&addr, true, text), 47);
}


static void
test_sockaddr(void **state)
{
    char                 text[TG_ADDR_TEXT_MAX];
    tg_addr_t            addr;
    struct sockaddr_un   sun;
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    (void) state;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(8080);
    sin.sin_addr.s_addr = htonl(0x64400004);

    assert_int_equal(tg_addr_from_sockaddr(&addr, (struct sockaddr *) &sin,
                                           sizeof(sin)), TG_OK);
    (void) tg_addr_format(&addr, true, text);
    assert_string_equal(text, "100.64.0.4:8080");

    assert_int_equal(tg_addr_from_sockaddr(&addr, (struct sockaddr *) &sin,
                                           sizeof(sin) - 1), TG_ERR_TYPE);
    assert_int_equal(addr.family, TG_ADDR_NONE);

    memset(&sin6, 0, sizeof(sin6));
    sin6.sin6_family = AF_INET6;
    sin6.sin6_port = htons(80);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:100.64.0.4",
                               &sin6.sin6_addr), 1);

    assert_int_equal(tg_addr_from_sockaddr(&addr, (struct sockaddr *) &sin6,
                                           sizeof(sin6)), TG_OK);
    (void) tg_addr_format(&addr, true, text);
    assert_string_equal(text, "100.64.0.4:80");

    /* bytes behind a mapped address are no part of it */
    assert_memory_equal(addr.bytes + 4, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);

    assert_int_equal(tg_addr_from_sockaddr(&addr, (struct sockaddr *) &sin6,
                                           sizeof(sin6) - 1), TG_ERR_TYPE);

    sin6.sin6_scope_id = 2;
    assert_int_equal(tg_addr_from_sockaddr(&addr, (struct sockaddr *) &sin6,
                                           sizeof(sin6)), TG_ERR_REFUSED);
    assert_int_equal(addr.family, TG_ADDR_NONE);

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    assert_int_equal(tg_addr_from_sockaddr(&addr, (struct sockaddr *) &sun,
                                           sizeof(sa_family_t)), TG_OK);
    assert_int_equal(addr.family, TG_ADDR_UNIX);

    sun.sun_family = AF_NETLINK;
    assert_int_equal(tg_addr_from_sockaddr(&addr, (struct sockaddr *) &sun,
                                           sizeof(sun)), TG_ERR_TYPE);
    assert_int_equal(tg_addr_from_sockaddr(&addr, (struct sockaddr *) &sun, 1),
                     TG_ERR_TYPE);
    assert_int_equal(tg_addr_from_sockaddr(&addr, NULL, 0), TG_ERR_TYPE);
    assert_int_equal(addr.family, TG_ADDR_NONE);
}


static void
test_equal(void **state)
{
    tg_addr_t  a, b;

    (void) state;

    a = addr_of("100.64.0.4:1");
    b = addr_of("[::ffff:100.64.0.4]:2");
    assert_true(tg_addr_equal(&a, &b));

    b = addr_of("100.64.0.5:1");
    assert_false(tg_addr_equal(&a, &b));

    /* the same bytes, another family */
    b = addr_of("6440:4::");
    assert_memory_equal(a.bytes, b.bytes, 4);
    assert_false(tg_addr_equal(&a, &b));

    memset(&a, 0, sizeof(a));
    assert_false(tg_addr_equal(&a, &a));

    a.family = TG_ADDR_UNIX;
    assert_false(tg_addr_equal(&a, &a));
}


static void
test_ranges(void **state)
{
    size_t     i;
    tg_addr_t  addr;

    static const struct {
        const char  *addr;
        bool         tailnet;
        bool         loopback;
    } cases[] = {
        { "100.63.255.255", false, false },
        { "100.64.0.0", true, false },
        { "100.127.255.255", true, false },
        { "100.128.0.0", false, false },
        { "fd7a:115c:a1df:ffff::1", false, false },
        { "fd7a:115c:a1e0::", true, false },
        { "fd7a:115c:a1e0:ffff:ffff:ffff:ffff:ffff", true, false },
        { "fd7a:115c:a1e1::", false, false },
        { "::ffff:100.64.0.1", true, false },
        { "126.255.255.255", false, false },
        { "127.0.0.0", false, true },
        { "127.255.255.255", false, true },
        { "128.0.0.0", false, false },
        { "::1", false, true },
        { "::2", false, false },
        { "::", false, false },
        { "0.0.0.0", false, false },
        { "::ffff:127.0.0.1", false, true },
        { "6440::", false, false },
        { "7f00::1", false, false }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        addr = addr_of(cases[i].addr);

        if (tg_addr_is_tailnet(&addr) != cases[i].tailnet
            || tg_addr_is_loopback(&addr) != cases[i].loopback)
        {
            fail_msg("%s", cases[i].addr);
        }
    }

    memset(&addr, 0, sizeof(addr));
    assert_false(tg_addr_is_tailnet(&addr) || tg_addr_is_loopback(&addr));
}


static void
test_cidr(void **state)
{
    size_t     i;
    tg_addr_t  addr;
    tg_cidr_t  cidr;

    static const struct {
        const char  *cidr;
        int          rc;
        const char  *in;
        const char  *out;
    } cases[] = {
        { "10.0.0.0/8", TG_OK, "10.255.0.1", "11.0.0.0" },
        { "100.64.0.0/10", TG_OK, "100.127.255.255", "100.128.0.0" },
        { "10.1.2.0/23", TG_OK, "10.1.3.255", "10.1.4.0" },
        { "10.1.2.3", TG_OK, "10.1.2.3", "10.1.2.2" },
        { "10.1.2.3/32", TG_OK, "10.1.2.3", "10.1.2.2" },
        { "0.0.0.0/0", TG_OK, "255.255.255.255", "::1" },
        { "fd7a::/16", TG_OK, "fd7a::1", "fd7b::1" },
        { "fd7a:8000::/17", TG_OK, "fd7a:ffff::1", "fd7a:7fff::1" },
        { "::1", TG_OK, "::1", "::2" },
        { "::/0", TG_OK, "fd7a::1", "1.2.3.4" },
        { "::ffff:10.0.0.0/104", TG_OK, "10.9.9.9", "11.0.0.0" },
        { "::ffff:0:0/96", TG_OK, "10.9.9.9", "::1" },
        { "::ffff:10.0.0.1", TG_OK, "10.0.0.1", "10.0.0.2" },

        { "::ffff:0:0/95", TG_ERR_SYNTAX, NULL, NULL },
        { "10.0.0.1/8", TG_ERR_RANGE, NULL, NULL },
        { "10.1.3.0/23", TG_ERR_RANGE, NULL, NULL },
        { "0.0.0.1/0", TG_ERR_RANGE, NULL, NULL },
        { "fd7a::1/127", TG_ERR_RANGE, NULL, NULL },
        { "", TG_ERR_SYNTAX, NULL, NULL },
        { "/8", TG_ERR_SYNTAX, NULL, NULL },
        { "10.0.0.0/", TG_ERR_SYNTAX, NULL, NULL },
        { "10.0.0.0/33", TG_ERR_SYNTAX, NULL, NULL },
        { "10.0.0.0/08", TG_ERR_SYNTAX, NULL, NULL },
        { "10.0.0.0/-1", TG_ERR_SYNTAX, NULL, NULL },
        { "10.0.0.0/8/8", TG_ERR_SYNTAX, NULL, NULL },
        { "10.0.0.0/255.0.0.0", TG_ERR_SYNTAX, NULL, NULL },
        { "10/8", TG_ERR_SYNTAX, NULL, NULL },
        { "10.0.0.1:80", TG_ERR_SYNTAX, NULL, NULL },
        { "[::1]/128", TG_ERR_SYNTAX, NULL, NULL },
        { "::/129", TG_ERR_SYNTAX, NULL, NULL },
        { "fe80::%eth0/64", TG_ERR_SYNTAX, NULL, NULL },
        { "unix:", TG_ERR_SYNTAX, NULL, NULL }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {

        if (tg_cidr_parse(&cidr, cases[i].cidr, strlen(cases[i].cidr))
            != cases[i].rc)
        {
            fail_msg("\"%s\" is not %d", cases[i].cidr, cases[i].rc);
        }

        if (cases[i].rc != TG_OK) {
            assert_int_equal(cidr.addr.family, TG_ADDR_NONE);
            continue;
        }

        addr = addr_of(cases[i].in);

        if (!tg_cidr_match(&cidr, &addr)) {
            fail_msg("%s is not in %s", cases[i].in, cases[i].cidr);
        }

        addr = addr_of(cases[i].out);

        if (tg_cidr_match(&cidr, &addr)) {
            fail_msg("%s is in %s", cases[i].out, cases[i].cidr);
        }

        addr.family = TG_ADDR_UNIX;
        assert_false(tg_cidr_match(&cidr, &addr));
    }

    /* no network holds what has no address */

    memset(&cidr, 0, sizeof(cidr));
    memset(&addr, 0, sizeof(addr));
    assert_false(tg_cidr_match(&cidr, &addr));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_sockaddr),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_cidr)
    };

    return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
