
/*
 * Copyright (C) The Tailgate authors
 *
 * Formats of printf: %s, %d, %v and %q with flags, width and precision.
 */

#include "core/golink/format.h"

#include "core/base/base.h"

#include <string.h>


static int
parse_count(tg_str_t format, size_t *i, int *count)
{
    int  n;

    n = -1;

    while (*i < format.len && format.data[*i] >= '0' && format.data[*i] <= '9')
    {
        n = (n < 0 ? 0 : n) * 10 + (format.data[*i] - '0');

        if (n > LINK_WIDTH_MAX) {
            return TG_ERR_LIMIT;
        }

        (*i)++;
    }

    *count = n;

    return TG_OK;
}


static void
parse_flags(tg_str_t format, size_t *i, link_verb_t *verb)
{
    for ( /* void */ ; *i < format.len; (*i)++) {
        switch (format.data[*i]) {

        case '-':
            verb->minus = true;
            break;

        case '+':
            verb->plus = true;
            break;

        case ' ':
            verb->space = true;
            break;

        case '0':
            verb->zero = true;
            break;

        default:
            return;
        }
    }
}


int
tgi_link_format_verb(tg_str_t format, size_t *i, link_verb_t *verb,
    tg_error_t *error)
{
    char  c;

    memset(verb, 0, sizeof(link_verb_t));
    verb->precision = -1;

    (*i)++;

    parse_flags(format, i, verb);

    if (parse_count(format, i, &verb->width) != TG_OK) {
        return tgi_error(error, TG_ERR_LIMIT, "printf: a width over %d",
                         LINK_WIDTH_MAX);
    }

    if (*i < format.len && format.data[*i] == '.') {
        (*i)++;

        if (parse_count(format, i, &verb->precision) != TG_OK) {
            return tgi_error(error, TG_ERR_LIMIT,
                             "printf: a precision over %d", LINK_WIDTH_MAX);
        }

        if (verb->precision < 0) {
            verb->precision = 0;
        }
    }

    if (*i == format.len) {
        return tgi_error(error, TG_ERR_SYNTAX,
                         "printf: the format ends within a \"%%\"");
    }

    c = format.data[(*i)++];

    if (c == '\0' || strchr("sdvq%", c) == NULL) {
        return tgi_error(error, TG_ERR_REFUSED,
                         "printf: \"%%%c\" is not accepted: there are %%s, %%d,"
                         " %%v, %%q and %%%%", (c < ' ' || c > '~') ? '?' : c);
    }

    verb->verb = c;

    if (((verb->plus || verb->space) && c != 'd')
        || (verb->precision >= 0 && c != 's' && c != 'q'))
    {
        return tgi_error(error, TG_ERR_REFUSED,
                         "printf: \"%%%c\" is not accepted with a sign or a"
                         " precision", c);
    }

    return TG_OK;
}


int
tgi_link_format_check(tg_str_t format, size_t n, tg_error_t *error)
{
    int          rc;
    size_t       i, verbs;
    link_verb_t  verb;

    i = 0;
    verbs = 0;

    while (i < format.len) {
        if (format.data[i] != '%') {
            i++;
            continue;
        }

        rc = tgi_link_format_verb(format, &i, &verb, error);
        if (rc != TG_OK) {
            return rc;
        }

        verbs += verb.verb != '%' ? 1 : 0;
    }

    if (verbs != n) {
        return tgi_error(error, TG_ERR_TYPE,
                         "printf: the format takes %zu value%s and is given"
                         " %zu", verbs, verbs == 1 ? "" : "s", n);
    }

    return TG_OK;
}
