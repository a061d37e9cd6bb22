
/*
 * Copyright (C) The Tailgate authors
 *
 * Whatever is sent to whatever link: the visitor comes to the link's own host,
 * and the header is one line of ASCII without a space.
 */

#include "t/unit/golink.h"


#define RUNS  4000


static unsigned
next(unsigned *seed, unsigned n)
{
    *seed = *seed * 1103515245 + 12345;

    return (*seed >> 16) % n;
}


static void
build(unsigned *seed, const char *const *parts, size_t n, unsigned most,
    char *out, size_t size)
{
    size_t    len;
    unsigned  count;

    for (count = next(seed, most + 1); count > 0; count--) {
        len = strlen(out);
        snprintf(out + len, size - len, "%s", parts[next(seed, (unsigned) n)]);
    }
}


static const char *const  heads[] = {
    "http://own.example/", "https://own.example/", "/", "/x",
    "//own.example/", "http://own.example/?q=", "http://own.example/#",
    "http://own.example:{{.Path}}/", "http://own.example?", "{{.Path}}/"
};

static const char *const  actions[] = {
    "{{.Path}}", "{{PathEscape .Path}}", "{{QueryEscape .Path}}",
    "{{ToUpper .Path}}", "{{.Segment 1}}", "{{.Segment 2}}",
    "{{.Query \"q\"}}", "{{printf \"%q\" .Path}}", "{{print .Path .User}}",
    "{{with .Path}}/{{.}}{{end}}", "{{slice .Path 1}}", "/", "?a=", "#", "&b=",
    "{{TrimPrefix .Path \"/\"}}", "{{urlquery .Path 1}}", " ", "\xc3\xa9",
    "{{len .Path}}", "{{index .Path 0}}", "{{$x := .Path}}{{$x}}", ":", "%41",
    "@", "{{if Match `[/:@]` .Path}}{{.Path}}{{end}}"
};

static const char *const  bytes[] = {
    "/", "//", "\\", "@", ":", "?", "#", "%2F", "%5C", "%40", "%3A", "%3F",
    "%23", "%25", "%0D%0A", "%00", "%20", "%C3%A9", "%FF", "evil.com", "a",
    "80", ".", "..", "&", "=", "+", ";", "[", "]", "javascript:", "http://",
    "%09", "\"", "<", "{{", "'", "%E2%80%AE"
};


static void
check(const char *url, const char *location)
{
    size_t       i;
    const char  *p;

    for (i = 0; location[i] != '\0'; i++) {
        if (location[i] <= ' ' || location[i] > '~') {
            print_error("%s: %s\n", url, location);
            fail();
        }
    }

    p = location;

    if (strncmp(url, "http", 4) == 0) {
        p = strstr(location, "://");
        assert_non_null(p);
        assert_true(p - location <= 5);
        p++;
    }

    if (url[0] == 'h' || url[1] == '/') {
        p += 2;

        if (strncmp(p, "own.example", 11) != 0
            || strchr("/?#:", p[11]) == NULL)
        {
            print_error("%s: %s\n", url, location);
            fail();
        }

        /* behind a port comes a path */

        p += 11;

        if (*p == ':') {
            p += 1 + strspn(p + 1, "0123456789");
            assert_non_null(strchr("/?#", *p));
        }

        return;
    }

    if (location[0] != '/' || location[1] == '/' || location[1] == '\\') {
        print_error("%s: %s\n", url, location);
        fail();
    }
}


static void
test_property(void **state)
{
    int                 rc;
    char                url[512], rest[256], query[256], out[20000];
    size_t              i, good;
    unsigned            seed;
    tg_error_t          error;
    tg_link_request_t   request;

    (void) state;

    seed = 42;
    good = 0;

    for (i = 0; i < RUNS; i++) {
        rest[0] = '\0';
        memcpy(query, "q=", 3);
        snprintf(url, sizeof(url), "%s",
                 heads[next(&seed, NELTS(heads))]);

        build(&seed, actions, NELTS(actions), 4, url, sizeof(url));
        build(&seed, bytes, NELTS(bytes), 6, rest, sizeof(rest));
        build(&seed, bytes, NELTS(bytes), 4, query, sizeof(query));

        request = golink_request(rest, query, LOGIN);

        rc = golink_go(url, &request, NULL, out, sizeof(out), &error);

        if (rc == TG_OK) {
            assert_int_not_equal(url[0], '{');
            check(url, out);
            good++;
        }
    }

    /* most are links, or nothing was shown */

    assert_true(good > RUNS / 8);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_property),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
