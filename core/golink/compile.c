
/*
 * Copyright (C) The Tailgate authors
 *
 * Links at save: a template becomes one block of memory, and is tried on
 * visitors that are made up.
 */

#include "core/golink/program.h"

#include "core/base/base.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>


#define COMPILE_ARENA_MAX  (4 * 1024 * 1024)

/* What compiling takes besides the program. */

typedef struct {
    tg_str_t                 url;
    const tg_link_limits_t  *limits;
    tg_arena_t              *arena;
    tg_error_t              *error;
    link_tree_t              tree;
    tgi_link_pattern_t      *codes[LINK_PATTERNS_MAX];
    size_t                   sizes[LINK_PATTERNS_MAX];
} link_compile_t;


static int
no_memory(tg_error_t *error)
{
    return tgi_error(error, TG_ERR_NOMEM, "%s", tg_strerror(TG_ERR_NOMEM));
}


static size_t
aligned(size_t n)
{
    return (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}


/*
 * Control characters and invalid UTF-8 are nothing that a URL can hold; the
 * actions of a template may stand on lines of their own.
 */

static int
check_text(tg_str_t url, bool template, tg_error_t *error)
{
    size_t    i, n;
    uint32_t  c;

    for (i = 0; i < url.len; i += n) {
        n = tgi_utf8_char(url.data + i, url.len - i, &c);

        if (n == 0) {
            return tgi_error(error, TG_LINK_BYTES, "byte %zu is not UTF-8",
                             i + 1);
        }

        if (tgi_is_control(c)
            && !(template && (c == '\t' || c == '\n' || c == '\r')))
        {
            return tgi_error(error, TG_LINK_BYTES,
                             "byte %zu is a control character", i + 1);
        }
    }

    return TG_OK;
}


static tg_str_t
tree_text(const link_tree_t *tree, uint32_t index)
{
    tg_str_t  text;

    text.data = tree->text + tree->nodes[index].u.text.offset;
    text.len = tree->nodes[index].u.text.len;

    return text;
}


static int
compile_patterns(link_compile_t *c)
{
    int     rc;
    size_t  i;

    for (i = 0; i < c->tree.npatterns; i++) {
        rc = tgi_link_pattern_compile(tree_text(&c->tree, c->tree.patterns[i]),
                                      c->limits, &c->codes[i], &c->sizes[i],
                                      c->error);
        if (rc != TG_OK) {
            return rc == TG_ERR_NOMEM ? no_memory(c->error)
                   : tgi_link_at(c->error, c->url,
                                 c->tree.nodes[c->tree.patterns[i]].pos, rc);
        }
    }

    return TG_OK;
}


/* Moves the parts of the tree into one block, each aligned for anything. */

static int
assemble(link_compile_t *c, const tg_alloc_t *alloc, tg_link_t **link)
{
    char         *place, *text;
    size_t        i, size, nodes, taken, patterns;
    tg_str_t     *names;
    tg_link_t    *l;

    nodes = aligned(c->tree.nnodes * sizeof(link_node_t));
    taken = aligned(c->tree.ntaken * sizeof(tg_str_t));
    patterns = aligned(c->tree.npatterns * sizeof(void *));

    size = aligned(sizeof(tg_link_t)) + nodes + taken + patterns
           + aligned(c->tree.text_len);

    for (i = 0; i < c->tree.npatterns; i++) {
        size += aligned(c->sizes[i]);
    }

    place = tgi_alloc(alloc, size, 1);
    if (place == NULL) {
        return no_memory(c->error);
    }

    l = (tg_link_t *) (void *) place;
    memset(l, 0, sizeof(tg_link_t));

    l->size = size;
    l->flags = c->tree.flags;
    l->nvars = c->tree.nvars;
    l->root = c->tree.root;
    l->ntaken = c->tree.ntaken;

    place += aligned(sizeof(tg_link_t));
    l->nodes = memcpy(place, c->tree.nodes,
                      c->tree.nnodes * sizeof(link_node_t));

    place += nodes;
    names = (tg_str_t *) (void *) place;
    l->taken = names;

    place += taken;
    l->patterns = (void **) (void *) place;

    place += patterns;
    text = place;
    memcpy(text, c->tree.text, c->tree.text_len);
    l->text = text;

    for (i = 0; i < c->tree.ntaken; i++) {
        names[i] = tree_text(&c->tree, c->tree.taken[i]);
        names[i].data = text + (names[i].data - c->tree.text);
    }

    place += aligned(c->tree.text_len);

    for (i = 0; i < c->tree.npatterns; i++) {
        l->patterns[i] = tgi_link_pattern_place(c->codes[i], place);
        place += aligned(c->sizes[i]);
    }

    *link = l;

    return TG_OK;
}


static int
compile_template(link_compile_t *c, const tg_alloc_t *alloc, tg_link_t **link)
{
    int     rc;
    size_t  i;

    /* "(" makes two, of a pipeline and its command */

    c->tree.nodes_max = c->url.len * 2 + 8;
    c->tree.nodes = tg_arena_alloc(c->arena,
                                   c->tree.nodes_max * sizeof(link_node_t));
    c->tree.text = tg_arena_alloc(c->arena, c->url.len);

    if (c->tree.nodes == NULL || c->tree.text == NULL) {
        return no_memory(c->error);
    }

    rc = tgi_link_parse(c->url, c->limits, &c->tree, c->error);

    if (rc == TG_OK) {
        rc = compile_patterns(c);
    }

    if (rc == TG_OK) {
        rc = assemble(c, alloc, link);
    }

    for (i = 0; i < c->tree.npatterns; i++) {
        tgi_link_pattern_free(c->codes[i]);
    }

    return rc;
}


/* One that has a value for each name that the link asks for. */

static tg_str_t
try_query(const link_compile_t *c, const tg_link_t *link)
{
    char      *p;
    size_t     i, k, len;
    tg_str_t   name, query = TG_NULL_STR;

    if (link == NULL || link->ntaken == 0) {
        return query;
    }

    len = 0;

    for (i = 0; i < link->ntaken; i++) {
        len += link->taken[i].len * 3 + 3;
    }

    p = tg_arena_alloc(c->arena, len);

    if (p == NULL) {
        return query;
    }

    for (i = 0, len = 0; i < link->ntaken; i++) {
        name = link->taken[i];

        for (k = 0; k < name.len; k++, len += 3) {
            tgi_link_put_escape(p + len, (unsigned char) name.data[k]);
        }

        memcpy(p + len, "=1&", 3);
        len += 3;
    }

    query.data = p;
    query.len = len;

    return query;
}


/*
 * Visitors that are made up.  An alarm is what may never happen: a scheme that
 * is not allowed, a host that the visitor chose, a type that does not fit.  A
 * text that is no URL may be so for this visitor only, a template that fails
 * or prints nothing too.
 */

static int
try_link(const link_compile_t *c, const tg_link_t *link)
{
    int                rc, first;
    bool               works;
    size_t             i;
    tg_str_t           location;
    tg_error_t         scratch;
    tg_alloc_t         alloc;
    tg_link_request_t  request;

    static const tg_str_t  rests[] = {
        TG_NULL_STR, TG_STR("x"), TG_STR("12"), TG_STR("BUG-123"),
        TG_STR("/a/b/c/d/e/f/g/h"), TG_STR("http://x%2Fy"), TG_STR("x")
    };

    const size_t  last = sizeof(rests) / sizeof(rests[0]) - 1;

    first = TG_OK;
    works = false;
    alloc = tg_arena_allocator(c->arena);

    memset(&request, 0, sizeof(tg_link_request_t));
    request.user = (tg_str_t) TG_STR("user@example.com");
    request.now = 1654131723;

    for (i = 0; i <= last; i++) {
        request.rest = rests[i];

        if (i == last) {
            request.query = try_query(c, link);

            if (request.query.len == 0) {
                break;
            }
        }

        rc = tgi_link_expand(link, c->url, &request, c->limits, &alloc,
                            &location, first == TG_OK ? c->error : &scratch);

        switch (rc) {

        case TG_OK:
        case TG_LINK_EMPTY:
        case TG_LINK_FAILED:
            works = works || link != NULL || rc == TG_OK;
            break;

        case TG_LINK_BAD_URL:
            first = rc;
            break;

        default:
            if (first != TG_OK && c->error != NULL) {
                *c->error = scratch;
            }

            return rc;
        }
    }

    if (works) {
        return TG_OK;
    }

    return first != TG_OK ? first
           : tgi_error(c->error, TG_LINK_EMPTY, "the link leads nowhere");
}


int
tg_link_compile(tg_str_t url, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_link_t **link, tg_error_t *error)
{
    int              rc;
    bool             template;
    tg_link_t       *made;
    tg_alloc_t       own;
    tg_error_t       unused;
    link_compile_t   c;

    *link = NULL;
    made = NULL;

    memset(&c, 0, sizeof(link_compile_t));

    c.url = url;
    c.limits = limits != NULL ? limits : tg_link_limits_default();
    c.error = error != NULL ? error : &unused;

    memset(c.error, 0, sizeof(tg_error_t));

    if (url.len == 0) {
        return tgi_error(error, TG_ERR_MISSING, "a link needs a URL");
    }

    if (url.len > c.limits->url_max) {
        return tgi_error(error, TG_ERR_LIMIT,
                         "a URL may have %zu bytes, this one has %zu",
                         c.limits->url_max, url.len);
    }

    template = memmem(url.data, url.len, "{{", 2) != NULL;

    rc = check_text(url, template, c.error);
    if (rc != TG_OK) {
        return rc;
    }

    c.arena = tg_arena_new(COMPILE_ARENA_MAX);
    if (c.arena == NULL) {
        return no_memory(error);
    }

    if (template) {
        own = alloc != NULL ? *alloc : tg_arena_allocator(c.arena);
        rc = compile_template(&c, &own, &made);
    }

    if (rc == TG_OK) {
        rc = try_link(&c, made);
    }

    if (rc == TG_OK) {
        memset(c.error, 0, sizeof(tg_error_t));
        *link = alloc != NULL ? made : NULL;
    }

    tg_arena_free(&c.arena);

    return rc;
}
