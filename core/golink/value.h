
/*
 * Copyright (C) The Tailgate authors
 *
 * Values of a template that runs.
 */

#ifndef TGI_GOLINK_VALUE_H_INCLUDED_
#define TGI_GOLINK_VALUE_H_INCLUDED_

#include "core/golink/program.h"


/* Go's types, as far as a template can come to have them. */

typedef enum {
    VALUE_NIL = 0,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_INT64,
    VALUE_BYTE,
    VALUE_MONTH,
    VALUE_WEEKDAY,
    VALUE_FLOAT,
    VALUE_STRING,
    VALUE_TIME
} link_value_kind_t;

typedef struct {
    int64_t   seconds;         /* since the epoch */
    uint32_t  nanoseconds;
} link_time_t;

typedef struct {
    uint8_t               kind;
    uint8_t               mark;        /* whom it comes from, of a number */
    union {
        int64_t           integer;
        double            real;
        bool              truth;
        tgi_link_text_t   text;
        link_time_t       time;
    } u;
} link_value_t;

/* What runs. */

typedef struct {
    const tg_link_t          *link;
    tg_str_t                  source;
    const tg_link_request_t  *request;
    const tg_link_limits_t   *limits;
    const tg_alloc_t         *alloc;
    tg_error_t               *error;
    size_t                    steps;
    size_t                    budget;      /* bytes that may be allocated */
    uint32_t                  pos;         /* of what runs now */
    bool                      have_path;
    tgi_link_text_t           path;
    tgi_link_buf_t            out;
    link_value_t              vars[LINK_VARS_MAX];
} link_run_t;


/* Sets the error, at the place of what runs, and returns code. */

int tgi_link_fail(link_run_t *run, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes n steps: TG_OK or TG_LINK_STEPS. */

int tgi_link_step(link_run_t *run, size_t n);

/* A buffer of its own, that is not longer than output_max. */

void tgi_link_buf_init(link_run_t *run, tgi_link_buf_t *buf);

/* Adds to a buffer, with an error that names the place. */

int tgi_link_add(link_run_t *run, tgi_link_buf_t *buf,
    const tgi_link_text_t *text);
int tgi_link_add_bytes(link_run_t *run, tgi_link_buf_t *buf, const char *data,
    size_t len, uint8_t mark);

/* A buffer as a string. */

void tgi_link_buf_value(const tgi_link_buf_t *buf, link_value_t *value);

bool tgi_link_truth(const link_value_t *value);
const char *tgi_link_type(const link_value_t *value);

/* As {{value}} prints it, and %v of printf. */

int tgi_link_print(link_run_t *run, tgi_link_buf_t *buf,
    const link_value_t *value);

/* As fmt.Sprint does, and fmt.Sprintf with args[0]. */

int tgi_link_sprint(link_run_t *run, tgi_link_buf_t *buf,
    const link_value_t *args, size_t nargs);
int tgi_link_sprintf(link_run_t *run, tgi_link_buf_t *buf,
    const link_value_t *args, size_t nargs);

/* Functions, fields and methods, of values of the right types. */

int tgi_link_func(link_run_t *run, const link_node_t *node,
    const link_value_t *args, size_t nargs, link_value_t *value);
int tgi_link_get_field(link_run_t *run, link_field_t field,
    const link_value_t *args, link_value_t *value);
int tgi_link_get_method(link_run_t *run, link_field_t method,
    link_time_t time, const link_value_t *args, link_value_t *value);
int tgi_link_compare(link_run_t *run, link_func_t func,
    const link_value_t *args, size_t nargs, link_value_t *value);


/* A date of the proleptic Gregorian calendar, in UTC. */

typedef struct {
    int64_t  year;
    int      month;            /* 1 to 12 */
    int      day;
    int      hour;
    int      minute;
    int      second;
    int      weekday;          /* 0: Sunday */
    int      yday;             /* 1 to 366 */
} link_date_t;

/* TG_OK, or TG_ERR_RANGE outside of the years 1 to 9999. */

int tgi_link_date(link_time_t time, link_date_t *date);
int tgi_link_add_date(link_time_t time, int64_t years, int64_t months,
    int64_t days, link_time_t *sum);

extern const char *const  tgi_link_months[12];
extern const char *const  tgi_link_weekdays[7];

/* As time.Time.Format() does; layout's marks go with its bytes. */

int tgi_link_format_time(link_run_t *run, tgi_link_buf_t *buf,
    link_time_t time, const tgi_link_text_t *layout);


#endif /* TGI_GOLINK_VALUE_H_INCLUDED_ */
