
/*
 * Copyright (C) The Tailgate authors
 *
 * Many rows in one statement: each parameter is an array, in PostgreSQL's
 * binary form (array_send() of its source: dimensions, whether there are
 * NULLs, the type, for each dimension length and lower bound, the elements
 * with their length), all numbers in network order.
 */

#include "authd/store/postgres.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define HEAD      20

#define OID_INT8  20
#define OID_TEXT  25


static char *
put32(char *at, uint32_t number)
{
    number = htonl(number);
    memcpy(at, &number, sizeof(number));

    return at + sizeof(number);
}


/* The bytes of an element, NULL having none. */

static size_t
size_of(const authd_value_t *value)
{
    return value->is_number ? sizeof(int64_t) : value->text.len;
}


static char *
put_value(char *at, const authd_value_t *value)
{
    uint64_t  number;

    if (value->is_number) {
        number = (uint64_t) value->number;

        at = put32(at, sizeof(number));
        at = put32(at, (uint32_t) (number >> 32));

        return put32(at, (uint32_t) number);
    }

    if (value->text.data == NULL) {
        return put32(at, UINT32_MAX);
    }

    at = put32(at, (uint32_t) value->text.len);
    memcpy(at, value->text.data, value->text.len);

    return at + value->text.len;
}


/*
 * One column of the rows, every n-th value, as an array to free().  All of a
 * column are numbers, or texts.
 */

static char *
column(const authd_value_t *values, size_t n, size_t count, size_t *len)
{
    char   *array, *at;
    bool    nulls;
    size_t  i;

    nulls = false;
    *len = HEAD;

    for (i = 0; i < count; i++) {
        *len += sizeof(uint32_t) + size_of(&values[i * n]);
        nulls = nulls || (!values[i * n].is_number
                          && values[i * n].text.data == NULL);
    }

    array = malloc(*len);
    if (array == NULL) {
        return NULL;
    }

    at = put32(array, 1);
    at = put32(at, nulls);
    at = put32(at, values[0].is_number ? OID_INT8 : OID_TEXT);
    at = put32(at, (uint32_t) count);
    at = put32(at, 1);

    for (i = 0; i < count; i++) {
        at = put_value(at, &values[i * n]);
    }

    return array;
}


int
authd_pg_send_rows(authd_engine_t *engine, authd_sql_t sql,
    const authd_value_t *values, size_t n, size_t count, authd_row_pt row,
    void *data)
{
    int          rc, lengths[AUTHD_PG_VALUES], formats[AUTHD_PG_VALUES];
    char         name[16], *arrays[AUTHD_PG_VALUES];
    size_t       i, len;
    const char  *texts[AUTHD_PG_VALUES];

    if (count == 1) {
        return engine->ops->send(engine, sql, values, n, row, data);
    }

    rc = TG_ERR_NOMEM;
    memset(arrays, 0, sizeof(arrays));

    for (i = 0; i < n; i++) {
        arrays[i] = column(values + i, n, count, &len);
        if (arrays[i] == NULL) {
            goto out;
        }

        texts[i] = arrays[i];
        lengths[i] = (int) len;
        formats[i] = 1;
    }

    (void) snprintf(name, sizeof(name), "m%d", (int) sql);

    rc = authd_pg_send((authd_pg_t *) (void *) engine, name, sql, (int) n,
                       texts, lengths, formats, row, data);

out:

    for (i = 0; i < n; i++) {
        free(arrays[i]);
    }

    return rc;
}
