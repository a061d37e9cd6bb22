
/*
 * Copyright (C) The Tailgate authors
 *
 * Where links lead: golink's own tests, and where it goes wrong what is right.
 */

#include "t/unit/golink.h"


static void
test_golink(void **state)
{
    static const golink_case_t  cases[] = {
        { "http://host.com/foo%2f/bar", "", "",
          "http://host.com/foo%2f/bar", TG_OK },
        { "http://host.com/foo%2f/bar", "extra", "",
          "http://host.com/foo%2f/bar/extra", TG_OK },
        { "http://host.com/foo", "extra", "", "http://host.com/foo/extra",
          TG_OK },
        { "http://host.com/foo/", "extra", "", "http://host.com/foo/extra",
          TG_OK },
        { "https://roamresearch.com/#/app/ts-corp/page/"
          "{{.Now.Format \"01-02-2006\"}}", "", "",
          "https://roamresearch.com/#/app/ts-corp/page/06-02-2022", TG_OK },
        { "http://host.com/{{.User}}", "", "",
          "http://host.com/foo@example.com", TG_OK },
        { "http://host.com/{{.Foo}}", "", "", NULL, TG_ERR_REFUSED },
        { "https://calendar.google.com/{{with .Path}}calendar/embed?mode=week"
          "&src={{.}}@tailscale.com{{end}}", "", "",
          "https://calendar.google.com/", TG_OK },
        { "https://calendar.google.com/{{with .Path}}calendar/embed?mode=week"
          "&src={{.}}@tailscale.com{{end}}", "amelie", "",
          "https://calendar.google.com/calendar/embed?mode=week"
          "&src=amelie@tailscale.com", TG_OK },
        { "http://host.com/{{PathEscape .Path}}", "a/b+c", "",
          "http://host.com/a%2Fb+c", TG_OK },
        { "http://host.com/{{QueryEscape .Path}}", "a/b+c", "",
          "http://host.com/a%2Fb%2Bc", TG_OK },
        { "http://host.com/{{TrimPrefix .Path \"BUG-\"}}", "BUG-123", "",
          "http://host.com/123", TG_OK },
        { "http://host.com/{{TrimSuffix .Path \"/\"}}", "a/", "",
          "http://host.com/a", TG_OK },
        { "http://host.com/{{ToLower .Path}}", "BUG-123", "",
          "http://host.com/bug-123", TG_OK },
        { "http://host.com/{{ToUpper .Path}}", "bug-123", "",
          "http://host.com/BUG-123", TG_OK },
        { "http://host.com/{{if Match \"\\\\d+\" .Path}}id/{{.Path}}{{else}}"
          "search/{{.Path}}{{end}}", "123", "", "http://host.com/id/123",
          TG_OK },
        { "http://host.com/{{if Match \"\\\\d+\" .Path}}id/{{.Path}}{{else}}"
          "search/{{.Path}}{{end}}", "query", "",
          "http://host.com/search/query", TG_OK },
        { "rel", "a", "", "rel/a", TG_OK },
        { "/rel", "a", "", "/rel/a", TG_OK },
        { "/rel", "", "a=b", "/rel?a=b", TG_OK },
        { "/rel", "path", "a=b", "/rel/path?a=b", TG_OK },
        { "/rel?a=1", "", "a=2&b=2", "/rel?a=1&a=2&b=2", TG_OK },
        { "/rel{{with .Path}}/{{.}}{{end}}?a=1", "path", "b=2",
          "/rel/path?a=1&b=2", TG_OK },
    };

    (void) state;

    golink_check(cases, NELTS(cases));
}


