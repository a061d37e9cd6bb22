
/*
 * Copyright (C) The Tailgate authors
 *
 * Denials: which form a request gets, what each form says and to whom, and
 * that nothing from outside is ever markup.
 */

#include <tailgate/denial.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>


#define S(text)  ((tg_str_t) TG_STR(text))
#define EVIL     "<b a=\"x\" c='y'>&amp;</b>\\"
#define ARENA    (1024 * 1024)


typedef struct {
    tg_arena_t          *arena;
    tg_alloc_t           alloc;
    tg_identity_t        identity;
    tg_str_t             tags[32];
    tg_peer_t            peer;
    tg_decision_t        decision;
    tg_denial_t          denial;
    tg_denial_answer_t   answer;
    char                *body;
} world_t;


static int
setup(void **state)
{
    world_t  *w;

    w = calloc(1, sizeof(world_t));
    assert_non_null(w);

    w->arena = tg_arena_new(ARENA);
    assert_non_null(w->arena);
    w->alloc = tg_arena_allocator(w->arena);

    w->identity.status = TG_STATUS_MEMBER;
    w->identity.traits = TG_TRAIT_MEMBER;
    w->identity.login = S("alice@example.com");
    w->identity.name = S("Alice A");
    w->identity.node = S("laptop.tail.example");
    w->identity.tags.items = w->tags;

    w->peer.status = TG_STATUS_MEMBER;
    w->peer.identity = &w->identity;

    w->decision.verdict = TG_DENY;
    w->decision.reason = TG_POLICY_REASON_DENIED;
    w->decision.text = "a deny rule matched";
    w->decision.rule = S("grafana.deny[0]");
    w->decision.contact = S("it@example.com");

    w->denial.decision = &w->decision;
    w->denial.peer = &w->peer;
    w->denial.id = S("00ff00ff00ff00ff");
    w->denial.form = TG_DENIAL_TEXT;

    *state = w;

    return 0;
}


static int
teardown(void **state)
{
    world_t  *w;

    w = *state;

    free(w->body);
    tg_arena_free(&w->arena);
    free(w);

    return 0;
}


/* Renders, with the body as a C string. */

static const char *
render(world_t *w, tg_denial_form_t form)
{
    w->denial.form = form;

    assert_int_equal(tg_denial_render(&w->denial, &w->alloc, &w->answer),
                     TG_OK);

    free(w->body);
    w->body = strndup(w->answer.body.data ? w->answer.body.data : "",
                      w->answer.body.len);
    assert_non_null(w->body);
    assert_int_equal(strlen(w->body), w->answer.body.len);

    return w->body;
}


static tg_str_t
header(const world_t *w, const char *name)
{
    size_t  i;

    for (i = 0; i < w->answer.nheaders; i++) {
        if (w->answer.headers[i].name.len == strlen(name)
            && memcmp(w->answer.headers[i].name.data, name, strlen(name))
               == 0)
        {
            return w->answer.headers[i].value;
        }
    }

    return (tg_str_t) TG_NULL_STR;
}


static void
assert_str(tg_str_t value, const char *text)
{
    if (value.len != strlen(text)
        || (value.len != 0 && memcmp(value.data, text, value.len) != 0))
    {
        fail_msg("\"%.*s\" is not \"%s\"", (int) value.len, value.data, text);
    }
}


static void
assert_has(const char *body, const char *text)
{
    if (strstr(body, text) == NULL) {
        fail_msg("no \"%s\" in:\n%s", text, body);
    }
}


static void
assert_not(const char *body, const char *text)
{
    if (strstr(body, text) != NULL) {
        fail_msg("\"%s\" in:\n%s", text, body);
    }
}


