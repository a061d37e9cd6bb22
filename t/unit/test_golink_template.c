
/*
 * Copyright (C) The Tailgate authors
 *
 * Templates: what they give, what is refused by name, and what they may cost.
 */

#include "t/unit/golink.h"

#include <stdlib.h>


static void
test_values(void **state)
{
    static const golink_case_t  cases[] = {
        { "/{{$x := .Path}}{{if eq $x \"a\" \"b\"}}1{{else if lt (len $x) 3}}2"
          "{{else}}{{slice $x 1 3}}{{end}}", "abcdef", "", "/bc", TG_OK },
        { "/{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 3}}{{end}}{{$x}}", "", "",
          "/2", TG_OK },
        { "/{{with $x := .Path}}{{.}}{{$x}}{{else with .User}}{{.}}{{end}}",
          "", "", "/foo@example.com", TG_OK },
        { "/{{- /* c */ -}} x {{- \" y\" }} z", "", "", "/x%20y%20z", TG_OK },
        { "/{{print 1 2}}{{print \"a\" 1 2 \"b\"}}", "", "", "/1%202a1%202b",
          TG_OK },
        { "/{{printf \"%05d|%-3s|%q|%v|%%\" 42 \"a\" \"x\" true}}", "", "",
          NULL, TG_LINK_BAD_URL },
        { "/{{printf \"%05d,%-3s,%q,%v\" -42 \"a\" \"x\" true}}", "", "",
          "/-0042,a%20%20,%22x%22,true", TG_OK },
        { "/{{index \"abc\" 1}}-{{1.5}}-{{1e21}}-{{'a'}}-{{0x1f}}-{{1_000}}",
          "", "", "/98-1.5-1e+21-97-31-1000", TG_OK },
        { "/{{and 1 0}}{{or \"\" \"x\"}}{{not nil}}{{eq 1 1.0}}", "", "", NULL,
          TG_ERR_TYPE },
        { "/{{and 1 0}}{{or \"\" \"x\"}}{{not nil}}{{or 1 (index .Path 9)}}",
          "", "", "/0xtrue1", TG_OK },
        { "/{{ToUpper \"\xc3\xa9\xce\xb1\"}}", "", "",
          "/%C3%89%CE%91", TG_OK },
        { "/{{\"\\u00e9\\x41\\101\\n\" | TrimSuffix \"x\"}}", "", "", "/x",
          TG_OK },
        { "/{{`a\\d`}}", "", "", "/a%5Cd", TG_OK },
        { "/{{urlquery .Path 1}}", "a b&", "", "/a+b%261", TG_OK },
        { "/{{.Now.Year}}-{{.Now.Month}}-{{.Now.Day}}-{{.Now.Hour}}-"
          "{{.Now.Minute}}-{{.Now.Weekday}}-{{.Now.Unix}}", "", "",
          "/2022-June-2-1-2-Thursday-1654131723", TG_OK },
        { "/{{(.Now.AddDate 0 9 -1).Format \"Mon Jan _2 06 3:04PM .000 MST\"}}",
          "", "", "/Wed%20Mar%20%201%2023%201:02AM%20.000%20UTC", TG_OK },
        { "/{{(.Now.AddDate 0 8 0).Format \"2006-01-02 002\"}}", "", "",
          "/2023-02-02%20033", TG_OK },
        { "/{{eq \"b\" \"a\" \"b\"}}{{eq 1 2 3}}{{ne 1 2}}{{ge 2 2}}{{gt 2 2}}"
          "{{le 1.5 1.5}}", "", "", "/truefalsetruetruefalsetrue", TG_OK },
        { "/{{$t := .Now}}{{with $t}}{{.Format \"02\"}}{{end}}", "", "",
          "/02", TG_OK },
        { "/{{if Match `^[A-Z]+-\\d{1,5}$` .Path}}bug{{end}}", "AB-12", "",
          "/bug", TG_OK },
        { "/{{Match .Path \"aaa\"}}", "(a", "", "/false", TG_OK },
        { "/{{Match .Path \"aaa\"}}", "a+", "", "/true", TG_OK },
        { "/{{.Path | printf \"%s-%s\" \"a\"}}", "b", "", "/a-b", TG_OK },
    };

    (void) state;

    golink_check(cases, NELTS(cases));
}


/* What is not on the list, by its name. */