static void
test_edges(void **state)
{
    static const golink_case_t  cases[] = {
        { "http://h.com/x", "%25", "", "http://h.com/x/%25", TG_OK },
        { "http://h.com/x", "%3Fx%23y", "", "http://h.com/x/%3Fx%23y", TG_OK },
        { "http://h.com/x", "a%2Fb", "", "http://h.com/x/a%2Fb", TG_OK },
        { "http://h.com/foo%2f/bar", "a%20b", "",
          "http://h.com/foo%2f/bar/a%20b", TG_OK },
        { "http://h.com/foo%2f/bar", "%22%3c%7B%7c%5E%60%5C", "",
          "http://h.com/foo%2f/bar/%22%3C%7B%7C%5E%60%5C", TG_OK },
        { "http://h.com/s?q=", "a%20b", "", "http://h.com/s/a%20b?q=", TG_OK },
        { "http://h.com/?x={{.Path}}", "a%20b&c", "",
          "http://h.com/?x=a%20b%26c", TG_OK },
        { "http://h.com/s?q=1", "p", "", "http://h.com/s/p?q=1", TG_OK },
        { "http://h.com/s?q=1", "p", "z=2", "http://h.com/s/p?q=1&z=2",
          TG_OK },
        { "http://h.com/#frag", "p", "", "http://h.com/#frag/p", TG_OK },
        { "http://h.com/#frag", "", "a=1", "http://h.com/?a=1#frag", TG_OK },
        { "http://h.com/#frag", "a%23b%2Fc", "",
          "http://h.com/#frag/a%23b%2Fc", TG_OK },
        { "http://h.com/?q=1#frag", "p", "", "http://h.com/?q=1#frag/p",
          TG_OK },
        { "http://h.com/#a?b", "p", "", "http://h.com/#a?b/p", TG_OK },
        { "http://h.com", "", "", "http://h.com", TG_OK },
        { "http://h.com", "", "q=1", "http://h.com?q=1", TG_OK },
        { "http://h.com", "/x", "", "http://h.com//x", TG_OK },
        { "http://h.com/?b=2&a=1", "", "c=3", "http://h.com/?b=2&a=1&c=3",
          TG_OK },
        { "http://h.com/?b=2&a=1", "", "", "http://h.com/?b=2&a=1", TG_OK },
        { "http://h.com/?a;b", "", "a=1", "http://h.com/?a;b&a=1", TG_OK },
        { "http://h.com/?%", "", "a=1", "http://h.com/?%&a=1", TG_OK },
        { "http://h.com/?", "", "a=1", "http://h.com/?a=1", TG_OK },
        { "http://p.com/", "", "a&b=&c=1&a=2", "http://p.com/?a&b=&c=1&a=2",
          TG_OK },
        { "http://p.com/", "", "a=1;b=2", "http://p.com/?a=1;b=2", TG_OK },
        { "http://p.com/", "", "a b=1", "http://p.com/?a%20b=1", TG_OK },
        { "http://p.com/", "", "%zz=1", "http://p.com/?%25zz=1", TG_OK },
        { "http://p.com/", "", "a=%41&\xc3\xa9=\"<", "http://p.com/?a=%41&"
          "%C3%A9=%22%3C", TG_OK },
        { "{{.Path}}", "", "", NULL, TG_LINK_HOST },
        { "{{.Path}}", "http://e.com/", "", NULL, TG_LINK_HOST },
        { "HTTP://Host.COM:80/Foo Bar", "", "",
          "http://Host.COM:80/Foo%20Bar", TG_OK },
        { "http://h.com/{{.Now}}", "", "",
          "http://h.com/2022-06-02%2001:02:03%20+0000%20UTC", TG_OK },
        { "http://h.com/{{.}}", "", "", NULL, TG_ERR_REFUSED },
        { "http://h.com/{x}", "p", "", "http://h.com/%7Bx%7D/p", TG_OK },
        { "http://h.com/}}", "p", "", "http://h.com/%7D%7D/p", TG_OK },
        { "http://who/", "%00", "", NULL, TG_LINK_BYTES },
        { "http://who/", "a%0d%0aSet-Cookie:x", "", NULL, TG_LINK_BYTES },
        { "http://who/", "%ff", "", NULL, TG_LINK_BYTES },
        { "http://who/", "", "a\nb", NULL, TG_LINK_BYTES },
        { "http://who/", "/b/../c", "", "http://who//b/../c", TG_OK },
        { "http://who/", "http://host", "", "http://who/http://host", TG_OK },
        { "http://who/", "caf%C3%A9", "", "http://who/caf%C3%A9", TG_OK },
        { "http://who/", "a+b", "", "http://who/a+b", TG_OK },
        { "http://who/", "Foo%20(bar)", "", "http://who/Foo%20%28bar%29",
          TG_OK },
        { "http://h/?q={{.Path}}", "a+b%2Bc", "", "http://h/?q=a+b%2Bc",
          TG_OK },
        { "mailto:a@b.c", "", "subject=x", "mailto:a@b.c?subject=x", TG_OK },
        { "http://u:p%40@[::1]:80/", "", "", "http://u:p%40@[::1]:80/",
          TG_OK },
    };

    (void) state;

    golink_check(cases, NELTS(cases));
}


