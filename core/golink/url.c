
/*
 * Copyright (C) The Tailgate authors
 *
 * The value of Location: what Go's url.Parse() and String() make of a text,
 * but that only the author's bytes are punctuation.
 */

#include "core/golink/golink.h"

#include "core/base/base.h"
#include "core/golink/authority.h"

#include <string.h>


typedef struct {
    const tgi_link_text_t  *text;
    char                   *out;
    size_t                  len;
    tg_error_t             *error;
} link_url_t;


static inline uint8_t
mark_at(const tgi_link_text_t *text, size_t i)
{
    return text->marks != NULL ? text->marks[i] : text->mark;
}


/* Whether this byte means what it says: the author's, or escaped before. */

static inline bool
is_text(uint8_t mark)
{
    return mark == LINK_AUTHOR || mark == LINK_DONE;
}


/* The first of the author's c, or the end. */

static size_t
find(const tgi_link_text_t *text, size_t i, size_t end, char c)
{
    const char  *p;

    while (i < end) {
        p = memchr(text->data + i, c, end - i);
        if (p == NULL) {
            break;
        }

        i = (size_t) (p - text->data);

        if (mark_at(text, i) == LINK_AUTHOR) {
            return i;
        }

        i++;
    }

    return end;
}


static int
escape_at(const tgi_link_text_t *text, size_t i, size_t end)
{
    tg_str_t  view;

    view.data = text->data;
    view.len = end;

    return tgi_link_escape(view, i);
}


static void
put(link_url_t *u, const char *data, size_t len)
{
    memcpy(u->out + u->len, data, len);
    u->len += len;
}


static void
put_escape(link_url_t *u, char c)
{
    tgi_link_put_escape(u->out + u->len, (unsigned char) c);
    u->len += 3;
}


/* A byte of data that would be read as punctuation of a path (or fragment). */

static bool
is_live(char c, uint8_t mark, bool fragment)
{
    return c == '%' || c == '#' || (c == '?' && !fragment)
           || (mark != LINK_SENT && (c == '/' || c == '?'));
}


/*
 * Whether nothing has to be escaped but what is_live(): Go then leaves a path
 * as it is written, else it escapes more than it has to.  TG_OK, TG_ERR_ABSENT
 * if not, or TG_LINK_BAD_URL.
 */

static int
check_part(link_url_t *u, size_t from, size_t to, bool fragment)
{
    int      rc;
    char     c;
    size_t   i;
    uint8_t  ok;

    rc = TG_OK;
    ok = fragment ? LINK_FRAG_OK : LINK_PATH_OK;

    for (i = from; i < to; i++) {
        c = u->text->data[i];

        if (tgi_link_chars[(unsigned char) c] & ok) {
            continue;
        }

        if (!is_text(mark_at(u->text, i))) {
            if (!is_live(c, mark_at(u->text, i), fragment)) {
                rc = TG_ERR_ABSENT;
            }

            continue;
        }

        if (c != '%') {
            rc = TG_ERR_ABSENT;
            continue;
        }

        if (escape_at(u->text, i, to) < 0) {
            return tgi_error(u->error, TG_LINK_BAD_URL,
                             "it has a \"%%\" without two hexadecimal digits"
                             " behind it");
        }

        i += 2;
    }

    return rc;
}


/* An escape that is written out, where Go escapes anew. */

static void
put_written(link_url_t *u, size_t i, uint8_t literal)
{
    int            c;
    const uint8_t  *chars;

    chars = tgi_link_chars;
    c = escape_at(u->text, i, i + 3);

    if (chars[c] & LINK_UNRESERVED) {
        u->out[u->len++] = (char) c;

    } else if (chars[c] & literal) {
        /* "%2F" is not "/" */
        put(u, u->text->data + i, 3);

    } else {
        put_escape(u, (char) c);
    }
}


static int
put_part(link_url_t *u, size_t from, size_t to, bool fragment)
{
    int      rc;
    char     c;
    size_t   i;
    uint8_t  mark, literal;

    rc = check_part(u, from, to, fragment);
    if (rc != TG_OK && rc != TG_ERR_ABSENT) {
        return rc;
    }

    if (rc == TG_OK && u->text->marks == NULL && is_text(u->text->mark)) {
        put(u, u->text->data + from, to - from);
        return TG_OK;
    }

    literal = fragment ? (rc == TG_OK ? LINK_FRAG_OK : LINK_FRAG)
                       : (rc == TG_OK ? LINK_PATH_OK : LINK_PATH);

    for (i = from; i < to; i++) {
        c = u->text->data[i];
        mark = mark_at(u->text, i);

        if (is_text(mark) && c == '%') {
            if (rc == TG_OK) {
                put(u, u->text->data + i, 3);

            } else {
                put_written(u, i, literal);
            }

            i += 2;

        } else if ((tgi_link_chars[(unsigned char) c] & literal)
                   && (is_text(mark) || !is_live(c, mark, fragment)))
        {
            u->out[u->len++] = c;

        } else {
            put_escape(u, c);
        }
    }

    return TG_OK;
}


/* The author's query stays as it is, but for what no URL can hold. */

