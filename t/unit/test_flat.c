
/*
 * Copyright (C) The Tailgate authors
 *
 * The flat record.
 */

#include "t/unit/alice.h"


static void
assert_same(const tg_identity_t *a, const tg_identity_t *b)
{
    char    *first, *second;
    size_t   la, lb;

    assert_int_equal(tg_identity_pack(a, NULL, 0, &la), TG_ERR_LIMIT);
    assert_int_equal(tg_identity_pack(b, NULL, 0, &lb), TG_ERR_LIMIT);
    assert_int_equal(la, lb);

    first = malloc(la);
    second = malloc(lb);
    assert_non_null(first);
    assert_non_null(second);

    assert_int_equal(tg_identity_pack(a, first, la, &la), TG_OK);
    assert_int_equal(tg_identity_pack(b, second, lb, &lb), TG_OK);
    assert_memory_equal(first, second, la);

    free(first);
    free(second);
}


static void
test_flat(void **state)
{
    char           *buf;
    size_t          len, size;
    tg_identity_t   identity, copy;

    (void) state;

    assert_int_equal(parse(alice, &identity, NULL), TG_OK);
    assert_int_equal(tg_identity_pack(&identity, NULL, 0, &size),
                     TG_ERR_LIMIT);
    assert_true(size > 300 && size < 1000);

    buf = malloc(size);
    assert_non_null(buf);

    /* every size that is too small, and none is written past */

    for (len = 0; len < size; len++) {
        char    *small;
        size_t   need;

        small = malloc(len > 0 ? len : 1);
        assert_non_null(small);
        assert_int_equal(tg_identity_pack(&identity, small, len, &need),
                         TG_ERR_LIMIT);
        assert_int_equal(need, size);
        free(small);
    }

    assert_int_equal(tg_identity_pack(&identity, buf, size, &len), TG_OK);
    assert_int_equal(len, size);

    assert_int_equal(tg_identity_unpack(buf, size, &alloc, &copy), TG_OK);
    assert_int_equal(copy.traits, identity.traits);
    assert_int_equal(copy.status, identity.status);
    assert_int_equal(copy.key_expiry, identity.key_expiry);
    assert_true(tg_addr_equal(&copy.node_addr, &identity.node_addr));
    assert_str(copy.login, "alice@example.com");
    assert_str(copy.user, "alice");
    assert_str(copy.client_version, "1.102.5");
    assert_int_equal(copy.groups.n, 2);
    assert_str(copy.groups.items[1], "group:ops");
    assert_int_equal(copy.caps.len, identity.caps.len);
    assert_same(&identity, &copy);

    /* the record is not copied */
    assert_true(copy.login.data > buf && copy.login.data < buf + size);

    free(buf);
}


static void
test_flat_v6(void **state)
{
    char            buf[512];
    size_t          len;
    tg_identity_t   identity, copy;

    (void) state;

    memset(&identity, 0, sizeof(identity));
    identity.traits = TG_TRAIT_SHARED;
    identity.status = TG_STATUS_SHARED;
    assert_int_equal(tg_addr_parse(&identity.node_addr, "fd7a::f", 7), TG_OK);

    assert_int_equal(tg_identity_pack(&identity, buf, sizeof(buf), &len),
                     TG_OK);
    assert_int_equal(tg_identity_unpack(buf, len, &alloc, &copy), TG_OK);
    assert_true(tg_addr_equal(&identity.node_addr, &copy.node_addr));
    assert_int_equal(copy.status, TG_STATUS_SHARED);
}


static void
test_flat_empty(void **state)
{
    char           buf[512];
    size_t         len;
    tg_identity_t  identity, copy;

    (void) state;

    memset(&identity, 0, sizeof(identity));
    assert_int_equal(tg_identity_pack(&identity, buf, sizeof(buf), &len),
                     TG_OK);
    assert_int_equal(tg_identity_unpack(buf, len, &alloc, &copy), TG_OK);
    assert_int_equal(copy.login.len, 0);
    assert_same(&identity, &copy);
}


/*
 * Whatever happens to one byte: a record is refused, or is one that packs to
 * the same bytes.
 */

static void
test_flat_damage(void **state)
{
    int             rc;
    char           *buf, *again;
    size_t          i, len, size;
    unsigned        bit;
    tg_identity_t   identity, copy;

    (void) state;

    assert_int_equal(parse(alice, &identity, NULL), TG_OK);
    (void) tg_identity_pack(&identity, NULL, 0, &size);

    buf = malloc(size);
    again = malloc(size);
    assert_non_null(buf);
    assert_non_null(again);
    assert_int_equal(tg_identity_pack(&identity, buf, size, &len), TG_OK);

    for (i = 0; i < size; i++) {
        memcpy(again, buf, i);
        assert_int_equal(tg_identity_unpack(again, i, &alloc, &copy),
                         TG_ERR_SYNTAX);
        assert_int_equal(copy.status, TG_STATUS_NONE);
    }

    for (i = 0; i < size * 8; i++) {
        bit = 1u << (i % 8);
        buf[i / 8] = (char) (buf[i / 8] ^ (char) bit);

        rc = tg_identity_unpack(buf, size, &alloc, &copy);

        if (rc == TG_OK) {
            assert_int_equal(tg_identity_pack(&copy, again, size, &len),
                             TG_OK);
            assert_memory_equal(buf, again, size);

        } else {
            assert_int_equal(rc, TG_ERR_SYNTAX);
        }

        /* the head is never anything else */

        if (i / 8 < 8) {
            assert_int_equal(rc, TG_ERR_SYNTAX);
        }

        buf[i / 8] = (char) (buf[i / 8] ^ (char) bit);
    }

    free(again);
    free(buf);
}


