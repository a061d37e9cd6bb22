
/*
 * Copyright (C) The Tailgate authors
 *
 * The headers of tailscale serve.  It sends a value that is printable ASCII as
 * it is and any other one whole as RFC 2047 words (Go's mime.QEncoding), never
 * a mix of both.
 */

#include "core/identity/identity.h"

#include "core/base/base.h"

#include <string.h>


#define LOGIN_HEADER     "Tailscale-User-Login"

#define SERVE_VALUE_MAX  16384 /* a long name, encoded */


typedef struct {
    const char  *p;
    const char  *end;
    char        *out;
    size_t       len;          /* never more than what has been read */
} words_t;


static bool
accept_nocase(words_t *words, const char *text)
{
    tg_str_t  want = { text, strlen(text) };
    tg_str_t  have = { words->p, want.len };

    if ((size_t) (words->end - words->p) < want.len
        || !tgi_str_equal_nocase(have, want))
    {
        return false;
    }

    words->p += want.len;

    return true;
}


static int
hex_digit(char c)
{
    c = tgi_lower(c);

    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/* RFC 2047 4.2 */

static int
decode_q(words_t *words, const char *text, size_t len)
{
    int     high, low;
    size_t  i;

    for (i = 0; i < len; i++) {

        if (text[i] == '_') {
            words->out[words->len++] = ' ';
            continue;
        }

        if (text[i] != '=') {
            words->out[words->len++] = text[i];
            continue;
        }

        if (len - i < 3) {
            return TG_ERR_SYNTAX;
        }

        high = hex_digit(text[i + 1]);
        low = hex_digit(text[i + 2]);

        if (high < 0 || low < 0) {
            return TG_ERR_SYNTAX;
        }

        words->out[words->len++] = (char) (high << 4 | low);
        i += 2;
    }

    return TG_OK;
}


static int
base64_digit(char c)
{
    static const char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    const char  *p;

    p = memchr(alphabet, c, sizeof(alphabet) - 1);

    return p != NULL ? (int) (p - alphabet) : -1;
}


/* RFC 4648 4, with padding and without anything else */

static int
decode_b(words_t *words, const char *text, size_t len)
{
    int       digit;
    size_t    i, j, n;
    uint32_t  bits;

    if (len % 4 != 0) {
        return TG_ERR_SYNTAX;
    }

    for (i = 0; i < len; i += 4) {

        n = 4;

        if (i + 4 == len) {
            n -= text[i + 3] == '=';
            n -= n == 3 && text[i + 2] == '=';
        }

        for (j = 0, bits = 0; j < 4; j++) {
            digit = j < n ? base64_digit(text[i + j]) : 0;

            if (digit < 0) {
                return TG_ERR_SYNTAX;
            }

            bits = bits << 6 | (uint32_t) digit;
        }

        for (j = 0; j + 1 < n; j++) {
            words->out[words->len++] = (char) (bits >> (16 - 8 * j) & 0xff);
        }
    }

    return TG_OK;
}


/* One "=?utf-8?q?...?=". */

static int
decode_word(words_t *words)
{
    bool         q;
    size_t       len;
    const char  *text, *mark;

    if (accept_nocase(words, "=?utf-8?q?")) {
        q = true;

    } else if (accept_nocase(words, "=?utf-8?b?")) {
        q = false;

    } else {
        return TG_ERR_SYNTAX;
    }

    text = words->p;
    mark = memchr(text, '?', (size_t) (words->end - text));

    if (mark == NULL) {
        return TG_ERR_SYNTAX;
    }

    len = (size_t) (mark - text);
    words->p = mark;

    if (!accept_nocase(words, "?=")) {
        return TG_ERR_SYNTAX;
    }

    return q ? decode_q(words, text, len) : decode_b(words, text, len);
}


/* Words with blanks between them, which are not part of the text. */

static int
decode_words(tg_str_t in, const tg_alloc_t *alloc, tg_str_t *out)
{
    int      rc;
    words_t  words = { in.data, in.data + in.len, NULL, 0 };

    words.out = tgi_alloc(alloc, in.len, 1);
    if (words.out == NULL) {
        return TG_ERR_NOMEM;
    }

    for ( ;; ) {
        rc = decode_word(&words);

        if (rc != TG_OK) {
            return rc;
        }

        if (words.p == words.end) {
            break;
        }

        if (*words.p != ' ') {
            return TG_ERR_SYNTAX;
        }

        while (words.p != words.end && *words.p == ' ') {
            words.p++;
        }
    }

    out->data = words.out;
    out->len = words.len;

    return TG_OK;
}


static bool
is_ascii(tg_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if ((unsigned char) text.data[i] >= 0x80) {
            return false;
        }
    }

    return true;
}


