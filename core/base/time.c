
/*
 * Copyright (C) The Tailgate authors
 *
 * RFC 3339 times, without the traps of strptime() and timegm(): locale, time
 * zone and a silent overflow of days.
 */

#include "core/base/base.h"


typedef struct {
    const char  *p;
    const char  *end;
    bool         bad;
} time_text_t;


static int
digits(time_text_t *text, int n)
{
    int  value;

    for (value = 0; n > 0; n--) {

        if (text->p == text->end || *text->p < '0' || *text->p > '9') {
            text->bad = true;
            return 0;
        }

        value = value * 10 + (*text->p++ - '0');
    }

    return value;
}


static bool
accept_char(time_text_t *text, char c)
{
    if (text->p == text->end || *text->p != c) {
        return false;
    }

    text->p++;

    return true;
}


static void
expect_char(time_text_t *text, char c)
{
    if (!accept_char(text, c)) {
        text->bad = true;
    }
}


/* Days since 1970-01-01 in the proleptic Gregorian calendar; year > 0. */

static int64_t
days_of(int year, int month, int day)
{
    int64_t  y, m;

    /* years that begin in March put the leap day last */

    y = month > 2 ? year : year - 1;
    m = (month + 9) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1
           - 719468;
}


static int
days_in_month(int year, int month)
{
    static const int  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (month == 2
        && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
    {
        return 29;
    }

    return days[month - 1];
}


static void
skip_fraction(time_text_t *text)
{
    if (!accept_char(text, '.')) {
        return;
    }

    (void) digits(text, 1);

    while (text->p != text->end && *text->p >= '0' && *text->p <= '9') {
        text->p++;
    }
}


/* Seconds east of UTC. */

static int
zone(time_text_t *text)
{
    int  sign, hours, minutes;

    if (accept_char(text, 'Z') || accept_char(text, 'z')) {
        return 0;
    }

    sign = -1;

    if (!accept_char(text, '-')) {
        expect_char(text, '+');
        sign = 1;
    }

    hours = digits(text, 2);
    expect_char(text, ':');
    minutes = digits(text, 2);

    if (hours > 23 || minutes > 59) {
        text->bad = true;
    }

    return sign * (hours * 3600 + minutes * 60);
}


int
tgi_time_parse(int64_t *seconds, const char *string, size_t len)
{
    int          year, month, day, hour, minute, second, offset;
    time_text_t  text = { string, string + len, false };

    *seconds = 0;

    year = digits(&text, 4);
    expect_char(&text, '-');
    month = digits(&text, 2);
    expect_char(&text, '-');
    day = digits(&text, 2);

    if (!accept_char(&text, 'T')) {
        expect_char(&text, 't');
    }

    hour = digits(&text, 2);
    expect_char(&text, ':');
    minute = digits(&text, 2);
    expect_char(&text, ':');
    second = digits(&text, 2);
    skip_fraction(&text);
    offset = zone(&text);

    if (text.bad || text.p != text.end) {
        return TG_ERR_SYNTAX;
    }

    if (year < 1 || month < 1 || month > 12 || day < 1
        || day > days_in_month(year, month)
        || hour > 23 || minute > 59 || second > 59)
    {
        return TG_ERR_RANGE;
    }

    *seconds = days_of(year, month, day) * 86400
               + hour * 3600 + minute * 60 + second - offset;

    return TG_OK;
}
