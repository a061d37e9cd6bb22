
/*
 * Copyright (C) The Tailgate authors
 *
 * Who may do what to a link, the token of a form, its fields, its origin.
 */

#include "authd/app/links/edit.h"
#include "authd/app/links/field.h"
#include "authd/app/links/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


static tg_str_t
str(const char *s)
{
    return (tg_str_t) { s, strlen(s) };
}


static authd_links_who_t
person(const char *login)
{
    authd_links_who_t  who;

    memset(&who, 0, sizeof(who));

    who.login = str(login);
    who.name = str("node");

    return who;
}


static authd_link_t
link_of(const char *owner, const char *owners)
{
    authd_link_t  link;

    memset(&link, 0, sizeof(link));

    link.id = str("wiki");
    link.name = str("wiki");
    link.url = str("http://wiki/");
    link.owner = str(owner);
    link.owners = str(owners);

    return link;
}


/* Nobody could be asked who is on the tailnet. */

static authd_links_may_t
may(const authd_links_who_t *who, const authd_link_t *link)
{
    return authd_links_may(who, link, false, NULL, true);
}


static void
test_may(void **state)
{
    tg_str_t           groups[] = { TG_STR("docs"), TG_STR("group:eng") };
    authd_link_t       link;
    authd_links_who_t  alice, nobody;

    (void) state;

    alice = person("alice@example.com");
    nobody = person("");

    assert_int_equal(may(&alice, NULL), AUTHD_LINKS_MAY_OWN);
    assert_int_equal(may(&nobody, NULL), AUTHD_LINKS_NO_PERSON);

    link = link_of("alice@example.com", "");
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_MAY_OWN);
    assert_int_equal(authd_links_may(&alice, &link, true, NULL, true),
                     AUTHD_LINKS_READONLY);

    /* as golink has it, a login's case counts */

    link = link_of("Alice@example.com", "");
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_NOT_YOURS);
    assert_int_equal(authd_links_may(&alice, &link, false, NULL, false),
                     AUTHD_LINKS_MAY_ASK);

    link = link_of("", "");
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_MAY_TAKE);
    assert_int_equal(may(&nobody, &link), AUTHD_LINKS_NO_PERSON);

    link = link_of("bob@example.com", "carol@example.com\nalice@example.com");
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_MAY_OWN);

    link = link_of("bob@example.com", "group:docs");
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_NOT_YOURS);
    alice.groups.items = groups;
    alice.groups.n = 2;
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_MAY_OWN);

    link = link_of("bob@example.com", "group:eng");
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_MAY_OWN);
    link = link_of("bob@example.com", "docs");
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_NOT_YOURS);

    link.anyone = true;
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_MAY_EDIT);

    link.origin = str("git");
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_IS_GIT);
    alice.admin = true;
    assert_int_equal(may(&alice, &link), AUTHD_LINKS_MAY_OWN);

    nobody.machine = true;
    assert_int_equal(may(&nobody, &link), AUTHD_LINKS_MAY_OWN);
}


static void
test_apply(void **state)
{
    char                 id[TG_LINK_NAME_MAX];
    authd_link_t         before, after;
    authd_links_who_t    alice;
    authd_links_edit_t   edit;
    authd_links_wrong_t  wrong;

    (void) state;

    alice = person("alice@example.com");
    memset(&edit, 0, sizeof(edit));

    edit.name = str("Wi-Ki");
    edit.url = str("http://new/");
    edit.has_url = true;

    assert_true(authd_links_edit_apply(&edit, NULL, &alice,
                                       AUTHD_LINKS_MAY_OWN, id, &after,
                                       &wrong));
    assert_int_equal(after.id.len, 4);
    assert_memory_equal(after.id.data, "wiki", 4);
    assert_string_equal(after.owner.data, "alice@example.com");

    /* an edit without an owner changes none, but of who has left */

    before = link_of("bob@example.com", "");
    before.alias = str("other");

    assert_true(authd_links_edit_apply(&edit, &before, &alice,
                                       AUTHD_LINKS_MAY_OWN, id, &after,
                                       &wrong));
    assert_string_equal(after.owner.data, "bob@example.com");
    assert_int_equal(after.alias.len, 0);

    assert_true(authd_links_edit_apply(&edit, &before, &alice,
                                       AUTHD_LINKS_MAY_TAKE, id, &after,
                                       &wrong));
    assert_string_equal(after.owner.data, "alice@example.com");

    /* who may edit it does not own it by that */

    edit.owner = str("alice@example.com");
    assert_false(authd_links_edit_apply(&edit, &before, &alice,
                                        AUTHD_LINKS_MAY_EDIT, id, &after,
                                        &wrong));
    assert_int_equal(wrong.code, 403);

    edit.git = true;
    edit.owner = str("");
    assert_true(authd_links_edit_apply(&edit, &before, &alice,
                                       AUTHD_LINKS_MAY_OWN, id, &after,
                                       &wrong));
    assert_memory_equal(after.origin.data, "git", 3);
    assert_memory_equal(after.owner.data, "git", 3);
}