static void
test_forms(void **state)
{
    size_t               i;
    tg_denial_request_t  request;

    static const struct {
        const char        *method;
        const char        *accept;
        const char        *type;
        bool               origin;
        bool               asks;
        tg_denial_form_t   form;
    } cases[] = {
        { "GET", "", "", false, false, TG_DENIAL_TEXT },
        { "GET", "*/*", "", false, false, TG_DENIAL_TEXT },
        { "GET", "text/*", "", false, false, TG_DENIAL_TEXT },
        { "GET", "text/html,application/xhtml+xml,application/xml;q=0.9,"
          "image/avif,*/*;q=0.8", "", false, false, TG_DENIAL_HTML },
        { "HEAD", "Text/HTML", "", false, false, TG_DENIAL_HTML },
        { "GET", "application/json, text/plain, */*", "", false, false,
          TG_DENIAL_JSON },
        { "GET", "text/html;q=0.4, application/json;q=0.5", "", false, false,
          TG_DENIAL_JSON },
        { "GET", "text/html;level=1;Q=1.0, application/json;q=0.999", "",
          false, false, TG_DENIAL_HTML },
        { "GET", "text/html;q=0, application/problem+json;q=0.1", "", false,
          false, TG_DENIAL_JSON },
        { "GET", "text/html;q=0", "", false, false, TG_DENIAL_TEXT },
        { "GET", "text/html;q=2, application/json;q=0.1", "", false, false,
          TG_DENIAL_JSON },
        { "GET", "text/html;q=1.001", "", false, false, TG_DENIAL_TEXT },
        { "GET", "application/vnd.api+json", "", false, false,
          TG_DENIAL_JSON },
        { "GET", "text/htmlx", "", false, false, TG_DENIAL_TEXT },
        { "GET", ",,;;,text/html", "", false, false, TG_DENIAL_HTML },
        { "POST", "text/html", "application/grpc", false, false,
          TG_DENIAL_GRPC },
        { "POST", "", "application/grpc+proto", false, false,
          TG_DENIAL_GRPC },
        { "POST", "", "Application/gRPC; x=y", false, false,
          TG_DENIAL_GRPC },
        { "POST", "", "application/grpcx", false, false, TG_DENIAL_TEXT },
        { "POST", "", "application/grp", false, false, TG_DENIAL_TEXT },
        { "OPTIONS", "*/*", "", true, true, TG_DENIAL_PREFLIGHT },
        { "OPTIONS", "*/*", "", true, false, TG_DENIAL_TEXT },
        { "OPTIONS", "*/*", "", false, true, TG_DENIAL_TEXT },
        { "GET", "*/*", "", true, true, TG_DENIAL_TEXT },
        { "PROPFIND", "text/html", "", false, false, TG_DENIAL_WEBDAV },
        { "MKCALENDAR", "*/*", "", false, false, TG_DENIAL_WEBDAV },
        { "VERSION-CONTROL", "", "", false, false, TG_DENIAL_WEBDAV },
        { "propfind", "", "", false, false, TG_DENIAL_TEXT },
        { "PUT", "", "", false, false, TG_DENIAL_TEXT }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&request, 0, sizeof(request));

        request.method = (tg_str_t) { cases[i].method,
                                      strlen(cases[i].method) };
        request.accept = (tg_str_t) { cases[i].accept,
                                      strlen(cases[i].accept) };
        request.content_type = (tg_str_t) { cases[i].type,
                                            strlen(cases[i].type) };
        request.origin = cases[i].origin;
        request.request_method = cases[i].asks;

        if (tg_denial_form(&request) != cases[i].form) {
            fail_msg("%s, Accept: %s, Content-Type: %s: form %d",
                     cases[i].method, cases[i].accept, cases[i].type,
                     (int) tg_denial_form(&request));
        }
    }
}


static void
test_text(void **state)
{
    world_t     *w;
    const char  *body;

    w = *state;
    w->tags[0] = S("tag:ci");
    w->tags[1] = S("tag:web");
    w->identity.tags.n = 2;

    body = render(w, TG_DENIAL_TEXT);

    assert_int_equal(w->answer.status, 403);
    assert_str(w->answer.content_type, "text/plain; charset=utf-8");
    assert_str(header(w, "cache-control"), "no-store");
    assert_str(header(w, "retry-after"), "");

    assert_has(body, "403 Forbidden: the policy of this site does not allow"
                     " this request\n");
    assert_has(body, "\nlogin: alice@example.com\n");
    assert_has(body, "\nnode: laptop.tail.example\n");
    assert_has(body, "\ntags: tag:ci tag:web\n");
    assert_has(body, "\npeer: member\n");
    assert_has(body, "\ncontact: it@example.com\n");
    assert_has(body, "\nrequest 00ff00ff00ff00ff\n");
}


/* The rule, and that there was one, is told if the policy lets it. */