/* Refused at save, with the reason. */

static void
test_refused(void **state)
{
    static const golink_case_t  cases[] = {
        { "", "", "", NULL, TG_ERR_MISSING },
        { "%zz", "", "", NULL, TG_LINK_BAD_URL },
        { ":foo", "", "", NULL, TG_LINK_BAD_URL },
        { " http://x", "", "", NULL, TG_LINK_BAD_URL },
        { "http://h:99x/", "", "", NULL, TG_LINK_BAD_URL },
        { "http://h:1:2/", "", "", NULL, TG_LINK_BAD_URL },
        { "http://[::1/", "", "", NULL, TG_LINK_BAD_URL },
        { "http://[1.2.3.4]/", "", "", NULL, TG_LINK_BAD_URL },
        { "http://a b/", "", "", NULL, TG_LINK_BAD_URL },
        { "http://a%41/", "", "", NULL, TG_LINK_BAD_URL },
        { "http:///x", "", "", NULL, TG_LINK_BAD_URL },
        { "http:/x", "", "", NULL, TG_LINK_BAD_URL },
        { "https:x", "", "", NULL, TG_LINK_BAD_URL },
        { "///x", "", "", NULL, TG_LINK_BAD_URL },
        { "http://h/\n", "", "", NULL, TG_LINK_BYTES },
        { "http://h/\xff", "", "", NULL, TG_LINK_BYTES },
        { "javascript:alert(1)", "", "", NULL, TG_LINK_SCHEME },
        { "JavaScript:alert(1)", "", "", NULL, TG_LINK_SCHEME },
        { "data:text/html,x", "", "", NULL, TG_LINK_SCHEME },
        { "vbscript:x", "", "", NULL, TG_LINK_SCHEME },
        { "file:///etc/passwd", "", "", NULL, TG_LINK_SCHEME },
        { "ftp://h/", "", "", NULL, TG_LINK_SCHEME },
        { "{{if .Path}}javascript:x{{else}}http://h/{{end}}", "", "", NULL,
          TG_LINK_SCHEME },
        { "https://{{.Path}}.example.com/", "", "", NULL, TG_LINK_HOST },
        { "https://example.com{{.Path}}", "", "", NULL, TG_LINK_HOST },
        { "https://{{index .Path 0}}.0.0.1/", "", "", NULL, TG_LINK_HOST },
        { "https://{{QueryEscape .Path}}/", "", "", NULL, TG_LINK_HOST },
        { "{{printf \"%s://h/\" .Path}}", "", "", NULL, TG_LINK_HOST },
        { "http://{{.User}}/", "", "", NULL, TG_LINK_HOST },
        { "{{QueryEscape .Path}}", "", "", NULL, TG_LINK_HOST },
        { "rel{{.Path}}", "", "", NULL, TG_LINK_HOST },
        { "{{.Query \"a\"}}", "", "", NULL, TG_LINK_HOST },
        { "{{with .Query \"a&=\"}}https://{{.}}/{{else}}http://h/{{end}}",
          "", "", NULL, TG_LINK_HOST },
        { "http://h:{{.Query \"port\"}}/", "", "", "http://h:/", TG_OK },
    };

    (void) state;

    golink_check(cases, NELTS(cases));
}


/* What a configuration allows, and what none can. */