/* A value that serve encodes if it has to. */

static int
decode_value(tg_str_t in, const char *header, const tg_alloc_t *alloc,
    tg_str_t *out, tg_error_t *error)
{
    int  rc;

    if (in.len < 2 || memcmp(in.data, "=?", 2) != 0) {
        *out = in;
        return TG_OK;
    }

    if (in.len > SERVE_VALUE_MAX) {
        return tgi_error(error, TG_ERR_LIMIT, "%s is over %d bytes", header,
                         SERVE_VALUE_MAX);
    }

    rc = decode_words(in, alloc, out);

    if (rc == TG_ERR_NOMEM) {
        return tgi_error(error, rc, "out of memory");
    }

    if (rc != TG_OK) {
        return tgi_error(error, rc, "%s is not RFC 2047 in UTF-8", header);
    }

    /*
     * serve does not encode ASCII: such words are a person's real login or
     * name, made to be read as somebody else's.
     */

    if (is_ascii(*out)) {
        return tgi_error(error, TG_ERR_REFUSED, "%s encodes plain ASCII",
                         header);
    }

    return TG_OK;
}


/* What comes out has to be text, and is copied. */

static int
copy_value(tg_str_t in, const char *header, size_t max,
    const tg_alloc_t *alloc, tg_str_t *out, tg_error_t *error)
{
    int  rc;

    if (in.len > max) {
        return tgi_error(error, TG_ERR_LIMIT, "%s is over %zu bytes", header,
                         max);
    }

    rc = tgi_text_check(in.data, in.len);

    if (rc == TG_ERR_SYNTAX) {
        return tgi_error(error, rc, "%s is not UTF-8", header);
    }

    if (rc == TG_ERR_REFUSED) {
        return tgi_error(error, rc, "%s holds a control character", header);
    }

    if (tgi_str_copy(out, in.data, in.len, alloc) != TG_OK) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    return TG_OK;
}


static int
read_value(tg_str_t in, const char *header, size_t max,
    const tg_alloc_t *alloc, tg_str_t *out, tg_error_t *error)
{
    int       rc;
    tg_str_t  decoded = TG_NULL_STR;

    rc = decode_value(in, header, alloc, &decoded, error);

    if (rc != TG_OK) {
        return rc;
    }

    return copy_value(decoded, header, max, alloc, out, error);
}


int
tg_identity_from_serve(tg_str_t login, tg_str_t name, tg_str_t picture,
    const tg_self_t *self, const tg_alloc_t *alloc, tg_identity_t *identity,
    tg_error_t *error)
{
    int       rc;
    tg_str_t  tailnet = TG_NULL_STR;

    memset(identity, 0, sizeof(tg_identity_t));

    if (error != NULL) {
        memset(error, 0, sizeof(tg_error_t));
    }

    rc = read_value(login, LOGIN_HEADER, SERVE_VALUE_MAX, alloc,
                    &identity->login, error);
    if (rc != TG_OK) {
        goto failed;
    }

    rc = read_value(name, "Tailscale-User-Name", TG_NAME_MAX, alloc,
                    &identity->name, error);
    if (rc != TG_OK) {
        goto failed;
    }

    /* the one that serve sends as it is */

    rc = copy_value(picture, "Tailscale-User-Profile-Pic", TG_URL_MAX, alloc,
                    &identity->picture, error);
    if (rc != TG_OK) {
        goto failed;
    }

    rc = tgi_login_check(identity, LOGIN_HEADER, error);
    if (rc != TG_OK) {
        goto failed;
    }

    if (self != NULL) {
        tailnet = self->tailnet;
    }

    rc = tgi_str_copy(&identity->tailnet, tailnet.data, tailnet.len, alloc);
    if (rc != TG_OK) {
        rc = tgi_error(error, rc, "out of memory");
        goto failed;
    }

    /* as in a WhoIs answer: without an own tailnet nobody is a member */

    identity->traits = tailnet.len > 0 ? TG_TRAIT_MEMBER : TG_TRAIT_SHARED;
    identity->status = tgi_traits_status(identity->traits);
    identity->caps = (tg_str_t) TG_STR("{}");

    return TG_OK;

failed:

    memset(identity, 0, sizeof(tg_identity_t));

    return rc;
}