/* Packed without a question, unpacked by nobody. */

static void
assert_refused(const tg_identity_t *identity)
{
    char           *buf;
    size_t          len, size;
    tg_identity_t   copy;

    assert_int_equal(tg_identity_pack(identity, NULL, 0, &size),
                     TG_ERR_LIMIT);
    buf = malloc(size);
    assert_non_null(buf);

    assert_int_equal(tg_identity_pack(identity, buf, size, &len), TG_OK);
    assert_int_equal(tg_identity_unpack(buf, len, &alloc, &copy),
                     TG_ERR_SYNTAX);
    assert_int_equal(copy.traits, 0);
    assert_int_equal(copy.login.len, 0);

    free(buf);
}


static void
test_flat_refused(void **state)
{
    size_t         i;
    tg_str_t       items[TG_LIST_MAX + 1];
    tg_identity_t  identity, good;

    static char  text[TG_CAPS_MAX + 1];

    (void) state;

    memset(text, 'a', sizeof(text));

    for (i = 0; i <= TG_LIST_MAX; i++) {
        items[i] = (tg_str_t) TG_STR("group:a");
    }

    assert_int_equal(parse(alice, &good, NULL), TG_OK);

    identity = good;
    identity.name = (tg_str_t) TG_STR("a\nb");
    assert_refused(&identity);
    identity.name = (tg_str_t) TG_STR("a\xff");
    assert_refused(&identity);

    identity = good;
    identity.login.data = text;
    identity.login.len = TG_LOGIN_MAX + 1;
    assert_refused(&identity);

    identity = good;
    identity.caps.data = text;
    identity.caps.len = TG_CAPS_MAX + 1;
    assert_refused(&identity);

    identity = good;
    identity.groups.items = items;
    identity.groups.n = TG_LIST_MAX + 1;
    assert_refused(&identity);

    identity.groups.n = 2;
    items[1].data = text;
    items[1].len = TG_LIST_ITEM_MAX + 1;
    assert_refused(&identity);

    identity = good;
    identity.traits |= 0x8000;
    assert_refused(&identity);

    identity = good;
    identity.status = TG_STATUS_MEMBER;
    assert_refused(&identity);

    identity = good;
    identity.node_addr.bytes[15] = 1;
    assert_refused(&identity);

    identity = good;
    identity.node_addr.family = TG_ADDR_UNIX;
    assert_refused(&identity);
}


/* A record ends where its head says, and nothing in it goes on behind. */

static void
test_flat_ends(void **state)
{
    char           *buf;
    size_t          len, size;
    uint32_t        n;
    tg_str_t        tag = TG_STR("tag:last");
    tg_identity_t   identity, copy;

    (void) state;

    memset(&identity, 0, sizeof(identity));
    identity.tags.items = &tag;
    identity.tags.n = 1;

    (void) tg_identity_pack(&identity, NULL, 0, &size);

    buf = malloc(size);
    assert_non_null(buf);
    assert_int_equal(tg_identity_pack(&identity, buf, size, &len), TG_OK);

    n = (uint32_t) tag.len + 1;
    memcpy(buf + size - tag.len - sizeof(n), &n, sizeof(n));
    assert_int_equal(tg_identity_unpack(buf, size, &alloc, &copy),
                     TG_ERR_SYNTAX);

    /* one byte that belongs to nothing */

    n = (uint32_t) tag.len - 1;
    memcpy(buf + size - tag.len - sizeof(n), &n, sizeof(n));
    assert_int_equal(tg_identity_unpack(buf, size, &alloc, &copy),
                     TG_ERR_SYNTAX);

    free(buf);
}


static void
test_flat_no_memory(void **state)
{
    int            rc;
    char           buf[1024];
    size_t         n, len;
    tg_identity_t  identity, copy;

    static const tg_alloc_t  failing = { failing_alloc, NULL };

    (void) state;

    assert_int_equal(parse(alice, &identity, NULL), TG_OK);
    assert_int_equal(tg_identity_pack(&identity, buf, sizeof(buf), &len),
                     TG_OK);

    for (n = 0, rc = TG_ERR_NOMEM; rc != TG_OK; n++) {
        calls_left = n;
        rc = tg_identity_unpack(buf, len, &failing, &copy);
        assert_true(rc == TG_OK || rc == TG_ERR_NOMEM);
    }

    /* no more than the list arrays; tags are empty */
    assert_int_equal(n, 2);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_flat, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_v6, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_no_memory, setup, teardown)
    };

    return cmocka_run_group_tests_name("flat", tests, NULL, NULL);
}
