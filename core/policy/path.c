
/*
 * Copyright (C) The Tailgate authors
 *
 * Request paths: what nginx makes of them (ngx_http_parse_complex_uri() of
 * nginx 1.22 to 1.26 with merge_slashes on), and which of them another program
 * may read differently.
 */

#include "core/policy/policy.h"

#include <string.h>


typedef enum {
    STATE_USUAL = 0,
    STATE_SLASH,               /* behind a slash */
    STATE_DOT,                 /* behind "/." */
    STATE_DOT_DOT              /* behind "/.." */
} state_t;

typedef struct {
    char     *out;
    size_t    len;
    state_t   state;
    bool      bad;
} cleaner_t;


/* The value of a hexadecimal digit, -1 for anything else. */

static int
hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c = tgi_lower(c);

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


/* The byte that "%xx" at i stands for, -1 if there is no such thing. */

static int
unescape(tg_str_t raw, size_t i)
{
    int  high, low;

    if (raw.len - i < 3) {
        return -1;
    }

    high = hex(raw.data[i + 1]);
    low = hex(raw.data[i + 2]);

    return (high < 0 || low < 0) ? -1 : high << 4 | low;
}


/* nginx refuses these in a request line, and in ":path". */

static bool
is_refused(char c)
{
    return (unsigned char) c <= 0x20 || (unsigned char) c == 0x7f;
}


/*
 * How much of raw nginx takes as it is: up to the first byte that may need
 * work.  What is refused, or ends the path, needs work.
 */

static size_t
span_plain(tg_str_t raw)
{
    char    c, last;
    size_t  i;

    last = '\0';

    for (i = 0; i < raw.len; i++) {
        c = raw.data[i];

        if (c > '?') {
            last = c;
            if (c == 0x7f) {
                break;
            }

            continue;
        }

        if (is_refused(c) || c == '%' || c == '#' || c == '?'
            || (last == '/' && (c == '/' || c == '.')))
        {
            break;
        }

        last = c;
    }

    return i;
}


/* Removes the last two segments of "/a/b/..": false above the root. */

static bool
go_up(cleaner_t *cleaner)
{
    size_t  len;

    /* "/.." itself, and the slash before it is a segment's end */

    if (cleaner->len < 4) {
        return false;
    }

    for (len = cleaner->len - 3; cleaner->out[len - 1] != '/'; len--) {
        /* the first byte is a slash */
    }

    cleaner->len = len;

    return true;
}


/* One byte, decoded: nginx takes "%2f" and "%2e" for what they stand for. */

static void
put(cleaner_t *cleaner, char c)
{
    switch (cleaner->state) {

    case STATE_SLASH:
        if (c == '/') {
            return;
        }

        cleaner->state = (c == '.') ? STATE_DOT : STATE_USUAL;
        break;

    case STATE_DOT:
        if (c == '/') {
            cleaner->len--;
            cleaner->state = STATE_SLASH;
            return;
        }

        cleaner->state = (c == '.') ? STATE_DOT_DOT : STATE_USUAL;
        break;

    case STATE_DOT_DOT:
        if (c == '/') {
            cleaner->bad |= !go_up(cleaner);
            cleaner->state = STATE_SLASH;
            return;
        }

        cleaner->state = STATE_USUAL;
        break;

    default:
        if (c == '/') {
            cleaner->state = STATE_SLASH;
        }
    }

    cleaner->out[cleaner->len++] = c;
}


/* The end of the path is the end of its last segment. */

static void
finish(cleaner_t *cleaner)
{
    if (cleaner->state == STATE_DOT) {
        cleaner->len--;

    } else if (cleaner->state == STATE_DOT_DOT) {
        cleaner->bad |= !go_up(cleaner);
    }
}


static int
clean(tg_str_t raw, char *out, size_t *len)
{
    int        c;
    size_t     i;
    cleaner_t  cleaner = { out, 0, STATE_USUAL, false };

    for (i = 0; i < raw.len && !cleaner.bad; i++) {
        c = (unsigned char) raw.data[i];

        if (is_refused(raw.data[i])) {
            return TG_ERR_SYNTAX;
        }

        if (c == '?' || c == '#') {
            break;
        }

        if (c == '%') {
            c = unescape(raw, i);

            if (c <= 0) {
                return TG_ERR_SYNTAX;
            }

            i += 2;
        }

        put(&cleaner, (char) c);
    }

    /* the rest has to be a request line still, though it is not used */

    for ( /* void */ ; i < raw.len; i++) {
        if (is_refused(raw.data[i])) {
            return TG_ERR_SYNTAX;
        }
    }

    finish(&cleaner);

    *len = cleaner.len;

    return cleaner.bad ? TG_ERR_SYNTAX : TG_OK;
}


int
tg_path_normalize(tg_str_t raw, const tg_alloc_t *alloc, tg_str_t *path)
{
    int     rc;
    char   *out;
    size_t  len;

    *path = (tg_str_t) TG_NULL_STR;

    if (raw.len == 0 || raw.data[0] != '/') {
        return TG_ERR_SYNTAX;
    }

    if (raw.len > TG_PATH_MAX) {
        return TG_ERR_LIMIT;
    }

    if (span_plain(raw) == raw.len) {
        *path = raw;
        return TG_OK;
    }

    out = tgi_alloc(alloc, raw.len, 1);
    if (out == NULL) {
        return TG_ERR_NOMEM;
    }

    rc = clean(raw, out, &len);
    if (rc != TG_OK) {
        return rc;
    }

    /* whatever is done to a path makes it shorter */

    if (len == raw.len) {
        *path = raw;

    } else {
        path->data = out;
        path->len = len;
    }

    return TG_OK;
}


