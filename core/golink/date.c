
/*
 * Copyright (C) The Tailgate authors
 *
 * Times as Go writes them, in UTC.
 */

#include "core/golink/value.h"

#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


#define DAY_SECONDS  86400

/* 0001-01-01 and 10000-01-01, in days since the epoch */

#define DAYS_FIRST  (-719162)
#define DAYS_END    2932897


const char *const  tgi_link_months[12] = {
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December"
};

const char *const  tgi_link_weekdays[7] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday"
};


/* Days since the epoch of a date; Howard Hinnant, "chrono-compatible low-level
 * date algorithms": years begin in March, so that a leap day comes last. */

static int64_t
days_from(int64_t year, int month, int64_t day)
{
    int64_t  era, yoe, doy;

    year -= month <= 2 ? 1 : 0;
    era = (year >= 0 ? year : year - 399) / 400;
    yoe = year - era * 400;
    doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}


static void
date_from(int64_t days, link_date_t *date)
{
    int64_t  era, doe, yoe, doy, mp;

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;

    date->day = (int) (doy - (153 * mp + 2) / 5 + 1);
    date->month = (int) (mp < 10 ? mp + 3 : mp - 9);
    date->year = yoe + era * 400 + (date->month <= 2 ? 1 : 0);
}


static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}


int
tgi_link_date(link_time_t time, link_date_t *date)
{
    int      rest;
    int64_t  days;

    days = floor_div(time.seconds, DAY_SECONDS);
    rest = (int) (time.seconds - days * DAY_SECONDS);

    memset(date, 0, sizeof(link_date_t));

    if (days < DAYS_FIRST || days >= DAYS_END) {
        return TG_ERR_RANGE;
    }

    date_from(days, date);

    date->hour = rest / 3600;
    date->minute = rest / 60 % 60;
    date->second = rest % 60;
    date->weekday = (int) (((days + 4) % 7 + 7) % 7);
    date->yday = (int) (days - days_from(date->year, 1, 1)) + 1;

    return TG_OK;
}


/* As time.Date() does: months over 12 and days over the month run on. */

int
tgi_link_add_date(link_time_t time, int64_t years, int64_t months,
    int64_t days, link_time_t *sum)
{
    int64_t      month, far;
    link_date_t  date;

    far = 4000000;

    if (tgi_link_date(time, &date) != TG_OK || years > far || years < -far
        || months > far || months < -far || days > far || days < -far)
    {
        return TG_ERR_RANGE;
    }

    month = date.month - 1 + months;

    date.year += years + floor_div(month, 12);
    month -= floor_div(month, 12) * 12;

    *sum = time;
    sum->seconds = days_from(date.year, (int) month + 1, date.day + days)
                   * DAY_SECONDS
                   + date.hour * 3600 + date.minute * 60 + date.second;

    return tgi_link_date(*sum, &date);
}


/* The parts of a layout, of which the longest that fits is meant. */

typedef enum {
    STD_MONTH, STD_MON, STD_NUM_MONTH, STD_ZERO_MONTH, STD_WEEKDAY, STD_WDAY,
    STD_DAY, STD_UNDER_DAY, STD_ZERO_DAY, STD_UNDER_YDAY, STD_ZERO_YDAY,
    STD_HOUR, STD_HOUR12, STD_ZERO_HOUR12, STD_MINUTE, STD_ZERO_MINUTE,
    STD_SECOND, STD_ZERO_SECOND, STD_LONG_YEAR, STD_YEAR, STD_PM, STD_LOWER_PM,
    STD_ZONE, STD_Z, STD_PLUS0, STD_PLUS00, STD_PLUS0_0, STD_PLUS000,
    STD_PLUS0_0_0
} link_std_t;

typedef struct {
    const char  *text;
    uint8_t      std;
    bool         word;         /* not if a lower-case letter follows */
} link_layout_t;

static const link_layout_t  layouts[] = {
    { "January", STD_MONTH, false },
    { "Jan", STD_MON, true },
    { "Monday", STD_WEEKDAY, false },
    { "Mon", STD_WDAY, true },
    { "MST", STD_ZONE, false },
    { "002", STD_ZERO_YDAY, false },
    { "01", STD_ZERO_MONTH, false },
    { "02", STD_ZERO_DAY, false },
    { "03", STD_ZERO_HOUR12, false },
    { "04", STD_ZERO_MINUTE, false },
    { "05", STD_ZERO_SECOND, false },
    { "06", STD_YEAR, false },
    { "15", STD_HOUR, false },
    { "1", STD_NUM_MONTH, false },
    { "2006", STD_LONG_YEAR, false },
    { "2", STD_DAY, false },
    { "__2", STD_UNDER_YDAY, false },
    { "_2", STD_UNDER_DAY, false },
    { "3", STD_HOUR12, false },
    { "4", STD_MINUTE, false },
    { "5", STD_SECOND, false },
    { "PM", STD_PM, false },
    { "pm", STD_LOWER_PM, false },
    { "-07:00:00", STD_PLUS0_0_0, false },
    { "-070000", STD_PLUS000, false },
    { "-07:00", STD_PLUS0_0, false },
    { "-0700", STD_PLUS00, false },
    { "-07", STD_PLUS0, false },
    { "Z07:00:00", STD_Z, false },
    { "Z070000", STD_Z, false },
    { "Z07:00", STD_Z, false },
    { "Z0700", STD_Z, false },
    { "Z07", STD_Z, false }
};