static void
test_schemes(void **state)
{
    char                out[64];
    tg_error_t          error;
    tg_link_limits_t    limits;
    tg_link_request_t   request;

    static const tg_str_t  schemes[] = {
        TG_STR("https"), TG_STR("slack"), TG_STR("javascript")
    };

    (void) state;

    limits = *tg_link_limits_default();
    limits.schemes = schemes;
    limits.nschemes = NELTS(schemes);

    request = golink_request("", "", "");

    assert_int_equal(golink_go("slack://channel?id=1", &request, &limits, out,
                               sizeof(out), &error), TG_OK);
    assert_string_equal(out, "slack://channel?id=1");

    assert_int_equal(golink_go("http://h/", &request, &limits, out,
                               sizeof(out), &error), TG_LINK_SCHEME);
    assert_int_equal(golink_go("javascript:x", &request, &limits, out,
                               sizeof(out), &error), TG_LINK_SCHEME);
}


/* What a request can choose within its bounds. */

static void
test_own_host(void **state)
{
    static const golink_case_t  cases[] = {
        { "/{{.Path}}", "/evil.com", "", "/%2Fevil.com", TG_OK },
        { "/", "/evil.com", "", "/%2Fevil.com", TG_OK },
        { "/", "%2Fevil.com", "", "/%2Fevil.com", TG_OK },
        { "/", "\\evil.com", "", "/%5Cevil.com", TG_OK },
        { "https://h:{{.Path}}/", "22", "", "https://h:22/", TG_OK },
        { "https://h:{{.Path}}/", "22@evil.com", "", NULL, TG_LINK_HOST },
        { "https://h:{{.Path}}/", "x", "", NULL, TG_LINK_BAD_URL },
        { "https://{{TrimSuffix .User \"@example.com\"}}.dev/", "", "",
          "https://foo.dev/", TG_OK },
        { "//host/x", "", "", "//host/x", TG_OK },
        { "http://h/{{if eq .Path \"z\"}}{{else}}x{{end}}", "z", "",
          "http://h/", TG_OK },
        { "{{if eq .Path \"z\"}}javascript:x{{else}}http://h/{{end}}", "z", "",
          NULL, TG_LINK_SCHEME },
        { "{{if ne .Path \"z\"}}http://h/{{end}}", "z", "", NULL,
          TG_LINK_EMPTY },
    };

    (void) state;

    golink_check(cases, NELTS(cases));
}


/* Segments by number, and values of the query. */

static void
test_segments(void **state)
{
    static const golink_case_t  cases[] = {
        { "http://h/{{.Segment 2}}/{{.Segment 1}}", "a/b%2Fc", "",
          "http://h/b%2Fc/a", TG_OK },
        { "http://h/{{.Segment 3}}", "a/b", "", "http://h/", TG_OK },
        { "http://h/{{2 | .Segment}}", "a/b", "", "http://h/b", TG_OK },
        { "http://h/{{.Segment 2.0}}", "a/b", "", "http://h/b", TG_OK },
        { "http://h/{{.Segment (len .Path)}}", "", "", NULL, TG_LINK_FAILED },
        { "http://h/{{.Segment}}", "", "", NULL, TG_ERR_TYPE },
        { "http://h/{{.Segment \"1\"}}", "", "", NULL, TG_ERR_TYPE },
        { "http://h/s?text={{.Query \"q\"}}", "", "q=a+b%26c&z=1&q=2",
          "http://h/s?text=a%20b%26c&z=1", TG_OK },
        { "http://h/{{.Query \"q\"}}", "", "q=a/b%3f", "http://h/a%2Fb%3F",
          TG_OK },
        { "http://h/{{.Query \"none\"}}", "", "q=1", "http://h/?q=1", TG_OK },
        { "http://h/{{.Query \"q\"}}", "", "q=%0a", NULL, TG_LINK_BYTES },
        { "http://h/{{with .Path}}{{.Path}}{{end}}", "", "", NULL,
          TG_ERR_REFUSED },
        { "http://h/{{with .Path}}{{$.Path}}{{end}}", "x", "", "http://h/x",
          TG_OK },
    };

    (void) state;

    golink_check(cases, NELTS(cases));
}


