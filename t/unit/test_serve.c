
/*
 * Copyright (C) The Tailgate authors
 *
 * The headers of tailscale serve.
 */

#include <tailgate/identity.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


static const tg_self_t  self = {
    .running = true, .tailnet = TG_STR("tail.example")
};


static const struct {
    const char  *value;
    int          rc;
    const char  *text;
} names[] = {
    { "", TG_OK, "" },
    { "Bob", TG_OK, "Bob" },
    { "=", TG_OK, "=" },
    { "a =?utf-8?q?b?=", TG_OK, "a =?utf-8?q?b?=" },

    /* made with Go's mime.QEncoding */
    { "=?utf-8?q?Alice_=C3=85ngstr=C3=B6m?=", TG_OK,
      "Alice \xc3\x85ngstr\xc3\xb6m" },
    { "=?utf-8?q?=C3=85=3D=3F=5F_a?=", TG_OK, "\xc3\x85=?_ a" },
    { "=?UTF-8?Q?=c3=a5?=", TG_OK, "\xc3\xa5" },
    { "=?utf-8?q?=C3=85?= =?utf-8?q?=C3=A5_b?=", TG_OK,
      "\xc3\x85\xc3\xa5 b" },
    { "=?utf-8?q?=C3=85?=   =?utf-8?q?b?=", TG_OK, "\xc3\x85" "b" },

    { "=?utf-8?b?w4VuZ3N0csO2bQ==?=", TG_OK,
      "\xc3\x85ngstr\xc3\xb6m" },
    { "=?utf-8?b?w4VuZ3N0csO2bXM=?=", TG_OK,
      "\xc3\x85ngstr\xc3\xb6ms" },
    { "=?utf-8?B?w4VuZ3N0csO2bXNz?=", TG_OK,
      "\xc3\x85ngstr\xc3\xb6mss" },

    /* serve sends ASCII as it is: this is a forger's real name */
    { "=?utf-8?q?root?=", TG_ERR_REFUSED, "" },
    { "=?utf-8?b?cm9vdA==?=", TG_ERR_REFUSED, "" },
    { "=?utf-8?q?" "?=", TG_ERR_REFUSED, "" },

    { "=?", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3=85", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3=85?", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3=85?=b", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3=85?= b", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3=85?= ", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3?5?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3=85=C?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3=85?==?utf-8?q?b?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?b?w4VuZw?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?b?w4VuZw=?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3=8G?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?x?=C3=85?=", TG_ERR_SYNTAX, "" },
    { "=?iso-8859-1?q?=C5?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?b?w4V?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?b?w4=V?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?b?w===?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?b?====?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?b?w4V=w4V=?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?b?w4*=?=", TG_ERR_SYNTAX, "" },

    /* what is decoded is held to the same rules */
    { "=?utf-8?q?=C3?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=FF?=", TG_ERR_SYNTAX, "" },
    { "=?utf-8?q?=C3=85=0D=0AX-Admin:_1?=", TG_ERR_REFUSED, "" },
    { "=?utf-8?q?=C3=85=00?=", TG_ERR_REFUSED, "" },
    { "=?utf-8?q?=C2=85?=", TG_ERR_REFUSED, "" },
    { "a\tb", TG_ERR_REFUSED, "" },
    { "a\xff", TG_ERR_SYNTAX, "" }
};


static void
test_serve(void **state)
{
    int             rc;
    char           *copy;
    size_t          i;
    tg_str_t        login, name, none = TG_NULL_STR;
    tg_alloc_t      alloc;
    tg_arena_t     *arena;
    tg_error_t      error;
    tg_identity_t   identity;

    (void) state;

    arena = tg_arena_new(1024 * 1024);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);

    login = (tg_str_t) TG_STR("alice@example.com");

    for (i = 0; i < NELTS(names); i++) {
        name.len = strlen(names[i].value);
        copy = malloc(name.len > 0 ? name.len : 1);
        assert_non_null(copy);
        memcpy(copy, names[i].value, name.len);
        name.data = copy;

        rc = tg_identity_from_serve(login, name, none, &self, &alloc,
                                    &identity, &error);
        free(copy);

        if (rc != names[i].rc) {
            fail_msg("\"%s\" is %d: %s", names[i].value, rc, error.text);
        }

        assert_int_equal(error.code, rc);
        assert_int_equal(identity.name.len, strlen(names[i].text));

        if (identity.name.len > 0) {
            assert_memory_equal(identity.name.data, names[i].text,
                                identity.name.len);
        }

        if (rc != TG_OK) {
            assert_int_equal(identity.traits, 0);
            assert_int_equal(identity.login.len, 0);
            assert_non_null(strstr(error.text, "Tailscale-User-Name"));
        }
    }

    tg_arena_free(&arena);
}