static void
put_query(link_url_t *u, size_t from, size_t to)
{
    char      c;
    bool      unsafe;
    size_t    i;
    uint8_t   mark;

    for (i = from; i < to; i++) {
        c = u->text->data[i];
        mark = mark_at(u->text, i);

        unsafe = c <= ' ' || c > '~';

        if (mark != LINK_AUTHOR && c == '&') {
            unsafe = true;
        }

        if (!is_text(mark)) {
            unsafe = unsafe || strchr("%#;\"<>\\^`{|}", c) != NULL
                     || (mark != LINK_SENT && strchr("+/?", c) != NULL);
        }

        if (unsafe) {
            put_escape(u, c);

        } else {
            u->out[u->len++] = c;
        }
    }
}


static bool
is_taken(tg_str_t pair, const tg_str_t *taken, size_t ntaken)
{
    size_t  i;

    for (i = 0; i < ntaken; i++) {
        if (tgi_link_query_is(pair, taken[i])) {
            return true;
        }
    }

    return false;
}


/* The query of the request, pair by pair, as it was sent. */

static int
put_sent(link_url_t *u, tg_str_t query, const tg_str_t *taken, size_t ntaken,
    bool own)
{
    char         c;
    size_t       i, n;
    tg_str_t     pair;
    const char  *p;

    for ( /* void */ ; query.len > 0; query.data += n, query.len -= n) {
        p = memchr(query.data, '&', query.len);

        pair.data = query.data;
        pair.len = p != NULL ? (size_t) (p - query.data) : query.len;
        n = pair.len + (p != NULL ? 1 : 0);

        if (pair.len == 0 || is_taken(pair, taken, ntaken)) {
            continue;
        }

        if (!own) {
            u->out[u->len++] = '?';
            own = true;

        } else if (u->out[u->len - 1] != '&' && u->out[u->len - 1] != '?') {
            u->out[u->len++] = '&';
        }

        for (i = 0; i < pair.len; i++) {
            c = pair.data[i];

            if (c >= 0 && (c < ' ' || c == 0x7f)) {
                return tgi_error(u->error, TG_LINK_BYTES,
                                 "the query has a control character");
            }

            if (c <= ' ' || strchr("\"<>#", c) != NULL
                || (c == '%' && tgi_link_escape(pair, i) < 0))
            {
                put_escape(u, c);

            } else {
                u->out[u->len++] = c;
            }
        }
    }

    return TG_OK;
}


/* Everything up to the path; *path is where that begins. */

static int
put_head(link_url_t *u, size_t end, const tg_link_limits_t *limits,
    size_t *path)
{
    int               rc;
    link_authority_t  head;

    rc = tgi_link_head(u->text, end, limits, &head, u->error);
    if (rc != TG_OK) {
        return rc;
    }

    u->len = tgi_link_put_head(u->text, &head, u->out);
    *path = head.path;

    /* a path of ours, not the host of "//host" */

    if (head.escaped) {
        put(u, "/%2F", 4);
        *path = 2;
    }

    /* all that follows the scheme of mailto: and its like */

    if (head.opaque) {
        put_query(u, head.path, end);
        *path = end;
    }

    return TG_OK;
}


static int
put_all(link_url_t *u, tg_str_t query, const tg_str_t *taken, size_t ntaken,
    const tg_link_limits_t *limits)
{
    int     rc;
    size_t  fragment, own, path;

    fragment = find(u->text, 0, u->text->len, '#');
    own = find(u->text, 0, fragment, '?');

    rc = put_head(u, own, limits, &path);
    if (rc != TG_OK || (rc = put_part(u, path, own, false)) != TG_OK) {
        return rc;
    }

    if (own < fragment) {
        u->out[u->len++] = '?';
        put_query(u, own + 1, fragment);
    }

    if (query.len > 0) {
        rc = put_sent(u, query, taken, ntaken, own < fragment);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (fragment + 1 < u->text->len) {
        u->out[u->len++] = '#';

        return put_part(u, fragment + 1, u->text->len, true);
    }

    return TG_OK;
}


int
tgi_link_url(const tgi_link_text_t *text, tg_str_t query,
    const tg_str_t *taken, size_t ntaken, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_str_t *location, tg_error_t *error)
{
    int         rc;
    link_url_t  u;

    *location = (tg_str_t) TG_NULL_STR;

    if (text->len == 0) {
        return tgi_error(error, TG_LINK_EMPTY, "the link expands to nothing");
    }

    if (text->len > limits->output_max || query.len > limits->output_max) {
        return tgi_error(error, TG_LINK_OUTPUT, "it is longer than %zu bytes",
                         limits->output_max);
    }

    if (tgi_text_check(text->data, text->len) != TG_OK) {
        return tgi_error(error, TG_LINK_BAD_URL,
                         "it has a control character, or is not UTF-8");
    }

    u.text = text;
    u.len = 0;
    u.error = error;

    /* each byte may be escaped, and a few are added between the parts */

    u.out = tgi_alloc(alloc, text->len + query.len + 4, 3);
    if (u.out == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "%s", tg_strerror(TG_ERR_NOMEM));
    }

    rc = put_all(&u, query, taken, ntaken, limits);
    if (rc != TG_OK) {
        return rc;
    }

    if (u.len == 0) {
        return tgi_error(error, TG_LINK_EMPTY, "the link expands to nothing");
    }

    if (u.len > limits->output_max) {
        return tgi_error(error, TG_LINK_OUTPUT, "it is longer than %zu bytes",
                         limits->output_max);
    }

    location->data = u.out;
    location->len = u.len;

    return TG_OK;
}