/* What is decoded at i, and where the next one is. */

static int
next_byte(tg_str_t raw, size_t *i)
{
    int  c;

    if (*i >= raw.len) {
        return -1;
    }

    c = (unsigned char) raw.data[*i];

    if (c == '%') {
        c = unescape(raw, *i);

        if (c >= 0) {
            *i += 3;
            return c;
        }

        c = '%';
    }

    *i += 1;

    return c;
}


/* Whether what begins at i is, once decoded, an escape again. */

static bool
is_escape(tg_str_t raw, size_t i)
{
    int  n, c;

    for (n = 0; n < 2; n++) {
        c = next_byte(raw, &i);

        if (c < 0 || hex((char) c) < 0) {
            return false;
        }
    }

    return true;
}


/* Whether the segment that begins at i is "." or "..". */

static bool
is_dot_segment(tg_str_t raw, size_t i)
{
    int  n, c;

    for (n = 0; n < 3; n++) {
        c = next_byte(raw, &i);

        if (c != '.') {
            return n > 0 && (c < 0 || c == '/' || c == '?');
        }
    }

    return false;
}


/* The byte c that was read at i, the next one being at next. */

static const char *
judge_byte(tg_str_t raw, size_t i, size_t next, int c)
{
    bool  encoded;

    encoded = next - i > 1;

    switch (c) {

    case '\0':
        return "the path holds a NUL";

    case '#':
        return "the path holds a \"#\"";

    case ';':
        return "the path holds a \";\"";

    case '\\':
        return "the path holds a backslash";

    case '/':
        return encoded ? "the path holds an encoded slash" : NULL;

    case '.':
        return (i == 0 || raw.data[i - 1] == '/') && is_dot_segment(raw, i)
               ? "the path holds a dot segment" : NULL;

    case '%':
        return encoded && is_escape(raw, next)
               ? "the path is percent-encoded twice" : NULL;

    default:
        return NULL;
    }
}


const char *
tg_path_ambiguity(tg_str_t raw)
{
    int          c;
    size_t       i, next;
    const char  *text;

    /* what may be ambiguous, or is the beginning of it */

    static const bool  marked[256] = {
        ['\0'] = true, ['#'] = true, ['%'] = true, ['.'] = true,
        [';'] = true, ['?'] = true, ['\\'] = true
    };

    for (i = 0; i < raw.len; i = next) {
        next = i + 1;

        if (!marked[(unsigned char) raw.data[i]]) {
            continue;
        }

        if (raw.data[i] == '?') {
            break;
        }

        next = i;
        c = next_byte(raw, &next);
        text = judge_byte(raw, i, next, c);

        if (text != NULL) {
            return text;
        }
    }

    return NULL;
}


/* How a byte can be something else than itself. */

#define NEVER   1              /* it may, wherever it stands */
#define BEHIND  2              /* behind a slash */

static const unsigned char  suspects[256] = {
    [0x00] = NEVER, [0x01] = NEVER, [0x02] = NEVER, [0x03] = NEVER,
    [0x04] = NEVER, [0x05] = NEVER, [0x06] = NEVER, [0x07] = NEVER,
    [0x08] = NEVER, [0x09] = NEVER, [0x0a] = NEVER, [0x0b] = NEVER,
    [0x0c] = NEVER, [0x0d] = NEVER, [0x0e] = NEVER, [0x0f] = NEVER,
    [0x10] = NEVER, [0x11] = NEVER, [0x12] = NEVER, [0x13] = NEVER,
    [0x14] = NEVER, [0x15] = NEVER, [0x16] = NEVER, [0x17] = NEVER,
    [0x18] = NEVER, [0x19] = NEVER, [0x1a] = NEVER, [0x1b] = NEVER,
    [0x1c] = NEVER, [0x1d] = NEVER, [0x1e] = NEVER, [0x1f] = NEVER,
    [' '] = NEVER, ['#'] = NEVER, ['%'] = NEVER, [';'] = NEVER,
    ['?'] = NEVER, ['\\'] = NEVER, [0x7f] = NEVER,
    ['/'] = BEHIND, ['.'] = BEHIND
};


bool
tg_path_is_plain(tg_str_t raw)
{
    return raw.len != 0 && tg_path_plain(raw) == raw.len;
}


TGI_NO_SECRETS size_t
tg_path_plain(tg_str_t raw)
{
    size_t                len;
    unsigned char         suspect;
    const unsigned char  *p, *last, *end;

    if (raw.len == 0 || raw.data[0] != '/') {
        return 0;
    }

    p = (const unsigned char *) raw.data + 1;
    end = p + (raw.len - 1);

    /* two at once, as most of a path is letters; then one by one */

    for (last = end - 1; p < last; p += 2) {

        suspect = suspects[p[0]] | suspects[p[1]];

        if (suspect != 0
            && (suspect != BEHIND || p[-1] == '/' || p[0] == '/'))
        {
            break;
        }
    }

    for ( /* void */ ; p < end; p++) {

        suspect = suspects[*p];

        if (suspect != 0 && (suspect == NEVER || p[-1] == '/')) {
            break;
        }
    }

    len = raw.len - (size_t) (end - p);

    return len <= TG_PATH_MAX ? len : 0;
}