static void
test_serve_login(void **state)
{
    size_t          i;
    char            text[400];
    tg_str_t        login, none = TG_NULL_STR;
    tg_alloc_t      alloc;
    tg_arena_t     *arena;
    tg_identity_t   identity;

    static const struct {
        const char  *login;
        int          rc;
        const char  *user;
    } cases[] = {
        { "alice@example.com", TG_OK, "alice" },
        { "alice@", TG_OK, "alice" },
        { "alice", TG_OK, "alice" },
        { "=?utf-8?q?zo=C3=AB@example.com?=", TG_OK, "zo\xc3\xab" },

        { "", TG_ERR_MISSING, "" },
        { "a@b@c", TG_ERR_REFUSED, "" },
        { "@b", TG_ERR_REFUSED, "" },
        { " alice", TG_ERR_REFUSED, "" },
        { "tagged-devices", TG_ERR_REFUSED, "" },
        { "TAGGED-DEVICES", TG_ERR_REFUSED, "" },
        { "=?utf-8?q?alice@example.com?=", TG_ERR_REFUSED, "" },
        { "=?utf-8?q?=C3=AB=40a=40b?=", TG_ERR_REFUSED, "" }
    };

    (void) state;

    arena = tg_arena_new(1024 * 1024);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);

    for (i = 0; i < NELTS(cases); i++) {
        login.data = cases[i].login;
        login.len = strlen(login.data);

        assert_int_equal(tg_identity_from_serve(login, none, none, &self,
                                                &alloc, &identity, NULL),
                         cases[i].rc);
        assert_int_equal(identity.user.len, strlen(cases[i].user));

        if (identity.user.len > 0) {
            assert_memory_equal(identity.user.data, cases[i].user,
                                identity.user.len);
            assert_int_equal(identity.status, TG_STATUS_MEMBER);
            assert_int_equal(identity.traits, TG_TRAIT_MEMBER);
            assert_int_equal(identity.tailnet.len, 12);
            assert_int_equal(identity.caps.len, 2);
        }
    }

    memset(text, 'a', sizeof(text));
    login.data = text;
    login.len = TG_LOGIN_MAX;
    assert_int_equal(tg_identity_from_serve(login, none, none, &self, &alloc,
                                            &identity, NULL), TG_OK);
    login.len = TG_LOGIN_MAX + 1;
    assert_int_equal(tg_identity_from_serve(login, none, none, &self, &alloc,
                                            &identity, NULL),
                     TG_ERR_REFUSED);

    /* nobody is a member of a tailnet that is not known */

    login.len = 5;
    assert_int_equal(tg_identity_from_serve(login, none, none, NULL, &alloc,
                                            &identity, NULL), TG_OK);
    assert_int_equal(identity.status, TG_STATUS_SHARED);

    tg_arena_free(&arena);
}


static void
test_serve_bounds(void **state)
{
    char           *text;
    tg_str_t        value, none = TG_NULL_STR;
    tg_alloc_t      alloc;
    tg_arena_t     *arena;
    tg_identity_t   identity;

    static const tg_str_t  login = TG_STR("alice");

    (void) state;

    arena = tg_arena_new(1024 * 1024);
    text = malloc(20000);
    assert_non_null(arena);
    assert_non_null(text);
    alloc = tg_arena_allocator(arena);

    memset(text, 'a', 20000);
    value.data = text;

    value.len = TG_NAME_MAX;
    assert_int_equal(tg_identity_from_serve(login, value, none, &self, &alloc,
                                            &identity, NULL), TG_OK);
    value.len = TG_NAME_MAX + 1;
    assert_int_equal(tg_identity_from_serve(login, value, none, &self, &alloc,
                                            &identity, NULL), TG_ERR_LIMIT);
    assert_int_equal(tg_identity_from_serve(login, none, value, &self, &alloc,
                                            &identity, NULL), TG_OK);
    value.len = TG_URL_MAX + 1;
    assert_int_equal(tg_identity_from_serve(login, none, value, &self, &alloc,
                                            &identity, NULL), TG_ERR_LIMIT);
    memcpy(text, "=?utf-8?q?=C3=85", 16);
    memcpy(text + 16384 - 2, "?=", 2);
    value.len = 16384;
    assert_int_equal(tg_identity_from_serve(value, none, none, &self, &alloc,
                                            &identity, NULL),
                     TG_ERR_REFUSED);
    memcpy(text + 16384 - 2, "a?=", 3);
    value.len = 16385;
    assert_int_equal(tg_identity_from_serve(value, none, none, &self, &alloc,
                                            &identity, NULL), TG_ERR_LIMIT);

    memset(text, 'a', 20000);
    value.len = 20000;
    assert_int_equal(tg_identity_from_serve(value, none, none, &self, &alloc,
                                            &identity, NULL), TG_ERR_LIMIT);

    free(text);
    tg_arena_free(&arena);

    /* a picture is sent as it is */

    arena = tg_arena_new(1024 * 1024);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);
    value = (tg_str_t) TG_STR("=?utf-8?q?=C3=85?=");
    assert_int_equal(tg_identity_from_serve(login, none, value, &self, &alloc,
                                            &identity, NULL), TG_OK);
    assert_int_equal(identity.picture.len, value.len);
    assert_memory_equal(identity.picture.data, value.data, value.len);
    tg_arena_free(&arena);

    /* out of memory at every step */

    arena = tg_arena_new(64);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);
    value.data = "a long enough name to be out of memory at some step of it";

    for (value.len = 0; value.len < 57; value.len++) {
        int  rc;

        tg_arena_reset(arena);
        rc = tg_identity_from_serve(login, value, value, &self, &alloc,
                                    &identity, NULL);
        assert_int_equal(rc, value.len <= 16 ? TG_OK : TG_ERR_NOMEM);
    }

    tg_arena_free(&arena);

    /* the copy of the tailnet, and what a word decodes to */

    arena = tg_arena_new(16);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);
    assert_int_equal(tg_identity_from_serve(login, none, none, &self, &alloc,
                                            &identity, NULL), TG_ERR_NOMEM);
    assert_int_equal(identity.login.len, 0);

    tg_arena_reset(arena);
    value = (tg_str_t) TG_STR("=?utf-8?q?=C3=85?=");
    assert_int_equal(tg_identity_from_serve(value, none, none, &self, &alloc,
                                            &identity, NULL), TG_ERR_NOMEM);

    tg_arena_free(&arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_serve),
        cmocka_unit_test(test_serve_login),
        cmocka_unit_test(test_serve_bounds)
    };

    return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
