
/*
 * Copyright (C) The Tailgate authors
 *
 * The module's reader of LocalAPI responses.  The first byte says in how large
 * parts the rest comes in: read so and read whole, it has to be the same.
 */

#include <modules/nginx/ngx_http_tailgate_reader.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define BODY_MAX  4096


typedef struct {
    ngx_http_tailgate_reader_rc_t   rc;
    int                             code;
    size_t                          len;
    char                            body[BODY_MAX];
} outcome_t;


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static void
read_in_steps(const char *text, size_t len, size_t step, outcome_t *outcome)
{
    size_t                          n, given;
    const char                     *pos, *last, *body;
    ngx_http_tailgate_reader_t      reader;
    ngx_http_tailgate_reader_rc_t   rc;

    memset(outcome, 0, sizeof(*outcome));
    ngx_http_tailgate_reader_init(&reader, BODY_MAX);

    pos = text;
    given = 0;

    do {
        given += len - given < step ? len - given : step;
        last = text + given;

        do {
            rc = ngx_http_tailgate_reader_feed(&reader, &pos, last, &body, &n);

            require(pos <= last);

            if (rc == NGX_HTTP_TAILGATE_READER_BODY) {
                require(n != 0 && n <= BODY_MAX - outcome->len);
                require(body >= text && body + n <= last);
                memcpy(outcome->body + outcome->len, body, n);
                outcome->len += n;
            }

        } while (rc == NGX_HTTP_TAILGATE_READER_BODY);

        require(rc != NGX_HTTP_TAILGATE_READER_MORE || pos == last);
        require((rc == NGX_HTTP_TAILGATE_READER_ERROR)
                == (reader.error != NULL));

    } while (rc == NGX_HTTP_TAILGATE_READER_MORE && given < len);

    outcome->rc = rc;
    outcome->code = reader.code;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            step;
    const char       *text;
    static outcome_t  whole, parts;

    if (size < 2) {
        return 0;
    }

    step = (size_t) data[0] + 1;
    text = (const char *) data + 1;

    read_in_steps(text, size - 1, size - 1, &whole);
    read_in_steps(text, size - 1, step, &parts);

    require(whole.rc == parts.rc);
    require(whole.code == parts.code);
    require(whole.len == parts.len);
    require(memcmp(whole.body, parts.body, whole.len) == 0);

    return 0;
}
