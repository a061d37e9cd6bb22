
/*
 * Copyright (C) The Tailgate authors
 *
 * Session cookies and their companions: what a browser gets, what passes, and
 * what somebody tries to slip by.
 */

#include <tailgate/session.h>

#include <openssl/err.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>


#define N(table)  (sizeof(table) / sizeof(table[0]))


static const uint8_t  key[TG_SESSION_KEY_LEN] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
    0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
    0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f
};

static const tg_str_t  cookies[] = {
    TG_STR("sid"),
    TG_STR("my_session"),
    TG_STR("__Host-auth"),
    TG_STR("hub-*")
};

static const tg_session_t  session = { key, cookies, N(cookies) };

static const tg_identity_t  alice = { .login = TG_STR("alice@example.com"),
                                      .node_id = TG_STR("nALICE") };
static const tg_identity_t  alices_phone = {
    .login = TG_STR("alice@example.com"), .node_id = TG_STR("nPHONE")
};
static const tg_identity_t  bob = { .login = TG_STR("bob@example.com"),
                                    .node_id = TG_STR("nBOB") };
static const tg_identity_t  machine = { .node_id = TG_STR("nMACHINE") };
static const tg_identity_t  nobody = { .login = TG_NULL_STR };

static tg_arena_t  *arena;
static tg_alloc_t   alloc;


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(1024 * 1024);
    alloc = tg_arena_allocator(arena);

    return arena == NULL;
}


static int
teardown(void **state)
{
    (void) state;

    tg_arena_free(&arena);

    return 0;
}


static tg_str_t
str(const char *text)
{
    return (tg_str_t) { text, strlen(text) };
}


/* "NAME=VALUE" of the companion that goes with set_cookie, NUL-terminated. */

static const char *
companion(const tg_identity_t *identity, const char *set_cookie)
{
    char      *copy;
    size_t     len;
    tg_str_t   out;

    assert_int_equal(tg_session_companion(&session, identity, str(set_cookie),
                                          &alloc, &out), TG_OK);

    for (len = 0; len < out.len && out.data[len] != ';'; len++) {
        /* void */
    }

    copy = tg_arena_alloc(arena, len + 1);
    assert_non_null(copy);
    memcpy(copy, out.data, len);

    return copy;
}


static const char *
join(const char *a, const char *b)
{
    char    *text;
    size_t   size;

    size = strlen(a) + strlen(b) + 3;

    text = tg_arena_alloc(arena, size);
    assert_non_null(text);

    (void) snprintf(text, size, "%s; %s", a, b);

    return text;
}


static void
expect(const tg_identity_t *identity, const char *header, const char *expected,
    size_t expected_removed)
{
    size_t    removed;
    tg_str_t  in, out;

    in = str(header);

    assert_int_equal(tg_session_filter(&session, identity, &in, 1, &alloc,
                                       &out, &removed), TG_OK);

    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    assert_int_equal(removed, expected_removed);
}


static void
test_passes(void **state)
{
    const char  *header;

    (void) state;

    header = join("sid=abc", companion(&alice, "sid=abc; Path=/"));

    expect(&alice, header, "sid=abc", 0);
    expect(&alices_phone, header, "sid=abc", 0);

    header = join(companion(&alice, "sid=abc"), "a=1; sid=abc;b=2;  c=3");

    expect(&alice, header, "a=1; sid=abc; b=2; c=3", 0);

    header = join("hub-user-alice=x=y==", companion(&alice,
                                                    "hub-user-alice=x=y=="));

    expect(&alice, header, "hub-user-alice=x=y==", 0);

    header = join("sid=\"a b\"", companion(&alice, "sid=\"a b\"; HttpOnly"));

    expect(&alice, header, "sid=\"a b\"", 0);

    header = join("sid=m", companion(&machine, "sid=m"));

    expect(&machine, header, "sid=m", 0);

    /* browsers trim blanks before they store */

    header = join("sid=a b", companion(&alice, " sid\t=  a b ; Path=/"));

    expect(&alice, header, "sid=a b", 0);
}