static void
test_explain(void **state)
{
    int          form;
    world_t     *w;
    const char  *body;

    w = *state;

    for (form = TG_DENIAL_TEXT; form <= TG_DENIAL_PREFLIGHT; form++) {
        w->decision.explain = false;
        w->peer.status = TG_STATUS_MEMBER;
        w->peer.identity = &w->identity;

        body = render(w, (tg_denial_form_t) form);
        assert_not(body, "grafana");
        assert_not(body, "deny rule");

        w->decision.explain = true;

        body = render(w, (tg_denial_form_t) form);

        if (form == TG_DENIAL_PREFLIGHT) {
            assert_string_equal(body, "");
            continue;
        }

        if (form == TG_DENIAL_GRPC) {
            assert_str(header(w, "grpc-message"), "a deny rule matched"
                       " (request 00ff00ff00ff00ff)");
            continue;
        }

        assert_has(body, "grafana.deny[0]");
        assert_has(body, "a deny rule matched");

        /* nobody knows that a stranger is whom the rule is about */

        w->peer.status = TG_STATUS_STRANGER;
        w->peer.identity = NULL;

        body = render(w, (tg_denial_form_t) form);
        assert_not(body, "grafana");
        assert_not(body, "deny rule");
        assert_not(body, "alice");
    }
}


/* Why is always said where it is about the person or the request alone. */

static void
test_reasons(void **state)
{
    size_t    i;
    world_t  *w;

    static const struct {
        tg_policy_reason_t   reason;
        bool                 told;
    } cases[] = {
        { TG_POLICY_REASON_BUILTIN, true },
        { TG_POLICY_REASON_DENIED, false },
        { TG_POLICY_REASON_REQUIRED, false },
        { TG_POLICY_REASON_RAW_PATH, true },
        { TG_POLICY_REASON_METHOD_OVERRIDE, true },
        { TG_POLICY_REASON_BAD_REQUEST, true },
        { TG_POLICY_REASON_NO_ROUTE, false },
        { TG_POLICY_REASON_NO_ALLOW, false },
        { TG_POLICY_REASON_PEER, true },
        { TG_POLICY_REASON_STRANGER, true }
    };

    w = *state;
    w->decision.text = "the very text";

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        w->decision.reason = cases[i].reason;
        (void) render(w, TG_DENIAL_TEXT);

        if ((strstr(w->body, "the very text") != NULL) != cases[i].told) {
            fail_msg("reason %d: %s", (int) cases[i].reason, w->body);
        }
    }
}


/* Each kind of peer reads what to do. */

static void
test_kinds(void **state)
{
    size_t       i;
    world_t     *w;
    const char  *body;

    static const struct {
        tg_status_t   status;
        const char   *title;
    } cases[] = {
        { TG_STATUS_MEMBER, "You may not do this" },
        { TG_STATUS_TAGGED, "You may not do this" },
        { TG_STATUS_STRANGER, "You are not on the tailnet" },
        { TG_STATUS_FUNNEL, "This site is not for the Internet" },
        { TG_STATUS_EXPIRED, "The key of this device has expired" },
        { TG_STATUS_UNAUTHORIZED, "This device has not been approved" },
        { TG_STATUS_UNSIGNED, "This device has not been signed" }
    };

    w = *state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        w->decision.reason = TG_POLICY_REASON_PEER;
        w->peer.status = cases[i].status;

        body = render(w, TG_DENIAL_HTML);
        assert_int_equal(w->answer.status, 403);
        assert_has(body, cases[i].title);
    }

    w->decision.reason = TG_POLICY_REASON_RAW_PATH;
    body = render(w, TG_DENIAL_HTML);
    assert_has(body, "<h1>This request was refused</h1>");
}


/* An outage says nothing of anybody: nobody was identified. */

static void
test_outage(void **state)
{
    int       form;
    world_t  *w;

    w = *state;
    w->decision.verdict = TG_UNAVAILABLE;
    w->decision.reason = TG_POLICY_REASON_UNAVAILABLE;
    w->decision.text = "the identity service is not available";

    for (form = TG_DENIAL_TEXT; form <= TG_DENIAL_PREFLIGHT; form++) {
        (void) render(w, (tg_denial_form_t) form);

        assert_int_equal(w->answer.status,
                         form == TG_DENIAL_GRPC ? 200 : 503);
        assert_str(header(w, "retry-after"), "5");
        assert_not(w->body, "alice");
    }

    assert_has(render(w, TG_DENIAL_HTML),
               "<h1>Nobody can be identified at the moment</h1>");

    (void) render(w, TG_DENIAL_GRPC);
    assert_str(header(w, "grpc-status"), "14");
    assert_str(header(w, "grpc-message"), "the identity service is not"
               " available (request 00ff00ff00ff00ff)");
}


