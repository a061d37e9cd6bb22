
/*
 * Copyright (C) The Tailgate authors
 *
 * Whom a proxy may name, and who may name anybody.
 */

#include "authd/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>


static tg_str_t
str(const char *s)
{
    return (tg_str_t) { s, strlen(s) };
}


static void
check(const tg_addr_t *addr, const char *want)
{
    char  text[TG_ADDR_TEXT_MAX];

    (void) tg_addr_format(addr, addr->port != 0, text);
    assert_string_equal(text, want);
}


/* iap 4: one form of each address, and what is malformed is a denial */

static void
test_remote(void **state)
{
    int          rc;
    size_t       i;
    tg_str_t     port;
    tg_addr_t    addr;
    const char  *what;

    static const struct {
        const char  *addr;
        const char  *port;
        const char  *want;         /* NULL: refused */
    } rows[] = {
        { "100.64.0.4", "4242", "100.64.0.4:4242" },
        { "100.64.0.4", "0", "100.64.0.4" },
        { "100.64.0.4", "65535", "100.64.0.4:65535" },
        { "fd7a:115c:a1e0::4", "1", "[fd7a:115c:a1e0::4]:1" },
        { "::ffff:100.64.0.4", "1", "100.64.0.4:1" },
        { "100.64.0.4", "65536", NULL },
        { "100.64.0.4", "99999999", NULL },
        { "100.64.0.4", "-1", NULL },
        { "100.64.0.4", "+1", NULL },
        { "100.64.0.4", " 1", NULL },
        { "100.64.0.4", "1 ", NULL },
        { "100.64.0.4", "x", NULL },
        { "100.64.0.4", "", NULL },
        { "100.64.0.4:80", "1", NULL },
        { "[fd7a::4]", "1", NULL },
        { "[fd7a::4]:80", "1", NULL },
        { "fe80::1%eth0", "1", NULL },
        { "100.64.0.4/32", "1", NULL },
        { "100.64.0.04", "1", NULL },
        { " 100.64.0.4", "1", NULL },
        { "100.64.0.4, 1.2.3.4", "1", NULL },
        { "unix:", "1", NULL },
        { "alice", "1", NULL },
        { "", "1", NULL }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        port = str(rows[i].port);
        rc = authd_source_parse(str(rows[i].addr), &port, &addr, &what);

        if (rows[i].want == NULL) {
            if (rc != TG_ERR_SYNTAX) {
                fail_msg("%s %s passed", rows[i].addr, rows[i].port);
            }

            continue;
        }

        assert_int_equal(rc, TG_OK);
        check(&addr, rows[i].want);
    }
}


/* tsidp#179: the first value is the client's, the last one the sender's own */

static void
test_last(void **state)
{
    int          rc;
    size_t       i;
    tg_addr_t    addr;
    const char  *what;

    static const struct {
        const char  *list;
        const char  *want;
    } rows[] = {
        { "100.64.0.4", "100.64.0.4" },
        { "1.2.3.4, 100.64.0.4", "100.64.0.4" },
        { "1.2.3.4,100.64.0.4", "100.64.0.4" },
        { "evil, ;:, 100.64.0.4", "100.64.0.4" },
        { "100.64.0.4:4242", "100.64.0.4" },
        { "1.2.3.4, [fd7a::4]:80", "fd7a::4" },
        { "1.2.3.4, fd7a::4", "fd7a::4" },
        { "100.64.0.4,", NULL },
        { "100.64.0.4, ", NULL },
        { "100.64.0.4, unknown", NULL },
        { "100.64.0.4, fe80::1%eth0", NULL },
        { "100.64.0.4 5", NULL },
        { "100.64.0.4\t", NULL },
        { ",", NULL },
        { "", NULL }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rc = authd_source_last(str(rows[i].list), &addr, &what);

        if (rows[i].want == NULL) {
            if (rc != TG_ERR_SYNTAX) {
                fail_msg("\"%s\" passed", rows[i].list);
            }

            continue;
        }

        if (rc != TG_OK) {
            fail_msg("\"%s\": %s", rows[i].list, what);
        }

        check(&addr, rows[i].want);
    }
}


static tgn_peer_t
tcp_peer(const char *addr)
{
    tgn_peer_t  peer;

    memset(&peer, 0, sizeof(peer));
    assert_int_equal(tg_addr_parse(&peer.addr, addr, strlen(addr)), TG_OK);

    return peer;
}


/* iap 31, iap 2: an empty list is nobody, and not everybody */

static void
test_sender(void **state)
{
    tgn_peer_t       unix_peer, tcp;
    authd_senders_t  none, some;

    static const uid_t  uids[] = { 33, 1000 };
    static const gid_t  gids[] = { 990 };

    tg_cidr_t  cidrs[1];

    (void) state;

    assert_int_equal(tg_cidr_parse(&cidrs[0], "127.0.0.0/30", 12), TG_OK);

    memset(&none, 0, sizeof(none));
    memset(&some, 0, sizeof(some));
    memset(&unix_peer, 0, sizeof(unix_peer));

    some.uids = uids;
    some.nuids = 2;
    some.gids = gids;
    some.ngids = 1;
    some.cidrs = cidrs;
    some.ncidrs = 1;

    unix_peer.addr.family = TG_ADDR_UNIX;
    unix_peer.has_cred = true;
    unix_peer.uid = 1000;
    unix_peer.gid = 1000;

    assert_false(authd_sender_listed(&none, &unix_peer));
    assert_true(authd_sender_listed(&some, &unix_peer));

    unix_peer.uid = 0;
    assert_false(authd_sender_listed(&some, &unix_peer));

    unix_peer.gid = 990;
    assert_true(authd_sender_listed(&some, &unix_peer));

    /* without credentials the numbers mean nothing */

    unix_peer.uid = 33;
    unix_peer.has_cred = false;
    assert_false(authd_sender_listed(&some, &unix_peer));

    /* and on TCP there are none */

    tcp = tcp_peer("127.0.0.1:4242");
    assert_false(authd_sender_listed(&none, &tcp));
    assert_true(authd_sender_listed(&some, &tcp));

    tcp = tcp_peer("127.0.0.4:4242");
    tcp.has_cred = true;
    tcp.uid = 33;
    assert_false(authd_sender_listed(&some, &tcp));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_remote),
        cmocka_unit_test(test_last),
        cmocka_unit_test(test_sender)
    };

    return cmocka_run_group_tests_name("authd_source", tests, NULL, NULL);
}