static void
test_goes(void **state)
{
    const char  *header;

    (void) state;

    header = join("sid=abc", companion(&alice, "sid=abc; Path=/"));

    expect(&bob, header, "", 1);
    expect(&machine, header, "", 1);
    expect(&nobody, header, "", 1);
    expect(NULL, header, "", 1);

    /* no companion, another value, another name */

    expect(&alice, "a=1; sid=abc; b=2", "a=1; b=2", 1);
    expect(&alice, "sid", "", 1);

    header = join("sid=abcd; a=1", companion(&alice, "sid=abc"));

    expect(&alice, header, "a=1", 1);

    header = join("my_session=abc", companion(&alice, "sid=abc"));

    expect(&alice, header, "", 1);

    /* a fixed session: bob's cookie and companion in alice's browser */

    header = join("sid=bobs", companion(&bob, "sid=bobs"));

    expect(&alice, header, "", 1);

    /* a machine that is named like a person is none */

    header = join("sid=m", companion(&machine, "sid=m"));

    expect(&alice, header, "", 1);
}


/* "tailgate-sid" of 43 characters, each byte of it changed once */

static void
test_forged(void **state)
{
    char         buf[128];
    size_t       i, start, len;
    const char  *header;

    (void) state;

    header = join("sid=abc", companion(&alice, "sid=abc"));

    len = strlen(header);
    start = strlen("sid=abc; tailgate-sid=");

    assert_int_equal(len, start + 43);

    for (i = start; i < len; i++) {
        memcpy(buf, header, len + 1);
        buf[i] = (buf[i] == 'A') ? 'B' : 'A';

        expect(&alice, buf, "", 1);
    }

    memcpy(buf, header, len);
    buf[len - 1] = '\0';
    expect(&alice, buf, "", 1);

    (void) snprintf(buf, sizeof(buf), "%sA", header);
    expect(&alice, buf, "", 1);

    (void) snprintf(buf, sizeof(buf), "sid=abc; tailgate-hub-%s",
                    header + strlen("sid=abc; tailgate-"));
    expect(&alice, buf, "", 1);

    expect(&alice, "sid=abc; tailgate-sid=", "", 1);
    expect(&alice, "sid=abc; tailgate-sid", "", 1);
}


static void
test_several_paths(void **state)
{
    const char  *first, *second;

    (void) state;

    first = companion(&alice, "sid=1; Path=/app");
    second = companion(&alice, "sid=2; Path=/");

    expect(&alice, join("sid=1; sid=2", join(first, second)), "sid=1; sid=2",
           0);
    expect(&alice, join("sid=1; sid=2", join(second, first)), "sid=1; sid=2",
           0);
    expect(&alice, join("sid=1; sid=2", second), "sid=2", 1);
    expect(&bob, join("sid=1; sid=2", join(first, second)), "", 2);

    /* alice's is left over from before, bob's is new */

    second = companion(&bob, "sid=2");

    expect(&bob, join("sid=1; sid=2", join(first, second)), "sid=2", 1);
}


