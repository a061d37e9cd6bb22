
/*
 * Copyright (C) The Tailgate authors
 *
 * A growing run of bytes with a bound.
 */

#include <net/http/http.h>

#include <stdlib.h>
#include <string.h>


int
tgn_buf_add(tgn_buf_t *buf, const void *data, size_t len, size_t max)
{
    char    *p;
    size_t   size;

    if (len > max || buf->len > max - len) {
        return TG_ERR_LIMIT;
    }

    if (len == 0) {
        return TG_OK;
    }

    if (buf->size - buf->len < len) {
        size = buf->size ? buf->size : 512;

        while (size - buf->len < len) {
            size *= 2;
        }

        p = realloc(buf->data, size);
        if (p == NULL) {
            return TG_ERR_NOMEM;
        }

        buf->data = p;
        buf->size = size;
    }

    memcpy(buf->data + buf->len, data, len);
    buf->len += len;

    return TG_OK;
}


void
tgn_buf_free(tgn_buf_t *buf)
{
    free(buf->data);

    buf->data = NULL;
    buf->len = 0;
    buf->size = 0;
}