static void
test_html(void **state)
{
    world_t     *w;
    const char  *body;

    w = *state;
    w->identity.login = S(EVIL);
    w->identity.name = S(EVIL);
    w->identity.node = S(EVIL);
    w->tags[0] = S(EVIL);
    w->identity.tags.n = 1;
    w->decision.explain = true;
    w->decision.text = EVIL;
    w->decision.rule = S(EVIL);
    w->decision.contact = S(EVIL);
    w->denial.id = S(EVIL);

    body = render(w, TG_DENIAL_HTML);

    assert_str(w->answer.content_type, "text/html; charset=utf-8");
    assert_not(body, "<b ");
    assert_not(body, "a=\"x");
    assert_not(body, "c='");
    assert_has(body, "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;");
    assert_not(body, "<script");
    assert_not(body, "<!-- ");
    assert_not(body, "http:");
    assert_not(body, "mailto:");
    assert_has(body, "<style>:root { color-scheme: light dark; }");

    assert_has(header(w, "content-security-policy").data,
               "default-src 'none'; style-src 'sha256-");
    assert_str(header(w, "x-frame-options"), "DENY");
    assert_str(header(w, "referrer-policy"), "no-referrer");
    assert_str(header(w, "x-content-type-options"), "nosniff");
}


static void
test_contact(void **state)
{
    size_t    i;
    world_t  *w;

    static const struct {
        const char  *contact;
        const char  *html;
    } cases[] = {
        { "it@example.com",
          "<dd><a href=\"mailto:it@example.com\">it@example.com</a></dd>" },
        { "a+b@example.com",
          "<dd><a href=\"mailto:a+b@example.com\">a+b@example.com</a></dd>" },
        { "https://desk.corp/new?a=1&b=2",
          "<dd><a href=\"https://desk.corp/new?a=1&amp;b=2\">"
          "https://desk.corp/new?a=1&amp;b=2</a></dd>" },
        { "javascript:alert(1)", "<dd>javascript:alert(1)</dd>" },
        { "http://desk.corp/", "<dd>http://desk.corp/</dd>" },
        { "a@b@c", "<dd>a@b@c</dd>" },
        { "@b", "<dd>@b</dd>" },
        { "b@", "<dd>b@</dd>" },
        { "a@b?cc=eve@c", "<dd>a@b?cc=eve@c</dd>" },
        { "a@b?subject=x", "<dd>a@b?subject=x</dd>" },
        { "Ask Bob (ext. 7)", "<dd>Ask Bob (ext. 7)</dd>" }
    };

    w = *state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        w->decision.contact = (tg_str_t) { cases[i].contact,
                                           strlen(cases[i].contact) };
        assert_has(render(w, TG_DENIAL_HTML), cases[i].html);
    }

    w->decision.contact = (tg_str_t) TG_NULL_STR;
    assert_not(render(w, TG_DENIAL_HTML), "Whom to ask");
}


static void
test_json(void **state)
{
    json_t   *root;
    world_t  *w;

    w = *state;
    w->identity.name = S(EVIL);
    w->tags[0] = S("tag:ci");
    w->tags[1] = S(EVIL);
    w->identity.tags.n = 2;
    w->decision.explain = true;

    (void) render(w, TG_DENIAL_JSON);
    assert_str(w->answer.content_type, "application/problem+json");
    assert_not(w->body, "<");

    root = json_loads(w->body, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);

#define MEMBER(name)  json_string_value(json_object_get(root, name))

    assert_string_equal(MEMBER("type"), "about:blank");
    assert_string_equal(MEMBER("title"), "Forbidden");
    assert_string_equal(MEMBER("detail"), "a deny rule matched");
    assert_string_equal(MEMBER("login"), "alice@example.com");
    assert_string_equal(MEMBER("name"), EVIL);
    assert_string_equal(MEMBER("rule"), "grafana.deny[0]");
    assert_string_equal(MEMBER("contact"), "it@example.com");
    assert_string_equal(MEMBER("request"), "00ff00ff00ff00ff");
    assert_int_equal(json_integer_value(json_object_get(root, "status")),
                     403);
    assert_int_equal(json_array_size(json_object_get(root, "tags")), 2);
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(root, "tags"), 1)), EVIL);

#undef MEMBER

    json_decref(root);
}