static void
test_several_headers(void **state)
{
    size_t    removed;
    tg_str_t  in[3], out[3];

    (void) state;

    in[0] = str("a=1; b=2");
    in[1] = str("sid=abc;c=3");
    in[2] = str(companion(&alice, "sid=abc"));

    assert_int_equal(tg_session_filter(&session, &alice, in, 3, &alloc, out,
                                       &removed), TG_OK);
    assert_int_equal(removed, 0);

    /* as they were, not copied */

    assert_ptr_equal(out[0].data, in[0].data);
    assert_int_equal(out[0].len, in[0].len);
    assert_ptr_equal(out[1].data, in[1].data);
    assert_int_equal(out[1].len, in[1].len);
    assert_int_equal(out[2].len, 0);

    assert_int_equal(tg_session_filter(&session, &bob, in, 3, &alloc, out,
                                       &removed), TG_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(out[1].len, 3);
    assert_memory_equal(out[1].data, "c=3", 3);
    assert_int_equal(out[2].len, 0);
}


/* Cookie headers that hold nothing of ours come back byte for byte. */

static void
test_untouched(void **state)
{
    size_t    i, removed;
    tg_str_t  in, out;

    static const char  *const headers[] = {
        "", " ", ";", ";;; ;", "a", "a=", "=a", "a=1;b=2", " a = 1 ;; b=2; ",
        "theme=dark; lang=\"de, en\"", "x=sid", "x=sid=abc", "xsid=1", "sidx=1",
        "redirect=a?sid2=1", "json={\"sid\":1}", "hub=1", "auth=1",
        "\xff\xfe=\x01", "tailgat-e=1", "a=b=sid=x", "a=1&sid=x",
        "last=/page?sid=1", "a=(sid=x)", "a==sid=x"
    };

    (void) state;

    for (i = 0; i < N(headers); i++) {
        in = str(headers[i]);

        assert_int_equal(tg_session_filter(&session, NULL, &in, 1, &alloc,
                                           &out, &removed), TG_OK);

        assert_int_equal(removed, 0);
        assert_ptr_equal(out.data, in.data);
        assert_int_equal(out.len, in.len);
    }
}


/* What some runtime or other would read as the cookie "sid". */

static void
test_slipped(void **state)
{
    size_t    i, removed;
    tg_str_t  in, out;

    static const char  *const headers[] = {
        "sid=x", "sid =x", " sid= x", "\tsid=x", "SID=x", "Sid=x", "sid",
        "=sid", "=sid=x", "a=1;sid=x", "a=1;;; ;sid=x", "a=1,sid=x",
        "a=1, sid=x", "a=1 sid=x", "a=1\tsid=x",
        "a=\"1\"sid=x", "a=\"1; sid=x\"",
        "a=\"; sid=x; b=\"", "a=\"sid=x\"", "%73id=x", "%73%69%64=x",
        "s%69d =x", "\xa0sid=x", "sid\xa0=x", "\x85sid=x", "\x1csid=x",
        "\x0bsid\x0c=x", "a=1\x0bsid=x", "a=1\xa0sid\xa0=x", "sid=", "sid=;",
        "$Version=1; sid=x; $Path=/", "$Version=1, sid=x",
        "my.session=x", "my session=x", "my-session=x", "MY_SESSION=x",
        "__host-auth=x", "__Host-auth=x", "hub-=x", "hub-a=x", "HUB_a=x",
        "a=1 hub-x=y", "\xef\xbb\xbfsid=x", "a=b,sid=x=",
        "a=b=\"sid=x", "==sid=x", "a=1,=sid=x", "a=\" ==sid=x",
        "$Path sid=x", "$Path\tsid=x", "a,sid=x"
    };

    (void) state;

    for (i = 0; i < N(headers); i++) {
        in = str(headers[i]);

        assert_int_equal(tg_session_filter(&session, &alice, &in, 1, &alloc,
                                           &out, &removed), TG_OK);

        if (removed == 0) {
            fail_msg("\"%s\" passed", headers[i]);
        }
    }
}


static void
test_companion_never_passes(void **state)
{
    (void) state;

    expect(&alice, "tailgate-other=1; a=1", "a=1", 0);
    expect(&alice, "a=1; Tailgate-other=1", "a=1", 0);
    expect(&alice, "a=1; tailgate_sid=1;b=2", "a=1; b=2", 0);
    expect(&alice, "%74ailgate-sid=1", "", 0);
    expect(NULL, "tailgate-sid=1", "", 0);
}


static void
test_too_many(void **state)
{
    char         header[8192];
    size_t       i, n, len;
    const char  *good;

    (void) state;

    good = join("sid=abc", companion(&alice, "sid=abc"));

    for (n = TG_SESSION_COOKIES_MAX - 2; n < TG_SESSION_COOKIES_MAX; n++) {
        len = (size_t) snprintf(header, sizeof(header), "%s", good);

        for (i = 0; i < n; i++) {
            len += (size_t) snprintf(header + len, sizeof(header) - len,
                                     ";tailgate-%zu=1", i);
        }

        if (n == TG_SESSION_COOKIES_MAX - 2) {
            expect(&alice, header, "sid=abc", 0);

        } else {
            expect(&alice, header, "", 1);
        }
    }
}


static void
test_attributes(void **state)
{
    char      set_cookie[128];
    size_t    i, len;
    tg_str_t  out;

    static const char  *const attributes[] = {
        "",
        ";",
        "; Path=/",
        ";Path=/app; Domain=example.com",
        "; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",
        "; Secure; HttpOnly; SameSite=Lax",
        "; SameSite=None; Secure; Partitioned; Priority=High"
    };

    (void) state;

    for (i = 0; i < N(attributes); i++) {
        len = strlen("tailgate-sid=") + 43;

        (void) snprintf(set_cookie, sizeof(set_cookie), "sid=abc%s",
                        attributes[i]);

        assert_int_equal(tg_session_companion(&session, &alice,
                                              str(set_cookie), &alloc, &out),
                         TG_OK);

        assert_memory_equal(out.data, "tailgate-sid=", 13);
        assert_int_equal(out.len, len + strlen(attributes[i]));
        assert_memory_equal(out.data + len, attributes[i],
                            strlen(attributes[i]));
    }
}


/*
 * Computed by hand: HMAC-SHA256 (Python's hmac) over each field behind its
 * length in eight bytes.
 */

static void
test_known_value(void **state)
{
    (void) state;

    assert_string_equal(companion(&alice, "sid=abc; Path=/"),
                        "tailgate-sid="
                        "Q9q9XOq6krFfzU5OMyM6PX17zkLJB0AQ19BsmW8HxYQ");
    assert_string_equal(companion(&machine, "sid=abc"),
                        "tailgate-sid="
                        "N3nERZJUAB-TiNGl9gxL8XGRx6u-NrWAvd6nFAkGxbc");
}


/* Fields are set apart: "ab" and "c" is not "a" and "bc". */

static void
test_distinct(void **state)
{
    const char  *a, *b;

    (void) state;

    a = strchr(companion(&alice, "hub-a=bc"), '=');
    b = strchr(companion(&alice, "hub-ab=c"), '=');

    assert_string_not_equal(a, b);
}


static void
test_set_cookie_refusals(void **state)
{
    size_t    i;
    tg_str_t  out;

    static const struct {
        const char  *set_cookie;
        int          rc;
    } refusals[] = {
        { "theme=dark", TG_ERR_ABSENT },
        { "xsid=1", TG_ERR_ABSENT },
        { "tailgate-sid=forged", TG_ERR_REFUSED },
        { "Tailgate-x=forged", TG_ERR_REFUSED },
        { "tailgate_x=forged; Path=/", TG_ERR_REFUSED },
        { "", TG_ERR_SYNTAX },
        { "sid", TG_ERR_SYNTAX },
        { "=sid=1", TG_ERR_SYNTAX },
        { " =1", TG_ERR_SYNTAX },
        { "; Path=/", TG_ERR_SYNTAX },
        { "sid=a\x01" "b", TG_ERR_SYNTAX },
        { "sid=a; Path=/\r\nX: y", TG_ERR_SYNTAX },
        { "sid=a\x7f", TG_ERR_SYNTAX }
    };

    (void) state;

    for (i = 0; i < N(refusals); i++) {
        assert_int_equal(tg_session_companion(&session, &alice,
                             str(refusals[i].set_cookie), &alloc, &out),
                         refusals[i].rc);
    }

    assert_int_equal(tg_session_companion(&session, NULL, str("sid=1"), &alloc,
                                          &out), TG_ERR_ABSENT);
    assert_int_equal(tg_session_companion(&session, &nobody, str("sid=1"),
                                          &alloc, &out), TG_ERR_ABSENT);
}


static void *
fail_alloc(void *ctx, size_t size)
{
    size_t  *left;

    left = ctx;

    if (*left == 0) {
        return NULL;
    }

    (*left)--;

    return tg_arena_alloc(arena, size);
}


/* Out of memory lets nothing pass. */

static void
test_no_memory(void **state)
{
    int          rc;
    size_t       i, left, removed;
    tg_str_t     in[2], out[2];
    tg_alloc_t   small;

    (void) state;

    in[0] = str("a=1; sid=abc");
    in[1] = str(companion(&alice, "sid=abc"));

    small.alloc = fail_alloc;
    small.ctx = &left;

    /* the companions, and one header that changes */

    for (i = 0; i <= 2; i++) {
        left = i;

        rc = tg_session_filter(&session, &alice, in, 2, &small, out,
                               &removed);

        assert_int_equal(rc, i < 2 ? TG_ERR_NOMEM : TG_OK);
        assert_int_equal(out[0].len, i < 2 ? 0 : in[0].len);
        assert_int_equal(out[1].len, 0);
    }

    /* an error stays one, though what comes behind is well */

    in[0] = in[1];
    in[1] = str("a=1; sid=abc");
    left = 1;

    assert_int_equal(tg_session_filter(&session, &alice, in, 2, &small, out,
                                       &removed), TG_ERR_NOMEM);

    left = 0;

    assert_int_equal(tg_session_companion(&session, &alice, str("sid=1"),
                                          &small, &out[0]), TG_ERR_NOMEM);
}


/* nginx would log what it finds there as an alert of its own. */

static void
test_error_queue(void **state)
{
    (void) state;

    ERR_put_error(ERR_LIB_USER, 0, ERR_R_FATAL, __FILE__, __LINE__);

    expect(&alice, join("sid=abc", companion(&alice, "sid=abc")), "sid=abc",
           0);

    assert_int_equal(ERR_peek_error(), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several_headers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_untouched, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slipped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_companion_never_passes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_known_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_distinct, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set_cookie_refusals, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_error_queue, setup, teardown)
    };

    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
