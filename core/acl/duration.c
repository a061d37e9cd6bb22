
/*
 * Copyright (C) The Tailgate authors
 *
 * Durations as Go's package time reads and writes them: "1h30m", "-1.5s".
 */

#include "core/acl/go.h"
#include "core/base/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>


static const struct {
    const char  *name;
    uint64_t     nanoseconds;
} units[] = {
    { "ns", 1 },
    { "us", 1000 },
    { "\xc2\xb5s", 1000 },
    { "\xce\xbcs", 1000 },
    { "ms", 1000000 },
    { "s", 1000000000 },
    { "m", UINT64_C(60) * 1000000000 },
    { "h", UINT64_C(3600) * 1000000000 }
};

#define LIMIT  (UINT64_C(1) << 63)


/* Digits before a point: false if there are too many. */

static bool
take_integer(tg_str_t *text, uint64_t *value)
{
    *value = 0;

    while (text->len > 0 && *text->data >= '0' && *text->data <= '9') {
        if (*value > LIMIT / 10) {
            return false;
        }

        *value = *value * 10 + (uint64_t) (*text->data - '0');

        if (*value > LIMIT) {
            return false;
        }

        text->data++;
        text->len--;
    }

    return true;
}


/* Digits after it: those that do not fit are not precise enough to matter. */

static void
take_fraction(tg_str_t *text, uint64_t *value, double *scale)
{
    bool      full;
    uint64_t  next;

    *value = 0;
    *scale = 1;
    full = false;

    while (text->len > 0 && *text->data >= '0' && *text->data <= '9') {

        if (!full && *value > (LIMIT - 1) / 10) {
            full = true;
        }

        if (!full) {
            next = *value * 10 + (uint64_t) (*text->data - '0');

            if (next > LIMIT) {
                full = true;

            } else {
                *value = next;
                *scale *= 10;
            }
        }

        text->data++;
        text->len--;
    }
}


static int
take_unit(tg_str_t *text, uint64_t *nanoseconds, const char **why,
    tg_str_t *unit)
{
    size_t    i;
    tg_str_t  name;

    name.data = text->data;
    name.len = 0;

    while (name.len < text->len && text->data[name.len] != '.'
           && (text->data[name.len] < '0' || text->data[name.len] > '9'))
    {
        name.len++;
    }

    if (name.len == 0) {
        *why = "missing unit in duration ";
        return TG_ERR_SYNTAX;
    }

    text->data += name.len;
    text->len -= name.len;

    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (name.len == strlen(units[i].name)
            && memcmp(name.data, units[i].name, name.len) == 0)
        {
            *nanoseconds = units[i].nanoseconds;
            return TG_OK;
        }
    }

    *why = "unknown unit ";
    *unit = name;

    return TG_ERR_SYNTAX;
}


static int
take_part(tg_str_t *text, uint64_t *sum, const char **why, tg_str_t *unit)
{
    int       rc;
    bool      before, after;
    size_t    len;
    double    scale;
    uint64_t  value, fraction, scaled;

    if (*text->data != '.' && (*text->data < '0' || *text->data > '9')) {
        return TG_ERR_SYNTAX;
    }

    len = text->len;
    if (!take_integer(text, &value)) {
        return TG_ERR_SYNTAX;
    }

    before = text->len != len;
    after = false;
    fraction = 0;
    scale = 1;

    if (text->len > 0 && *text->data == '.') {
        text->data++;
        text->len--;
        len = text->len;
        take_fraction(text, &fraction, &scale);
        after = text->len != len;
    }

    if (!before && !after) {
        return TG_ERR_SYNTAX;
    }

    rc = take_unit(text, &scaled, why, unit);
    if (rc != TG_OK) {
        return rc;
    }

    if (value > LIMIT / scaled) {
        return TG_ERR_SYNTAX;
    }

    value *= scaled;

    if (fraction > 0) {
        value += (uint64_t) ((double) fraction * ((double) scaled / scale));
    }

    if (value > LIMIT || *sum > LIMIT - value) {
        return TG_ERR_SYNTAX;
    }

    *sum += value;

    return TG_OK;
}


int
tgi_go_duration(tg_str_t text, int64_t *nanoseconds, const char **why,
    tg_str_t *unit)
{
    int       rc;
    bool      negative;
    uint64_t  sum;

    *why = "invalid duration ";
    unit->len = 0;
    negative = false;
    sum = 0;

    if (text.len > 0 && (*text.data == '-' || *text.data == '+')) {
        negative = *text.data == '-';
        text.data++;
        text.len--;
    }

    if (text.len == 1 && *text.data == '0') {
        *nanoseconds = 0;
        return TG_OK;
    }

    if (text.len == 0) {
        return TG_ERR_SYNTAX;
    }

    while (text.len > 0) {
        rc = take_part(&text, &sum, why, unit);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (negative) {
        *nanoseconds = sum == LIMIT ? INT64_MIN : -(int64_t) sum;
        return TG_OK;
    }

    if (sum > LIMIT - 1) {
        return TG_ERR_SYNTAX;
    }

    *nanoseconds = (int64_t) sum;

    return TG_OK;
}


/* A count of units with its fraction, without zeros at the end. */

static size_t
put_decimal(char *buf, size_t size, uint64_t value, unsigned places,
    const char *unit)
{
    int       n;
    unsigned  i;
    uint64_t  divisor, fraction;

    for (i = 0, divisor = 1; i < places; i++) {
        divisor *= 10;
    }

    fraction = value % divisor;

    if (fraction == 0) {
        n = snprintf(buf, size, "%" PRIu64 "%s", value / divisor, unit);
        return n < 0 ? 0 : (size_t) n;
    }

    while (fraction % 10 == 0) {
        fraction /= 10;
        places--;
    }

    n = snprintf(buf, size, "%" PRIu64 ".%0*" PRIu64 "%s", value / divisor,
                 (int) places, fraction, unit);

    return n < 0 ? 0 : (size_t) n;
}


size_t
tgi_go_duration_text(int64_t nanoseconds, char buf[TGI_GO_DURATION])
{
    int       n;
    size_t    len;
    uint64_t  value, seconds;

    len = 0;
    value = (uint64_t) nanoseconds;

    if (nanoseconds < 0) {
        value = 0 - value;
        buf[len++] = '-';
    }

    if (value == 0) {
        return put_decimal(buf, TGI_GO_DURATION, 0, 0, "s");
    }

    if (value < 1000000000) {
        return len + (value < 1000
            ? put_decimal(buf + len, TGI_GO_DURATION - len, value, 0, "ns")
            : value < 1000000
            ? put_decimal(buf + len, TGI_GO_DURATION - len, value, 3,
                          "\xc2\xb5s")
            : put_decimal(buf + len, TGI_GO_DURATION - len, value, 6, "ms"));
    }

    seconds = value / 1000000000;
    n = 0;

    if (seconds >= 3600) {
        n = snprintf(buf + len, TGI_GO_DURATION - len,
                     "%" PRIu64 "h%" PRIu64 "m", seconds / 3600,
                     seconds / 60 % 60);

    } else if (seconds >= 60) {
        n = snprintf(buf + len, TGI_GO_DURATION - len, "%" PRIu64 "m",
                     seconds / 60);
    }

    len += n < 0 ? 0 : (size_t) n;

    return len + put_decimal(buf + len, TGI_GO_DURATION - len,
                             value % (UINT64_C(60) * 1000000000), 9, "s");
}