static const link_layout_t *
find_layout(const char *data, size_t len)
{
    size_t                i, n;
    const link_layout_t  *layout;

    for (i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        layout = &layouts[i];
        n = strlen(layout->text);

        if (len < n || memcmp(data, layout->text, n) != 0) {
            continue;
        }

        if (layout->word && len > n && data[n] >= 'a' && data[n] <= 'z') {
            continue;
        }

        /* "_2006" is a year with a "_" before it */

        if (layout->std == STD_UNDER_DAY && len >= 5
            && memcmp(data, "_2006", 5) == 0)
        {
            return NULL;
        }

        return layout;
    }

    return NULL;
}


static const char *
zone(link_std_t std)
{
    switch (std) {
    case STD_ZONE: return "UTC";
    case STD_Z: return "Z";
    case STD_PLUS0: return "+00";
    case STD_PLUS00: return "+0000";
    case STD_PLUS0_0: return "+00:00";
    case STD_PLUS000: return "+000000";
    default: return "+00:00:00";
    }
}


static int
put_std(link_std_t std, const link_date_t *d, char *out, size_t size)
{
    int  hour12;

    hour12 = d->hour % 12 == 0 ? 12 : d->hour % 12;

    switch (std) {

    case STD_MONTH:
        return snprintf(out, size, "%s", tgi_link_months[d->month - 1]);
    case STD_MON:
        return snprintf(out, size, "%.3s", tgi_link_months[d->month - 1]);
    case STD_WEEKDAY:
        return snprintf(out, size, "%s", tgi_link_weekdays[d->weekday]);
    case STD_WDAY:
        return snprintf(out, size, "%.3s", tgi_link_weekdays[d->weekday]);
    case STD_NUM_MONTH:
        return snprintf(out, size, "%d", d->month);
    case STD_ZERO_MONTH:
        return snprintf(out, size, "%02d", d->month);
    case STD_DAY:
        return snprintf(out, size, "%d", d->day);
    case STD_UNDER_DAY:
        return snprintf(out, size, "%2d", d->day);
    case STD_ZERO_DAY:
        return snprintf(out, size, "%02d", d->day);
    case STD_UNDER_YDAY:
        return snprintf(out, size, "%3d", d->yday);
    case STD_ZERO_YDAY:
        return snprintf(out, size, "%03d", d->yday);
    case STD_HOUR:
        return snprintf(out, size, "%02d", d->hour);
    case STD_HOUR12:
        return snprintf(out, size, "%d", hour12);
    case STD_ZERO_HOUR12:
        return snprintf(out, size, "%02d", hour12);
    case STD_MINUTE:
        return snprintf(out, size, "%d", d->minute);
    case STD_ZERO_MINUTE:
        return snprintf(out, size, "%02d", d->minute);
    case STD_SECOND:
        return snprintf(out, size, "%d", d->second);
    case STD_ZERO_SECOND:
        return snprintf(out, size, "%02d", d->second);
    case STD_LONG_YEAR:
        return snprintf(out, size, "%04d", (int) d->year);
    case STD_YEAR:
        return snprintf(out, size, "%02d", (int) (d->year % 100));
    case STD_PM:
        return snprintf(out, size, "%s", d->hour >= 12 ? "PM" : "AM");
    case STD_LOWER_PM:
        return snprintf(out, size, "%s", d->hour >= 12 ? "pm" : "am");
    default:
        return snprintf(out, size, "%s", zone(std));
    }
}


/* ".000" or ",999" at data: its length, 0 if it is none. */

static size_t
fraction(const char *data, size_t len)
{
    size_t  n;

    if (len < 2 || (data[0] != '.' && data[0] != ',')
        || (data[1] != '0' && data[1] != '9'))
    {
        return 0;
    }

    for (n = 1; n < len && data[n] == data[1]; n++) { /* void */ }

    return (n < len && data[n] >= '0' && data[n] <= '9') ? 0 : n;
}


static int
put_fraction(link_run_t *run, tgi_link_buf_t *buf, const char *data, size_t n,
    uint32_t nanoseconds)
{
    char    digits[16];
    size_t  len;

    /* Go prints nine digits at most */

    len = n - 1 > 9 ? 9 : n - 1;
    snprintf(digits, sizeof(digits), "%c%09u", data[0], nanoseconds);

    if (data[1] == '9') {
        while (len > 0 && digits[len] == '0') {
            len--;
        }

        if (len == 0) {
            return TG_OK;
        }
    }

    return tgi_link_add_bytes(run, buf, digits, len + 1, LINK_AUTHOR);
}


int
tgi_link_format_time(link_run_t *run, tgi_link_buf_t *buf, link_time_t time,
    const tgi_link_text_t *layout)
{
    int                   rc;
    char                  part[32];
    size_t                i, n;
    uint8_t               mark;
    link_date_t           date;
    const char           *data;
    const link_layout_t  *found;

    rc = tgi_link_date(time, &date);
    if (rc != TG_OK) {
        return tgi_link_fail(run, TG_LINK_FAILED,
                             "a time is not in the years 1 to 9999");
    }

    for (i = 0; i < layout->len; i += n) {
        data = layout->data + i;
        mark = layout->marks != NULL ? layout->marks[i] : layout->mark;

        n = fraction(data, layout->len - i);

        if (n > 0) {
            rc = put_fraction(run, buf, data, n, time.nanoseconds);

        } else if ((found = find_layout(data, layout->len - i)) != NULL) {
            n = strlen(found->text);
            put_std(found->std, &date, part, sizeof(part));
            rc = tgi_link_add_bytes(run, buf, part, strlen(part), mark);

        } else {
            n = 1;
            rc = tgi_link_add_bytes(run, buf, data, 1, mark);
        }

        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}