static void
test_user(void **state)
{
    int                 rc;
    char                out[100];
    tg_error_t          error;
    tg_link_t          *link;
    tg_arena_t         *arena;
    tg_alloc_t          alloc;
    tg_link_request_t   request;

    (void) state;

    request = golink_request("", "", "");

    rc = golink_go("http://h/{{.User}}", &request, NULL, out, sizeof(out),
                   &error);
    assert_int_equal(rc, TG_LINK_NO_USER);
    assert_string_equal(error.text, "link requires a valid user");

    /* not where it is not looked at */

    rc = golink_go("http://h/{{if .Path}}{{.User}}{{end}}", &request, NULL,
                   out, sizeof(out), &error);
    assert_int_equal(rc, TG_OK);

    arena = tg_arena_new(100000);
    alloc = tg_arena_allocator(arena);

    assert_int_equal(tg_link_compile(golink_str("http://h/{{.Now}}"), NULL,
                                     &alloc, &link, NULL), TG_OK);
    assert_int_equal(tg_link_flags(link), TG_LINK_NEEDS_NOW);
    assert_true(tg_link_size(link) > 0);

    assert_int_equal(tg_link_compile(golink_str("http://h/{{$.User}}"
                                                "{{.Query \"q\"}}"), NULL,
                                     &alloc, &link, NULL), TG_OK);
    assert_int_equal(tg_link_flags(link),
                     TG_LINK_NEEDS_USER | TG_LINK_NEEDS_QUERY);

    /* a plain link is nothing but its text */

    assert_int_equal(tg_link_compile(golink_str("http://h/"), NULL, &alloc,
                                     &link, NULL), TG_OK);
    assert_null(link);
    assert_int_equal(tg_link_flags(link), 0);
    assert_int_equal(tg_link_size(link), 0);

    tg_arena_free(&arena);
}


static void
test_hop(void **state)
{
    int            rc;
    size_t         i;
    tg_link_hop_t  hop;

    static const tg_str_t  hosts[] = {
        TG_STR("go"), TG_STR("go.example.ts.net"), TG_STR("box:8080")
    };

    static const struct {
        const char  *location;
        const char  *path;
        const char  *query;
        const char  *fragment;
    } cases[] = {
        { "/meet/foo", "/meet/foo", "", "" },
        { "http://go/meet?a=1#x", "/meet", "a=1", "x" },
        { "https://GO.example.ts.net./meet", "/meet", "", "" },
        { "http://go:80/x%2Fy", "/x%2Fy", "", "" },
        { "https://go:443/x", "/x", "", "" },
        { "http://box:8080/x", "/x", "", "" },
        { "//go/x", "/x", "", "" },
        { "http://go:8080/x", NULL, NULL, NULL },
        { "https://go:80/x", NULL, NULL, NULL },
        { "http://box/x", NULL, NULL, NULL },
        { "http://gopher/x", NULL, NULL, NULL },
        { "http://u@go/x", NULL, NULL, NULL },
        { "http://go", NULL, NULL, NULL },
        { "http://go/", NULL, NULL, NULL },
        { "http://go/.export", NULL, NULL, NULL },
        { "/%2e%2e/x", NULL, NULL, NULL },
        { "rel", NULL, NULL, NULL },
        { "mailto:a@go", NULL, NULL, NULL },
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        rc = tg_link_hop(golink_str(cases[i].location), hosts, NELTS(hosts),
                         &hop);

        if (cases[i].path == NULL) {
            assert_int_equal(rc, TG_ERR_ABSENT);
            assert_int_equal(hop.path.len, 0);
            continue;
        }

        assert_int_equal(rc, TG_OK);
        assert_int_equal(hop.path.len, strlen(cases[i].path));
        assert_memory_equal(hop.path.data, cases[i].path, hop.path.len);
        assert_int_equal(hop.query.len, strlen(cases[i].query));
        assert_int_equal(hop.fragment.len, strlen(cases[i].fragment));
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_golink),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_own_host),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_user),
        cmocka_unit_test(test_hop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
