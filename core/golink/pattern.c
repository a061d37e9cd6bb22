
/*
 * Copyright (C) The Tailgate authors
 *
 * Which patterns Match takes: the syntax of RE2, so that nothing of PCRE2 gets
 * in that needs to try again and again (backreferences, looking around,
 * recursion), or that means something else there.
 */

#include "core/golink/program.h"

#include "core/base/base.h"

#include <string.h>


#define REPEAT_MAX  1000

typedef struct {
    tg_str_t     text;
    size_t       i;
    tg_error_t  *error;
} link_scan_t;


static char
at(const link_scan_t *s, size_t n)
{
    return s->i + n < s->text.len ? s->text.data[s->i + n] : '\0';
}


static bool
is_alnum(char c)
{
    c = tgi_lower(c);

    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}


static int
refuse(link_scan_t *s, const char *what)
{
    return tgi_error(s->error, TG_ERR_REFUSED,
                     "the pattern has %s at byte %zu, which is not accepted",
                     what, s->i + 1);
}


/* "\Q...\E" */

static void
skip_literal(link_scan_t *s)
{
    const char  *end;

    end = memmem(s->text.data + s->i, s->text.len - s->i, "\\E", 2);
    s->i = end != NULL ? (size_t) (end - s->text.data) + 2 : s->text.len;
}


/* Behind the backslash is a letter or digit that both know, or a sign. */

static int
scan_escape(link_scan_t *s, bool class)
{
    char  c;

    c = at(s, 1);

    if (c >= '1' && c <= '9') {
        return refuse(s, "a backreference");
    }

    if (c == 'Q') {
        s->i += 2;
        skip_literal(s);
        return TG_OK;
    }

    if (c == '\0'
        || (is_alnum(c)
            && strchr(class ? "adDfnprPsStwWx0" : "aAbBdDfnpPrsStwWxz0", c)
               == NULL))
    {
        return refuse(s, "an escape");
    }

    s->i += 2;

    return TG_OK;
}


static int
scan_class(link_scan_t *s)
{
    int  rc;

    s->i++;

    if (at(s, 0) == '^') {
        s->i++;
    }

    /* a "]" that comes first is one of them */

    if (at(s, 0) == ']') {
        s->i++;
    }

    while (s->i < s->text.len && at(s, 0) != ']') {

        if (at(s, 0) == '\\') {
            rc = scan_escape(s, true);
            if (rc != TG_OK) {
                return rc;
            }

        } else if (at(s, 0) == '[' && at(s, 1) == ':') {
            do {
                s->i++;
            } while (s->i < s->text.len && at(s, 0) != ']');

            s->i++;

        } else if (at(s, 0) == '[' && (at(s, 1) == '.' || at(s, 1) == '=')) {
            return refuse(s, "a collation");

        } else {
            s->i++;
        }
    }

    if (s->i >= s->text.len) {
        return tgi_error(s->error, TG_ERR_SYNTAX,
                         "the pattern has a \"[\" that is not closed");
    }

    s->i++;

    return TG_OK;
}


/* Behind "(": a group, one without a number, a name, or flags of RE2. */

static int
scan_group(link_scan_t *s)
{
    size_t  n;

    if (at(s, 1) == '*') {
        return refuse(s, "a verb");
    }

    if (at(s, 1) != '?') {
        s->i++;
        return TG_OK;
    }

    n = 2;

    if (at(s, n) == 'P') {
        n++;
    }

    if (at(s, n) == '<' && at(s, n + 1) != '=' && at(s, n + 1) != '!') {
        s->i += n + 1;
        return TG_OK;
    }

    if (n != 2) {
        return refuse(s, "a call of a group");
    }

    while (at(s, n) != '\0' && strchr("imsU-", at(s, n)) != NULL) {
        n++;
    }

    if (at(s, n) != ':' && (at(s, n) != ')' || n == 2)) {
        return refuse(s, "a group of PCRE's own");
    }

    s->i += n + 1;

    return TG_OK;
}


/* "{n}", "{n,}" or "{n,m}" here: its length, or 0 for a brace. */

static size_t
repeat(const link_scan_t *s, size_t *max)
{
    size_t  i, n, digits;

    *max = 0;
    n = 0;
    digits = 0;

    for (i = 1; (at(s, i) >= '0' && at(s, i) <= '9') || at(s, i) == ','; i++) {
        if (at(s, i) == ',') {
            if (digits == 0) {
                return 0;
            }

            n = 0;
            continue;
        }

        digits++;
        n = n > REPEAT_MAX ? n : n * 10 + (size_t) (at(s, i) - '0');
        *max = n > *max ? n : *max;
    }

    return (at(s, i) == '}' && digits > 0) ? i + 1 : 0;
}


static int
scan_repeat(link_scan_t *s, bool *repeated)
{
    char    c;
    size_t  len, max;

    c = at(s, 0);
    len = 1;
    max = 0;

    if (c == '{') {
        len = repeat(s, &max);

        if (len == 0) {
            if (at(s, 1) == ',') {
                /* a repetition in newer versions of PCRE2, text in others */
                return refuse(s, "\"{,\"");
            }

            s->i++;
            *repeated = false;
            return TG_OK;
        }
    }

    if (max > REPEAT_MAX) {
        return refuse(s, "a repetition over 1000");
    }

    if (*repeated) {
        return refuse(s, "a repetition of a repetition");
    }

    s->i += len;
    s->i += at(s, 0) == '?' ? 1 : 0;
    *repeated = true;

    return TG_OK;
}


int
tgi_link_pattern_check(tg_str_t pattern, const tg_link_limits_t *limits,
    tg_error_t *error)
{
    int          rc;
    bool         repeated;
    link_scan_t  s;

    if (pattern.len > limits->pattern_max) {
        return tgi_error(error, TG_ERR_LIMIT,
                         "a pattern may have %zu bytes, this one has %zu",
                         limits->pattern_max, pattern.len);
    }

    s.text = pattern;
    s.i = 0;
    s.error = error;
    repeated = false;
    rc = TG_OK;

    while (rc == TG_OK && s.i < pattern.len) {

        switch (at(&s, 0)) {

        case '\0':
            return refuse(&s, "a NUL");

        case '\\':
            rc = scan_escape(&s, false);
            repeated = false;
            break;

        case '[':
            rc = scan_class(&s);
            repeated = false;
            break;

        case '(':
            rc = scan_group(&s);
            repeated = false;
            break;

        case '*':
        case '+':
        case '?':
        case '{':
            rc = scan_repeat(&s, &repeated);
            break;

        default:
            s.i++;
            repeated = false;
        }
    }

    return rc;
}