static void
test_grpc(void **state)
{
    world_t  *w;

    w = *state;
    w->decision.reason = TG_POLICY_REASON_BUILTIN;
    w->decision.text = "100% \xc3\xa9";

    (void) render(w, TG_DENIAL_GRPC);

    assert_int_equal(w->answer.status, 200);
    assert_int_equal(w->answer.body.len, 0);
    assert_str(w->answer.content_type, "application/grpc");
    assert_str(header(w, "grpc-status"), "7");
    assert_str(header(w, "grpc-message"),
               "100%25 %C3%A9 (request 00ff00ff00ff00ff)");

    /* no proxy may take it for an allow */

    w->denial.forwarded = true;

    (void) render(w, TG_DENIAL_GRPC);
    assert_int_equal(w->answer.status, 403);
    assert_str(header(w, "grpc-status"), "7");

    w->decision.verdict = TG_UNAVAILABLE;

    (void) render(w, TG_DENIAL_GRPC);
    assert_int_equal(w->answer.status, 503);
}


static void
test_webdav(void **state)
{
    world_t     *w;
    const char  *body;

    w = *state;
    w->identity.name = S("A & <b> \xef\xbf\xbf");

    body = render(w, TG_DENIAL_WEBDAV);

    assert_str(w->answer.content_type, "application/xml; charset=utf-8");
    assert_int_equal(strncmp(body, "<?xml version=\"1.0\"", 19), 0);
    assert_has(body, "<D:error xmlns:D=\"DAV:\" xmlns:T=\"tailgate:\">\n");
    assert_has(body, "<T:name>A &amp; &lt;b&gt; ?</T:name>\n");
    assert_has(body, "<T:request>00ff00ff00ff00ff</T:request>\n");
    assert_has(body, "</D:error>\n");
}


/* Nothing begins a line or a header of its own, and all is bounded. */

static void
test_bounds(void **state)
{
    int           form;
    char         *text;
    size_t        i;
    world_t      *w;
    tg_str_t      longest;
    tg_decision_t allows;

    w = *state;

    w->identity.login = S("a\r\nlogin: eve\x7f\xff\xc2\x85");
    assert_has(render(w, TG_DENIAL_TEXT), "\nlogin: a??login: eve???\n");

    text = malloc(100000);
    assert_non_null(text);
    memset(text, '"', 100000);

    longest = (tg_str_t) { text, 100000 };

    for (i = 0; i < 32; i++) {
        w->tags[i] = (tg_str_t) { text, TG_LIST_ITEM_MAX };
    }

    w->identity.tags.n = 32;
    w->identity.login = longest;
    w->identity.name = longest;
    w->identity.node = longest;
    w->decision.rule = longest;
    w->decision.contact = longest;
    w->decision.explain = true;
    w->denial.id = longest;

    for (form = TG_DENIAL_TEXT; form <= TG_DENIAL_PREFLIGHT; form++) {
        (void) render(w, (tg_denial_form_t) form);

        assert_true(w->answer.body.len <= TG_DENIAL_BODY_MAX);
        assert_true(w->answer.nheaders <= TG_DENIAL_HEADERS_MAX);

        for (i = 0; i < w->answer.nheaders; i++) {
            assert_true(w->answer.headers[i].value.len
                        <= TG_DENIAL_VALUE_MAX);
        }
    }

    free(text);

    allows = w->decision;
    allows.verdict = TG_ALLOW;
    w->denial.decision = &allows;

    assert_int_equal(tg_denial_render(&w->denial, &w->alloc, &w->answer),
                     TG_ERR_RANGE);
}


static void
test_no_memory(void **state)
{
    int          form;
    world_t     *w;
    tg_alloc_t   alloc;
    tg_arena_t  *arena;

    w = *state;
    arena = tg_arena_new(1);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);

    for (form = TG_DENIAL_TEXT; form <= TG_DENIAL_PREFLIGHT; form++) {
        w->denial.form = (tg_denial_form_t) form;
        assert_int_equal(tg_denial_render(&w->denial, &alloc, &w->answer),
                         TG_ERR_NOMEM);
    }

    tg_arena_free(&arena);
}


int
main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

    const struct CMUnitTest  tests[] = {
        TEST(test_forms),
        TEST(test_text),
        TEST(test_explain),
        TEST(test_reasons),
        TEST(test_kinds),
        TEST(test_outage),
        TEST(test_html),
        TEST(test_contact),
        TEST(test_json),
        TEST(test_grpc),
        TEST(test_webdav),
        TEST(test_bounds),
        TEST(test_no_memory)
    };

    return cmocka_run_group_tests_name("denial", tests, NULL, NULL);
}