static void
test_closed_list(void **state)
{
    size_t              i;
    char                out[64];
    tg_error_t          error;
    tg_link_request_t   request;

    static const struct {
        const char  *url;
        int          rc;
        size_t       column;
        const char  *says;
    } cases[] = {
        { "/{{html .Path}}", TG_ERR_REFUSED, 4,
          "function \"html\" is not accepted" },
        { "/{{js .Path}}", TG_ERR_REFUSED, 4, "function \"js\"" },
        { "/{{println .Path}}", TG_ERR_REFUSED, 4, "function \"println\"" },
        { "/{{call .Path}}", TG_ERR_REFUSED, 4, "function \"call\"" },
        { "/{{Nope .Path}}", TG_ERR_REFUSED, 4, "function \"Nope\"" },
        { "/{{range 3}}{{end}}", TG_ERR_REFUSED, 4, "action \"range\"" },
        { "/{{define \"a\"}}{{end}}", TG_ERR_REFUSED, 4, "action \"define\"" },
        { "/{{template \"a\"}}", TG_ERR_REFUSED, 4, "action \"template\"" },
        { "/{{block \"a\" .}}{{end}}", TG_ERR_REFUSED, 4, "action \"block\"" },
        { "/{{break}}", TG_ERR_REFUSED, 4, "action \"break\"" },
        { "/{{continue}}", TG_ERR_REFUSED, 4, "action \"continue\"" },
        { "/{{.}}", TG_ERR_REFUSED, 4, "\".\" is all" },
        { "/{{print $}}", TG_ERR_REFUSED, 10, "\"$\" is all" },
        { "/{{.Foo}}", TG_ERR_REFUSED, 4, "field \".Foo\"" },
        { "/{{.Now.Local}}", TG_ERR_REFUSED, 8, "field \".Local\"" },
        { "/{{.Year}}", TG_ERR_REFUSED, 4, "field \".Year\"" },
        { "/{{printf \"%x\" .Path}}", TG_ERR_REFUSED, 11, "\"%x\"" },
        { "/{{printf \"%*d\" 1 2}}", TG_ERR_REFUSED, 11, "\"%*\"" },
        { "/{{printf \"%[1]d\" 1}}", TG_ERR_REFUSED, 11, "\"%[\"" },
        { "/{{printf \"%1000000d\" 1}}", TG_ERR_LIMIT, 11, "width" },
        { "/{{printf \"%d %d\" 1}}", TG_ERR_TYPE, 11, "takes 2" },
        { "/{{1+2i}}", TG_ERR_SYNTAX, 5, "complex" },
        { "/\n{{\n .Foo}}", TG_ERR_REFUSED, 2, "field \".Foo\"" },
        { "/{{.Foo", TG_ERR_REFUSED, 4, "field" },
        { "/{{.Path", TG_ERR_SYNTAX, 9, "not closed" },
        { "/{{end}}", TG_ERR_SYNTAX, 4, "belongs to no block" },
        { "/{{else}}", TG_ERR_SYNTAX, 4, "belongs to no block" },
        { "/{{if .Path}}", TG_ERR_SYNTAX, 4, "has no end" },
        { "/{{if .Path}}{{else}}", TG_ERR_SYNTAX, 4, "has no end" },
        { "/{{if}}{{end}}", TG_ERR_SYNTAX, 6, "is missing" },
        { "/{{}}", TG_ERR_SYNTAX, 4, "is missing" },
        { "/{{$x}}", TG_ERR_SYNTAX, 4, "not defined" },
        { "/{{$x = 1}}", TG_ERR_SYNTAX, 4, "not defined" },
        { "/{{if true}}{{$x := 1}}{{end}}{{$x}}", TG_ERR_SYNTAX, 33,
          "not defined" },
        { "/{{nil}}", TG_ERR_TYPE, 4, "no value" },
        { "/{{\"a\" \"b\"}}", TG_ERR_TYPE, 4, "given arguments" },
        { "/{{.Path 1}}", TG_ERR_TYPE, 4, "takes 0" },
        { "/{{print 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17}}",
          TG_ERR_LIMIT, 4, "takes at most 16 arguments, not 17" },
        { "/{{PathEscape}}", TG_ERR_TYPE, 4, "takes 1 argument" },
        { "/{{PathEscape 1}}", TG_ERR_TYPE, 15, "a string" },
        { "/{{\"a\"\"b\"}}", TG_ERR_SYNTAX, 7, "not expected" },
        { "/{{\"a}}", TG_ERR_SYNTAX, 4, "quotation" },
        { "/{{\"\\q\"}}", TG_ERR_SYNTAX, 4, "escape" },
        { "/{{(1}}", TG_ERR_SYNTAX, 6, "not closed" },
        { "/{{1)}}", TG_ERR_SYNTAX, 5, "closes nothing" },
        { "/{{/* x}}", TG_ERR_SYNTAX, 6, "comment" },
        { "/{{Match `(a)\\1` .Path}}", TG_ERR_REFUSED, 10, "backreference" },
        { "/{{Match `(?=a)` .Path}}", TG_ERR_REFUSED, 10, "group of PCRE" },
        { "/{{Match `(?<!a)` .Path}}", TG_ERR_REFUSED, 10, "group of PCRE" },
        { "/{{Match `(?R)` .Path}}", TG_ERR_REFUSED, 10, "group of PCRE" },
        { "/{{Match `(?P>a)` .Path}}", TG_ERR_REFUSED, 10, "call" },
        { "/{{Match `(*COMMIT)` .Path}}", TG_ERR_REFUSED, 10, "verb" },
        { "/{{Match `a++` .Path}}", TG_ERR_REFUSED, 10, "repetition" },
        { "/{{Match `a{1001}` .Path}}", TG_ERR_REFUSED, 10, "1000" },
        { "/{{Match `\\K` .Path}}", TG_ERR_REFUSED, 10, "escape" },
        { "/{{Match `[a` .Path}}", TG_ERR_SYNTAX, 10, "not closed" },
        { "/{{Match `(a` .Path}}", TG_ERR_SYNTAX, 10, "byte" },
    };

    (void) state;

    request = golink_request("", "", LOGIN);

    for (i = 0; i < NELTS(cases); i++) {
        int  rc;

        memset(&error, 0, sizeof(tg_error_t));
        rc = golink_go(cases[i].url, &request, NULL, out, sizeof(out), &error);

        if (rc != cases[i].rc || strstr(error.text, cases[i].says) == NULL
            || error.column != cases[i].column)
        {
            print_error("%s: %d at %zu: %s\n", cases[i].url, rc, error.column,
                        error.text);
        }

        assert_int_equal(rc, cases[i].rc);
        assert_int_equal(error.code, rc);
        assert_non_null(strstr(error.text, cases[i].says));
        assert_int_equal(error.column, cases[i].column);
    }
}


