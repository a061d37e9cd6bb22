
/*
 * Copyright (C) The Tailgate authors
 *
 * Requests for links.  The first line of the input is the path, the second the
 * query, the third the login: whatever they are, a visitor comes to the host
 * of the link.
 */

#include <tailgate/golink.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define NLINKS  13

static const struct {
    const char  *url;
    const char  *head;
} links[NLINKS] = {
    { "http://h.com", "http://h.com" },
    { "http://h.com/foo%2f/", "http://h.com/" },
    { "https://h.com/s?q=", "https://h.com/" },
    { "https://h.com/#/app", "https://h.com/" },
    { "/", "/" },
    { "/{{.Path}}", "/" },
    { "http://h.com/{{.Path}}?a={{.Path}}#{{.Path}}", "http://h.com/" },
    { "http://h.com/{{ToUpper .Path | print 1}}", "http://h.com/" },
    { "http://h.com/{{PathEscape .Path}}?{{QueryEscape .Path}}",
      "http://h.com/" },
    { "http://h.com/{{.Segment 2}}/{{.Query \"q\"}}?x={{.Query \"q\"}}",
      "http://h.com/" },
    { "http://h.com/{{slice .Path 1}}{{.User}}?{{printf \"%q\" .Path}}",
      "http://h.com/" },
    { "http://h.com:{{.Path}}/", "http://h.com:" },
    { "http://h.com/{{if Match `^(a|b)*$` .Path}}x{{else if Match .Path `a`}}"
      "{{.Path}}{{end}}", "http://h.com/" }
};


static tg_str_t
line(const uint8_t **data, size_t *size)
{
    size_t          n;
    tg_str_t        text;
    const uint8_t  *p;

    p = *size > 0 ? memchr(*data, '\n', *size) : NULL;
    n = p != NULL ? (size_t) (p - *data) : *size;

    text.data = (const char *) *data;
    text.len = n;

    n += p != NULL ? 1 : 0;
    *data += n;
    *size -= n;

    return text;
}


static void
check(tg_str_t location, const char *head)
{
    size_t  i, len;

    len = strlen(head);

    if (location.len < len || memcmp(location.data, head, len) != 0) {
        abort();
    }

    for (i = 0; i < location.len; i++) {
        if (location.data[i] <= ' ' || location.data[i] > '~') {
            abort();
        }
    }

    /* "//" would be a host; behind a port comes a path */

    if (len == 1 && location.len > 1
        && (location.data[1] == '/' || location.data[1] == '\\'))
    {
        abort();
    }

    if (head[len - 1] == ':' || len == sizeof("http://h.com") - 1) {
        for (i = len; i < location.len && location.data[i] >= '0'
                      && location.data[i] <= '9'; i++)
        {
            /* void */
        }

        if (i < location.len && strchr("/?#", location.data[i]) == NULL) {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                buf[TG_LINK_NAME_MAX + 1];
    size_t              i;
    tg_str_t            url, path, location;
    tg_link_t          *link;
    tg_alloc_t          alloc;
    tg_arena_t         *arena;
    tg_link_hop_t       hop;
    tg_link_path_t      parts;
    tg_link_request_t   request;

    static const tg_str_t  hosts[] = { TG_STR("h.com") };

    memset(&request, 0, sizeof(tg_link_request_t));

    path = line(&data, &size);
    request.query = line(&data, &size);
    request.user = line(&data, &size);

    if (tg_link_split(path, buf, &parts) == TG_OK) {
        request.rest = parts.rest;

    } else {
        request.rest = path;
    }

    for (i = 0; i < NLINKS; i++) {
        arena = tg_arena_new(8 * 1024 * 1024);
        if (arena == NULL) {
            return 0;
        }

        alloc = tg_arena_allocator(arena);

        url.data = links[i].url;
        url.len = strlen(links[i].url);

        if (tg_link_compile(url, NULL, &alloc, &link, NULL) != TG_OK) {
            abort();
        }

        if (tg_link_expand(link, url, &request, NULL, &alloc, &location, NULL)
            == TG_OK)
        {
            check(location, links[i].head);
            (void) tg_link_hop(location, hosts, 1, &hop);
        }

        tg_arena_free(&arena);
    }

    return 0;
}
