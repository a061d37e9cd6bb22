
/*
 * Copyright (C) The Tailgate authors
 */

#include "ngx_http_tailgate_reader.h"

#include <string.h>
#include <strings.h>


typedef enum {
    STATE_STATUS = 0,
    STATE_HEADER,
    STATE_LENGTH,              /* a body of Content-Length */
    STATE_CHUNK_SIZE,
    STATE_CHUNK,
    STATE_CHUNK_END,
    STATE_TRAILER,
    STATE_DONE,
    STATE_ERROR
} state_t;


static ngx_http_tailgate_reader_rc_t fail(ngx_http_tailgate_reader_t *reader,
    const char *error);
static bool is_digit(char ch);
static bool is_token(char ch);
static bool equals(const char *text, size_t len, const char *word);
static bool take_line(ngx_http_tailgate_reader_t *reader, const char **pos,
    const char *last);
static void status_line(ngx_http_tailgate_reader_t *reader);
static void header_line(ngx_http_tailgate_reader_t *reader);
static void header(ngx_http_tailgate_reader_t *reader, const char *name,
    size_t name_len, const char *value, size_t len);
static void content_length(ngx_http_tailgate_reader_t *reader,
    const char *value, size_t len);
static void connection(ngx_http_tailgate_reader_t *reader, const char *value,
    size_t len);
static void end_of_head(ngx_http_tailgate_reader_t *reader);
static void chunk_size(ngx_http_tailgate_reader_t *reader);
static void line(ngx_http_tailgate_reader_t *reader);


void
ngx_http_tailgate_reader_init(ngx_http_tailgate_reader_t *reader,
    size_t body_max)
{
    memset(reader, 0, sizeof(*reader));

    reader->state = STATE_STATUS;
    reader->body_max = body_max;
}


ngx_http_tailgate_reader_rc_t
ngx_http_tailgate_reader_feed(ngx_http_tailgate_reader_t *reader,
    const char **pos, const char *last, const char **body, size_t *len)
{
    size_t  n;

    *body = NULL;
    *len = 0;

    for ( ;; ) {

        switch (reader->state) {

        case STATE_DONE:
            reader->keepalive = !reader->close && *pos == last;
            return NGX_HTTP_TAILGATE_READER_DONE;

        case STATE_ERROR:
            return NGX_HTTP_TAILGATE_READER_ERROR;

        case STATE_LENGTH:
        case STATE_CHUNK:

            if (*pos == last) {
                return NGX_HTTP_TAILGATE_READER_MORE;
            }

            n = (size_t) (last - *pos);

            if (n > reader->left) {
                n = reader->left;
            }

            *body = *pos;
            *len = n;
            *pos += n;

            reader->left -= n;
            reader->body_len += n;

            if (reader->left == 0) {
                reader->state = reader->chunked ? STATE_CHUNK_END
                                                : STATE_DONE;
            }

            return NGX_HTTP_TAILGATE_READER_BODY;

        default:

            if (!take_line(reader, pos, last)) {
                return reader->state == STATE_ERROR
                       ? NGX_HTTP_TAILGATE_READER_ERROR
                       : NGX_HTTP_TAILGATE_READER_MORE;
            }

            line(reader);
            reader->line_len = 0;
        }
    }
}


static ngx_http_tailgate_reader_rc_t
fail(ngx_http_tailgate_reader_t *reader, const char *error)
{
    reader->state = STATE_ERROR;
    reader->error = error;

    return NGX_HTTP_TAILGATE_READER_ERROR;
}


static bool
is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}


/* RFC 9110, 5.6.2 */

static bool
is_token(char ch)
{
    return is_digit(ch) || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
           || (ch != '\0' && strchr("!#$%&'*+-.^_`|~", ch) != NULL);
}


static bool
equals(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(text, word, len) == 0;
}


/*
 * Collects a line; true when it is whole, without its end, which is CR LF and
 * nothing else.
 */

static bool
take_line(ngx_http_tailgate_reader_t *reader, const char **pos,
    const char *last)
{
    char  ch;

    while (*pos < last) {

        ch = *(*pos)++;

        if (++reader->head_len > NGX_HTTP_TAILGATE_READER_HEAD_MAX) {
            (void) fail(reader, "its headers are too long");
            return false;
        }

        if (ch == '\n') {

            if (reader->line_len == 0
                || reader->line[reader->line_len - 1] != '\r')
            {
                (void) fail(reader, "a line ends without CR");
                return false;
            }

            reader->line_len--;
            return true;
        }

        if (ch == '\0'
            || (reader->line_len != 0
                && reader->line[reader->line_len - 1] == '\r'))
        {
            (void) fail(reader, "a line has NUL or CR in it");
            return false;
        }

        if (reader->line_len == sizeof(reader->line)) {
            (void) fail(reader, "a line is too long");
            return false;
        }

        reader->line[reader->line_len++] = ch;
    }

    return false;
}


static void
line(ngx_http_tailgate_reader_t *reader)
{
    switch (reader->state) {

    case STATE_STATUS:
        status_line(reader);
        break;

    case STATE_HEADER:

        if (reader->line_len == 0) {
            end_of_head(reader);

        } else {
            header_line(reader);
        }

        break;

    case STATE_CHUNK_SIZE:
        chunk_size(reader);
        break;

    case STATE_CHUNK_END:

        if (reader->line_len != 0) {
            (void) fail(reader, "a chunk is longer than it says");
            break;
        }

        reader->state = STATE_CHUNK_SIZE;
        break;

    default: /* STATE_TRAILER */

        if (reader->line_len == 0) {
            reader->state = STATE_DONE;
        }

        break;
    }
}