/* Many of a text, which is the caller's to free. */

static char *
repeat(const char *head, const char *text, size_t n, const char *tail)
{
    char    *all, *p;
    size_t   i, len;

    len = strlen(text);
    all = malloc(strlen(head) + n * len + strlen(tail) + 1);
    assert_non_null(all);

    p = stpcpy(all, head);

    for (i = 0; i < n; i++) {
        p = stpcpy(p, text);
    }

    stpcpy(p, tail);

    return all;
}


static int
go(const char *url, const char *rest, const tg_link_limits_t *limits)
{
    static char         out[40000];
    tg_error_t          error;
    tg_link_request_t   request;

    request = golink_request(rest, "", LOGIN);

    return golink_go(url, &request, limits, out, sizeof(out), &error);
}


static void
test_bounds(void **state)
{
    char              *text;
    tg_link_limits_t   limits;

    (void) state;

    text = repeat("http://h/", "a", TG_LINK_URL_MAX, "");
    assert_int_equal(go(text, "", NULL), TG_ERR_LIMIT);
    free(text);

    text = repeat("/{{", "(", 65, "1");
    assert_int_equal(go(text, "", NULL), TG_LINK_DEPTH);
    free(text);

    text = repeat("/", "{{if .Path}}", 65, "");
    assert_int_equal(go(text, "", NULL), TG_LINK_DEPTH);
    free(text);

    text = repeat("/", "{{if .Path}}a", 64, "");
    assert_int_equal(go(text, "", NULL), TG_ERR_SYNTAX);
    free(text);

    /* each doubles: 2^16 */

    text = repeat("/{{$x := .Path}}", "{{$x = print $x $x}}", 16, "{{$x}}");
    assert_int_equal(go(text, "ab", NULL), TG_LINK_OUTPUT);
    free(text);

    text = repeat("/", "{{printf `%1000d` 1}}", 17, "");
    assert_int_equal(go(text, "", NULL), TG_LINK_OUTPUT);
    free(text);

    /* not even where it is not printed */

    text = repeat("/{{$x := printf `%1000d` 1}}{{len (print $x $x $x $x $x $x"
                  " $x $x $x $x $x $x $x $x $x `", "a", 1385, "`)}}");
    assert_int_equal(go(text, "", NULL), TG_LINK_OUTPUT);
    free(text);

    text = repeat("/{{$x := printf `%1000d` 1}}{{len (print $x $x $x $x $x $x"
                  " $x $x $x $x $x $x $x $x $x `", "a", 1384, "`)}}");
    assert_int_equal(go(text, "", NULL), TG_OK);
    free(text);

    limits = *tg_link_limits_default();
    limits.steps_max = 100;

    text = repeat("/", "{{1}}", 60, "");
    assert_int_equal(go(text, "", &limits), TG_LINK_STEPS);
    assert_int_equal(go(text, "", NULL), TG_OK);
    free(text);

    limits = *tg_link_limits_default();
    limits.output_max = 40;
    assert_int_equal(go("http://h/", "", &limits), TG_OK);
    assert_int_equal(go("http://h/{{printf `%40d` 1}}", "", &limits),
                     TG_LINK_OUTPUT);

    text = repeat("http://h/{{Match `", "a", 513, "` .Path}}");
    assert_int_equal(go(text, "", NULL), TG_ERR_LIMIT);
    free(text);

    /* far below what PCRE2 itself would try */

    text = repeat("", "a", 15, "");
    assert_int_equal(go("/{{Match `^(a+)+$` (print .Path `!`)}}", text, NULL),
                     TG_LINK_REGEX);
    free(text);

    text = repeat("", "ab", 600, "");
    assert_int_equal(go("/{{Match `^(a|b)*$` .Path}}", text, NULL),
                     TG_LINK_REGEX);
    free(text);

    assert_int_equal(go("/{{index .Path 7}}", "abc", NULL), TG_LINK_FAILED);
    assert_int_equal(go("/{{if eq .Path `z`}}{{lt .Path 1}}{{end}}", "z",
                        NULL), TG_LINK_FAILED);
    assert_int_equal(go("/{{slice .Path 3 1}}", "abcd", NULL),
                     TG_LINK_FAILED);
    assert_int_equal(go("/{{.Now.AddDate 9000 0 0}}", "", NULL),
                     TG_LINK_FAILED);
}


