
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


#define TIME_MAX  32

/* kept free at the end of a line, to say that it was cut, and to close it */

#define TAIL_MAX  32


typedef struct {
    char    *p;
    size_t   len;
    size_t   max;
    bool     full;             /* something did not fit */
} line_t;


static const char *const  level_names[] = {
    "error", "warn", "info", "debug"
};

/* sd-daemon(3) */

static const int  level_syslog[] = { 3, 4, 6, 7 };


static bool log_write(const authd_log_t *log, authd_log_level_t level,
    const char *message, const authd_log_field_t *fields, size_t n);
static void log_time(char buf[TIME_MAX]);
static void line_head_text(line_t *line, authd_log_level_t level,
    const char *time, const char *message);
static void line_head_json(line_t *line, authd_log_level_t level,
    const char *time, const char *message);
static void line_text(line_t *line, const char *key, const char *data,
    size_t len);
static void line_json(line_t *line, const char *key, const char *data,
    size_t len, bool number);
static void line_escaped(line_t *line, const char *data, size_t len,
    bool json);
static void line_byte(line_t *line, unsigned char byte, bool json);
static void line_code(line_t *line, uint32_t c);
static void line_add(line_t *line, const char *data, size_t len);
static size_t plain_run(const unsigned char *p, size_t len);
static bool text_needs_quotes(const char *data, size_t len);
static size_t utf8_next(const unsigned char *p, size_t len, uint32_t *c);
static bool utf8_is_shown(uint32_t c);


void
authd_log_init(authd_log_t *log)
{
    char         own[64];
    const char  *stream;
    struct stat  st;

    log->fd = STDERR_FILENO;
    log->level = AUTHD_LOG_INFO;
    log->format = AUTHD_LOG_TEXT;
    log->journal = false;

    /* systemd.exec(5): device and inode of the journal's socket */

    stream = getenv("JOURNAL_STREAM");

    if (stream != NULL && fstat(log->fd, &st) == 0) {
        (void) snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t) st.st_dev,
                        (uintmax_t) st.st_ino);
        log->journal = (strcmp(own, stream) == 0);
    }
}


void
authd_log(const authd_log_t *log, authd_log_level_t level, const char *fmt,
    ...)
{
    char     message[2048];
    va_list  args;

    if (level > log->level) {
        return;
    }

    va_start(args, fmt);
    (void) vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);

    /* there is nobody left to tell */

    (void) log_write(log, level, message, NULL, 0);
}


bool
authd_log_fields(const authd_log_t *log, authd_log_level_t level,
    const char *message, const authd_log_field_t *fields, size_t n)
{
    if (level > log->level) {
        return true;
    }

    return log_write(log, level, message, fields, n);
}


size_t
authd_log_format(const authd_log_t *log, authd_log_level_t level,
    const char *time, const char *message, const authd_log_field_t *fields,
    size_t n, char *buf, size_t size)
{
    bool                      cut, json;
    size_t                    i, len, before;
    line_t                    line;
    const authd_log_field_t  *f;

    json = (log->format == AUTHD_LOG_JSON);
    cut = false;

    line.p = buf;
    line.len = 0;
    line.max = size - TAIL_MAX;
    line.full = false;

    if (json) {
        line_head_json(&line, level, time, message);

    } else {
        line_head_text(&line, level, time, message);
    }

    for (i = 0; i < n; i++) {
        f = &fields[i];

        if (f->value.len == 0) {
            continue;
        }

        before = line.len;
        len = f->value.len < AUTHD_LOG_FIELD_MAX ? f->value.len
                                                 : AUTHD_LOG_FIELD_MAX;
        cut = cut || len < f->value.len;

        if (json) {
            line_json(&line, f->key, f->value.data, len, f->number);

        } else {
            line_text(&line, f->key, f->value.data, len);
        }

        /* no half fields */

        if (line.full) {
            line.len = before;
            break;
        }
    }

    line.max = size;

    if (cut || line.full) {
        line.full = false;

        if (json) {
            line_json(&line, "cut", "true", 4, true);

        } else {
            line_text(&line, "cut", "true", 4);
        }
    }

    line_add(&line, json ? "}\n" : "\n", json ? 2 : 1);

    return line.len;
}


static bool
log_write(const authd_log_t *log, authd_log_level_t level,
    const char *message, const authd_log_field_t *fields, size_t n)
{
    char     buf[AUTHD_LOG_LINE_MAX + 8], time[TIME_MAX];
    size_t   len, done;
    ssize_t  rc;

    len = 0;
    time[0] = '\0';

    if (log->journal) {
        len = (size_t) snprintf(buf, 8, "<%d>", level_syslog[level]);

    } else {
        log_time(time);
    }

    len += authd_log_format(log, level, time, message, fields, n, buf + len,
                            AUTHD_LOG_LINE_MAX);

    for (done = 0; done < len; done += (size_t) rc) {
        rc = write(log->fd, buf + done, len - done);

        if (rc == -1 && errno == EINTR) {
            rc = 0;
            continue;
        }

        if (rc <= 0) {
            return false;
        }
    }

    return true;
}


static void
log_time(char buf[TIME_MAX])
{
    size_t           len;
    struct tm        tm;
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    (void) gmtime_r(&ts.tv_sec, &tm);

    len = strftime(buf, TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);

    (void) snprintf(buf + len, TIME_MAX - len, ".%03dZ",
                    (int) (ts.tv_nsec / 1000000));
}