/* "HTTP/1.1 200 OK" */

static void
status_line(ngx_http_tailgate_reader_t *reader)
{
    const char  *p;

    p = reader->line;

    if (reader->line_len < sizeof("HTTP/1.1 200") - 1
        || memcmp(p, "HTTP/1.", 7) != 0
        || (p[7] != '0' && p[7] != '1')
        || p[8] != ' '
        || !is_digit(p[9]) || !is_digit(p[10]) || !is_digit(p[11])
        || (reader->line_len > 12 && p[12] != ' '))
    {
        (void) fail(reader, "it does not begin with an HTTP status line");
        return;
    }

    reader->code = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
    reader->close = p[7] == '0';

    if (reader->code < 200 || reader->code > 599) {
        (void) fail(reader, "its HTTP status is none that was asked for");
        return;
    }

    reader->state = STATE_HEADER;
}


static void
header_line(ngx_http_tailgate_reader_t *reader)
{
    size_t       name_len, len;
    const char  *value;

    for (name_len = 0; name_len < reader->line_len; name_len++) {
        if (!is_token(reader->line[name_len])) {
            break;
        }
    }

    if (name_len == 0 || name_len == reader->line_len
        || reader->line[name_len] != ':')
    {
        (void) fail(reader, "a header line is malformed");
        return;
    }

    value = reader->line + name_len + 1;
    len = reader->line_len - name_len - 1;

    while (len != 0 && (*value == ' ' || *value == '\t')) {
        value++;
        len--;
    }

    while (len != 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
        len--;
    }

    header(reader, reader->line, name_len, value, len);
}


static void
header(ngx_http_tailgate_reader_t *reader, const char *name, size_t name_len,
    const char *value, size_t len)
{
    if (equals(name, name_len, "Content-Length")) {
        content_length(reader, value, len);
        return;
    }

    if (equals(name, name_len, "Transfer-Encoding")) {

        if (reader->chunked || !equals(value, len, "chunked")) {
            (void) fail(reader, "its transfer encoding is not \"chunked\"");
            return;
        }

        reader->chunked = true;
        return;
    }

    if (equals(name, name_len, "Content-Encoding")) {
        (void) fail(reader, "its content is encoded");
        return;
    }

    if (equals(name, name_len, "Connection")) {
        connection(reader, value, len);
    }
}


static void
content_length(ngx_http_tailgate_reader_t *reader, const char *value,
    size_t len)
{
    size_t  i, n;

    if (reader->has_length || len == 0) {
        (void) fail(reader, "its Content-Length is malformed");
        return;
    }

    n = 0;

    for (i = 0; i < len; i++) {

        if (!is_digit(value[i])) {
            (void) fail(reader, "its Content-Length is malformed");
            return;
        }

        n = n * 10 + (size_t) (value[i] - '0');

        if (n > reader->body_max) {
            (void) fail(reader, "its body is too long");
            return;
        }
    }

    reader->has_length = true;
    reader->left = n;
}


/* A list; "close" is the only word that matters. */

static void
connection(ngx_http_tailgate_reader_t *reader, const char *value, size_t len)
{
    size_t  i, start;

    for (i = 0, start = 0; i <= len; i++) {

        if (i < len && value[i] != ',' && value[i] != ' ' && value[i] != '\t')
        {
            continue;
        }

        if (equals(value + start, i - start, "close")) {
            reader->close = true;
        }

        start = i + 1;
    }
}


/*
 * A body that ends with the connection cannot be told from one that was cut
 * off, so it is refused.
 */

static void
end_of_head(ngx_http_tailgate_reader_t *reader)
{
    if (reader->chunked) {

        if (reader->has_length) {
            (void) fail(reader, "it has both a length and chunks");
            return;
        }

        reader->state = STATE_CHUNK_SIZE;
        return;
    }

    if (reader->code == 204 || reader->code == 304) {
        reader->state = STATE_DONE;
        return;
    }

    if (!reader->has_length) {
        (void) fail(reader, "it does not say how long its body is");
        return;
    }

    reader->state = reader->left ? STATE_LENGTH : STATE_DONE;
}


/* "1a" or "1a;extension" */

static void
chunk_size(ngx_http_tailgate_reader_t *reader)
{
    char    ch;
    size_t  i, n;

    n = 0;

    for (i = 0; i < reader->line_len; i++) {

        ch = reader->line[i];

        if (is_digit(ch)) {
            n = n * 16 + (size_t) (ch - '0');

        } else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f') {
            n = n * 16 + (size_t) ((ch | 0x20) - 'a' + 10);

        } else {
            break;
        }

        if (n > reader->body_max - reader->body_len) {
            (void) fail(reader, "its body is too long");
            return;
        }
    }

    if (i == 0 || (i < reader->line_len && reader->line[i] != ';')) {
        (void) fail(reader, "a chunk size is malformed");
        return;
    }

    /* lines between chunks do not count as a head that grows */
    reader->head_len = 0;

    reader->left = n;
    reader->state = n ? STATE_CHUNK : STATE_TRAILER;
}