/* A template is one allocation, and nothing of it is left to free. */

static size_t  allocations;

static void *
count(void *ctx, size_t size)
{
    (void) ctx;

    allocations++;

    return malloc(size);
}


static void
test_one_allocation(void **state)
{
    char        *url;
    tg_str_t     location;
    tg_link_t   *link;
    tg_alloc_t   alloc, arena_alloc;
    tg_arena_t  *arena;

    tg_link_request_t  request;

    (void) state;

    url = strdup("/{{if Match `^[a-c]+$` .Path}}{{.Query \"q\"}}{{else if"
                 " Match `\\d` .Path}}{{$x := \"y\"}}{{$x}}{{end}}");
    assert_non_null(url);

    alloc.alloc = count;
    alloc.ctx = NULL;
    allocations = 0;

    assert_int_equal(tg_link_compile(golink_str(url), NULL, &alloc, &link,
                                     NULL), TG_OK);
    assert_int_equal(allocations, 1);

    /* it borrows nothing: url is for the places of errors */

    memset(url, 'x', strlen(url));

    arena = tg_arena_new(1000000);
    arena_alloc = tg_arena_allocator(arena);

    request = golink_request("1", "q=v", "");
    assert_int_equal(tg_link_expand(link, golink_str(url), &request, NULL,
                                    &arena_alloc, &location, NULL), TG_OK);
    assert_int_equal(location.len, 2);
    assert_memory_equal(location.data, "/y", 2);

    request = golink_request("abc", "q=v", "");
    assert_int_equal(tg_link_expand(link, golink_str(url), &request, NULL,
                                    &arena_alloc, &location, NULL), TG_OK);
    assert_memory_equal(location.data, "/v", 2);

    tg_arena_free(&arena);
    free(link);
    free(url);
}


static void *
no_memory(void *ctx, size_t size)
{
    (void) ctx;
    (void) size;

    return NULL;
}


static void
test_no_memory(void **state)
{
    tg_str_t            location;
    tg_link_t          *link;
    tg_alloc_t          alloc, none;
    tg_arena_t         *arena;
    tg_link_request_t   request;

    static const char  url[] = "/{{PathEscape .Path}}{{.Query \"q\"}}";

    (void) state;

    none.alloc = no_memory;
    none.ctx = NULL;

    assert_int_equal(tg_link_compile(golink_str(url), NULL, &none, &link,
                                     NULL), TG_ERR_NOMEM);
    assert_null(link);

    arena = tg_arena_new(100000);
    alloc = tg_arena_allocator(arena);

    assert_int_equal(tg_link_compile(golink_str(url), NULL, &alloc, &link,
                                     NULL), TG_OK);

    request = golink_request("a%20b", "q=1", "");

    assert_int_equal(tg_link_expand(link, golink_str(url), &request, NULL,
                                    &none, &location, NULL), TG_ERR_NOMEM);
    assert_int_equal(tg_link_expand(NULL, golink_str("/"), &request, NULL,
                                    &none, &location, NULL), TG_ERR_NOMEM);
    assert_int_equal(location.len, 0);

    tg_arena_free(&arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_closed_list),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_one_allocation),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