static void
line_head_text(line_t *line, authd_log_level_t level, const char *time,
    const char *message)
{
    line_add(line, time, strlen(time));

    if (message == NULL) {
        return;
    }

    line_add(line, " ", line->len ? 1 : 0);
    line_add(line, level_names[level], strlen(level_names[level]));
    line_add(line, " ", 1);
    line_escaped(line, message, strlen(message), false);
}


static void
line_head_json(line_t *line, authd_log_level_t level, const char *time,
    const char *message)
{
    line_add(line, "{", 1);

    if (time[0] != '\0') {
        line_json(line, "time", time, strlen(time), false);
    }

    if (message == NULL) {
        return;
    }

    line_json(line, "level", level_names[level], strlen(level_names[level]),
              false);
    line_json(line, "message", message, strlen(message), false);
}


static void
line_text(line_t *line, const char *key, const char *data, size_t len)
{
    bool  quotes;

    quotes = text_needs_quotes(data, len);

    line_add(line, " ", line->len ? 1 : 0);
    line_add(line, key, strlen(key));
    line_add(line, "=\"", quotes ? 2 : 1);
    line_escaped(line, data, len, false);
    line_add(line, "\"", quotes ? 1 : 0);
}


static void
line_json(line_t *line, const char *key, const char *data, size_t len,
    bool number)
{
    line_add(line, ",", line->len > 1 ? 1 : 0);
    line_add(line, "\"", 1);
    line_add(line, key, strlen(key));
    line_add(line, "\":\"", number ? 2 : 3);
    line_escaped(line, data, len, true);
    line_add(line, "\"", number ? 0 : 1);
}


/*
 * What is not plain, visible text becomes an escape: controls, invisible and
 * direction-changing characters, bytes that are no UTF-8.
 */

static void
line_escaped(line_t *line, const char *data, size_t len, bool json)
{
    size_t                n;
    uint32_t              c;
    const unsigned char  *p, *end;

    p = (const unsigned char *) data;
    end = p + len;

    while (p < end) {

        /* most of it, most of the time */

        n = plain_run(p, (size_t) (end - p));

        if (n > line->max - line->len) {
            n = line->max - line->len;
        }

        if (n > 0 && !line->full) {
            line_add(line, (const char *) p, n);
            p += n;
            continue;
        }

        n = utf8_next(p, (size_t) (end - p), &c);

        if (n == 0) {
            line_byte(line, *p, json);
            p++;
            continue;
        }

        if (c == '"' || c == '\\') {
            line_add(line, "\\", 1);
            line_add(line, (const char *) p, 1);

        } else if (utf8_is_shown(c)) {
            line_add(line, (const char *) p, n);

        } else {
            line_code(line, c);
        }

        p += n;
    }
}


/* A byte that is no UTF-8; JSON has no escape for it, so it is shown as one. */

static void
line_byte(line_t *line, unsigned char byte, bool json)
{
    char  buf[8];

    (void) snprintf(buf, sizeof(buf), json ? "\\\\x%02x" : "\\x%02x", byte);
    line_add(line, buf, strlen(buf));
}


static void
line_code(line_t *line, uint32_t c)
{
    char  buf[16];

    if (c > 0xffff) {
        c -= 0x10000;
        (void) snprintf(buf, sizeof(buf), "\\u%04x\\u%04x",
                        0xd800 + (unsigned) (c >> 10),
                        0xdc00 + (unsigned) (c & 0x3ff));

    } else {
        (void) snprintf(buf, sizeof(buf), "\\u%04x", (unsigned) c);
    }

    line_add(line, buf, strlen(buf));
}


static void
line_add(line_t *line, const char *data, size_t len)
{
    if (line->full || len > line->max - line->len) {
        line->full = true;
        return;
    }

    memcpy(line->p + line->len, data, len);
    line->len += len;
}


/* How many bytes from p on are visible ASCII that no format escapes. */

static size_t
plain_run(const unsigned char *p, size_t len)
{
    size_t  n;

    for (n = 0; n < len; n++) {
        if (p[n] < ' ' || p[n] >= 0x7f || p[n] == '"' || p[n] == '\\') {
            break;
        }
    }

    return n;
}


static bool
text_needs_quotes(const char *data, size_t len)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < len; i++) {
        c = (unsigned char) data[i];

        if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c >= 0x7f) {
            return true;
        }
    }

    return false;
}


/* The length of the character at p, or 0 if there is none (RFC 3629). */

static size_t
utf8_next(const unsigned char *p, size_t len, uint32_t *c)
{
    size_t    i, n;
    uint32_t  min;

    if (p[0] < 0x80) {
        *c = p[0];
        return 1;
    }

    if ((p[0] & 0xe0) == 0xc0) {
        n = 2;
        min = 0x80;
        *c = p[0] & 0x1f;

    } else if ((p[0] & 0xf0) == 0xe0) {
        n = 3;
        min = 0x800;
        *c = p[0] & 0x0f;

    } else if ((p[0] & 0xf8) == 0xf0) {
        n = 4;
        min = 0x10000;
        *c = p[0] & 0x07;

    } else {
        return 0;
    }

    if (n > len) {
        return 0;
    }

    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        *c = (*c << 6) | (p[i] & 0x3f);
    }

    if (*c < min || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff)) {
        return 0;
    }

    return n;
}


static bool
utf8_is_shown(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
        return false;
    }

    /* zero width, line and paragraph separators, bidirectional controls */

    if (c == 0x61c || c == 0x180e || c == 0xfeff || c == 0xad
        || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e)
        || (c >= 0x2060 && c <= 0x206f) || (c >= 0xfff0 && c <= 0xfffb)
        || c >= 0xe0000)
    {
        return false;
    }

    return true;
}