static void
test_check(void **state)
{
    size_t               i;
    authd_links_edit_t   edit;
    authd_links_wrong_t  wrong;

    static const struct {
        const char  *name;
        const char  *url;
        const char  *description;
        const char  *owners;
        const char  *tags;
        const char  *field;
    } cases[] = {
        { "wiki", "http://w/", "text", "bob@x\ngroup:docs", "a\nb", NULL },
        { "a b", "http://w/", "", "", "", "name" },
        { "wiki", "javascript:x", "", "", "", "url" },
        { "wiki", "{{", "", "", "", "url" },
        { "wiki", "http://w/", "a\nb", "", "", "description" },
        { "wiki", "http://w/", "\xff", "", "", "description" },
        { "wiki", "http://w/", "", "bob, alice", "", "owners" },
        { "wiki", "http://w/", "", "", "a b", "tags" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&edit, 0, sizeof(edit));

        edit.name = str(cases[i].name);
        edit.url = str(cases[i].url);
        edit.has_url = true;
        edit.description = str(cases[i].description);
        edit.owners = str(cases[i].owners);
        edit.tags = str(cases[i].tags);

        assert_int_equal(authd_links_edit_check(&edit, NULL, &wrong),
                         cases[i].field == NULL);

        if (cases[i].field != NULL) {
            assert_string_equal(wrong.field, cases[i].field);
            assert_int_equal(wrong.code, 422);
            assert_true(wrong.text[0] != '\0');
        }
    }
}


static void
test_token(void **state)
{
    char      token[AUTHD_LINKS_TOKEN_MAX];
    size_t    len, i;
    int64_t   now;
    tg_str_t  text;
    uint8_t   secret[32], other[32];

    (void) state;

    now = 1795385399;
    memset(secret, 7, sizeof(secret));
    memset(other, 8, sizeof(other));

    len = authd_links_token(secret, str("a"), "/", str("wiki"), now, token);
    text = (tg_str_t) { token, len };

    assert_true(len != 0);
    assert_true(authd_links_token_check(secret, str("a"), "/", str("wiki"),
                                        now, text));
    assert_true(authd_links_token_check(secret, str("a"), "/", str("wiki"),
                                        now + 86400, text));
    assert_true(authd_links_token_check(secret, str("a"), "/", str("wiki"),
                                        now - 60, text));

    assert_false(authd_links_token_check(secret, str("a"), "/", str("wiki"),
                                         now + 86401, text));
    assert_false(authd_links_token_check(secret, str("a"), "/", str("wiki"),
                                         now - 61, text));
    assert_false(authd_links_token_check(other, str("a"), "/", str("wiki"),
                                         now, text));
    assert_false(authd_links_token_check(secret, str("b"), "/", str("wiki"),
                                         now, text));
    assert_false(authd_links_token_check(secret, str("a"), "/x", str("wiki"),
                                         now, text));
    assert_false(authd_links_token_check(secret, str("a"), "/", str("wik"),
                                         now, text));

    for (i = 0; i < len; i++) {
        token[i] ^= 1;
        assert_false(authd_links_token_check(secret, str("a"), "/",
                                             str("wiki"), now, text));
        token[i] ^= 1;
        assert_false(authd_links_token_check(secret, str("a"), "/",
                                             str("wiki"), now,
                                             (tg_str_t) { token, i }));
    }
}


static void
test_field(void **state)
{
    size_t       i;
    tg_str_t     value;
    tg_arena_t  *arena;
    tg_alloc_t   alloc;

    static const char  form[] = "application/x-www-form-urlencoded";
    static const char  parts[] = "multipart/form-data; boundary=b";

    static const struct {
        const char  *type;
        const char  *body;
        int          rc;
        const char  *value;
    } cases[] = {
        { form, "a=1&x=2", TG_OK, "2" },
        { form, "x=a+b%21&x=2", TG_OK, "a b!" },
        { form, "a=1", TG_ERR_ABSENT, "" },
        { form, "x=%0", TG_ERR_SYNTAX, "" },
        { "application/json", "x=1", TG_ERR_ABSENT, "" },
        { parts, "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1"
                 "\r\n--b--\r\n", TG_OK, "1" },
        { parts, "--b\r\nContent-Disposition: form-data; name=\"y\"\r\n\r\n1"
                 "\r\n--b\r\ncontent-disposition: form-data; name=\"x\"\r\n"
                 "\r\n--\r\n--b--\r\n", TG_OK, "--" },
        { parts, "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1",
          TG_ERR_ABSENT, "" },
        { parts, "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n--b--",
          TG_ERR_SYNTAX, "" },
        { parts, "", TG_ERR_ABSENT, "" },
        { "multipart/form-data", "--b\r\n", TG_ERR_SYNTAX, "" }
    };

    (void) state;

    arena = tg_arena_new(65536);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(authd_links_field(str(cases[i].type),
                                           str(cases[i].body), "x", &alloc,
                                           &value),
                         cases[i].rc);
        assert_int_equal(value.len, strlen(cases[i].value));
        assert_memory_equal(value.len ? value.data : "", cases[i].value,
                            value.len);
    }

    tg_arena_free(&arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_may),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_field)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
