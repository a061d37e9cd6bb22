
/*
 * Copyright (C) The Tailgate authors
 *
 * Lines for people and machines: text ("time level message key=value") or JSON,
 * one write() each, so that lines of several processes do not mix.  Nothing
 * that a client sends can begin a line, end one or add a field.
 */

#ifndef AUTHD_LOG_H_INCLUDED_
#define AUTHD_LOG_H_INCLUDED_

#include <tailgate/base.h>


typedef enum {
    AUTHD_LOG_ERROR = 0,       /* it does not work */
    AUTHD_LOG_WARN,            /* it works, and somebody should look */
    AUTHD_LOG_INFO,
    AUTHD_LOG_DEBUG
} authd_log_level_t;

typedef enum {
    AUTHD_LOG_TEXT = 0,
    AUTHD_LOG_JSON
} authd_log_format_t;


/* A line is cut, and says so, past this. */

#define AUTHD_LOG_LINE_MAX   8192
#define AUTHD_LOG_FIELD_MAX  1024  /* bytes of one value */


typedef struct {
    int                 fd;        /* the log never closes it */
    authd_log_level_t   level;     /* what is above it is dropped */
    authd_log_format_t  format;
    bool                journal;   /* fd is journald's: it has a time, and
                                      takes "<6>" as the level */
} authd_log_t;

typedef struct {
    const char  *key;              /* ours: [a-z_]+ */
    tg_str_t     value;
    bool         number;           /* value is digits: no quotes in JSON */
} authd_log_field_t;


/* The log on stderr: whether that is the journal is told by $JOURNAL_STREAM. */

void authd_log_init(authd_log_t *log);

/* fmt makes the message; it is escaped as values are. */

void authd_log(const authd_log_t *log, authd_log_level_t level,
    const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * A line with fields.  A field with an empty value is left out.  message may
 * be NULL: then there is neither message nor level (an audit line).
 */

bool authd_log_fields(const authd_log_t *log, authd_log_level_t level,
    const char *message, const authd_log_field_t *fields, size_t n);

/*
 * The line without its time, for tests: writes at most size bytes with a
 * newline and returns their number.
 */

size_t authd_log_format(const authd_log_t *log, authd_log_level_t level,
    const char *time, const char *message, const authd_log_field_t *fields,
    size_t n, char *buf, size_t size);


#endif /* AUTHD_LOG_H_INCLUDED_ */
