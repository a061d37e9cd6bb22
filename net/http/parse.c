
/*
 * Copyright (C) The Tailgate authors
 *
 * Bytes to a request.  llhttp does the grammar, without any of its lenient
 * flags; rules.c does what is beyond grammar.  No I/O: fuzz/fuzz_http.c runs
 * all of this file.
 */

#include <net/http/http.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>


/*
 * A chunked body may take up so many times its own size in chunk sizes and
 * line ends; chunk extensions and trailers come out of it as well.
 */

#define CHUNK_OVERHEAD  8


static int on_target(llhttp_t *parser, const char *at, size_t len);
static int on_name(llhttp_t *parser, const char *at, size_t len);
static int on_name_complete(llhttp_t *parser);
static int on_value(llhttp_t *parser, const char *at, size_t len);
static int on_value_complete(llhttp_t *parser);
static int on_headers_complete(llhttp_t *parser);
static int on_body(llhttp_t *parser, const char *at, size_t len);
static int on_message_complete(llhttp_t *parser);


static const llhttp_settings_t  settings = {
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_field_complete = on_name_complete,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete
};


void
tgn_parse_init(tgn_message_t *m, const tgn_http_limits_t *limits,
    bool http10_no_host)
{
    tgn_buf_t  store, body, lines;

    store = m->store;
    body = m->body;
    lines = m->lines;

    store.len = 0;
    body.len = 0;
    lines.len = 0;

    /* the tables of headers are written before they are read */
    memset(m, 0, offsetof(tgn_message_t, starts));
    m->headers[0].name.len = 0;
    memset(&m->body, 0, sizeof(tgn_message_t) - offsetof(tgn_message_t, body));

    m->store = store;
    m->body = body;
    m->lines = lines;

    m->limits = limits;
    m->http10_no_host = http10_no_host;

    llhttp_init(&m->parser, HTTP_REQUEST, &settings);
    m->parser.data = m;
}


void
tgn_parse_free(tgn_message_t *m)
{
    tgn_buf_free(&m->store);
    tgn_buf_free(&m->body);
    tgn_buf_free(&m->lines);
}


static int
keep(tgn_message_t *m, tgn_buf_t *buf, const char *at, size_t len, size_t max,
    int status, const char *reason)
{
    switch (tgn_buf_add(buf, at, len, max)) {

    case TG_OK:
        return HPE_OK;

    case TG_ERR_LIMIT:
        return tgn_refuse(m, status, reason);

    default:
        return tgn_refuse(m, 500, "out of memory");
    }
}


static int
on_target(llhttp_t *parser, const char *at, size_t len)
{
    tgn_message_t  *m = parser->data;

    if (m->target.len + len > m->limits->target) {
        return tgn_refuse(m, 414, "the request target is too long");
    }

    m->target.len += len;

    return keep(m, &m->store, at, len, m->limits->head, 414,
                "the request target is too long");
}


static int
on_name(llhttp_t *parser, const char *at, size_t len)
{
    tgn_message_t  *m = parser->data;

    if (m->part != TGN_PART_HEAD) {
        /* nobody reads them, and parsers disagree on what they are */
        return tgn_refuse(m, 400, "there is a trailer");
    }

    /* the limit may have become lower since the last one */

    if (m->n >= m->limits->headers) {
        return tgn_refuse(m, 431, "there are too many headers");
    }

    /* the head, and so the store, is far below 4 GiB */

    if (m->headers[m->n].name.len == 0) {
        m->starts[m->n] = (uint32_t) m->store.len;
    }

    m->headers[m->n].name.len += len;

    return keep(m, &m->store, at, len, m->limits->head, 431,
                "the headers are too long");
}


static int
on_name_complete(llhttp_t *parser)
{
    tgn_message_t  *m = parser->data;

    m->headers[m->n].value.len = 0;

    return HPE_OK;
}


static int
on_value(llhttp_t *parser, const char *at, size_t len)
{
    tgn_message_t  *m = parser->data;

    m->headers[m->n].value.len += len;

    return keep(m, &m->store, at, len, m->limits->head, 431,
                "the headers are too long");
}


static int
on_value_complete(llhttp_t *parser)
{
    tgn_message_t  *m = parser->data;

    m->n++;

    if (m->n < TGN_HTTP_HEADERS_MAX) {
        m->headers[m->n].name.len = 0;
    }

    return HPE_OK;
}


static tg_str_t
span(tgn_message_t *m, tgn_span_t s)
{
    tg_str_t  str;

    str.data = m->store.data + s.start;
    str.len = s.len;

    return str;
}


/* Blanks around a value are not part of it; llhttp keeps those behind. */

static tg_str_t
trimmed(tg_str_t s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }

    return s;
}


static int
on_headers_complete(llhttp_t *parser)
{
    size_t          i;
    tgn_header_t   *h;
    tgn_message_t  *m = parser->data;

    m->part = TGN_PART_BODY;

    if (llhttp_get_http_major(parser) != 1
        || llhttp_get_http_minor(parser) > 1)
    {
        return tgn_refuse(m, 505,
                          "the version is neither HTTP/1.0 nor HTTP/1.1");
    }

    m->r.minor = llhttp_get_http_minor(parser);

    m->r.method.data = llhttp_method_name(llhttp_get_method(parser));
    m->r.method.len = strlen(m->r.method.data);
    m->r.head = llhttp_get_method(parser) == HTTP_HEAD;

    if (llhttp_get_method(parser) == HTTP_CONNECT) {
        return tgn_refuse(m, 405, "CONNECT is for proxies");
    }

    m->r.target = span(m, m->target);

    for (i = 0; i < m->n; i++) {
        h = &m->headers[i];

        h->name.data = m->store.data + m->starts[i];
        h->value.data = h->name.data + h->name.len;
        h->value = trimmed(h->value);
    }

    m->r.headers = m->headers;
    m->r.nheaders = m->n;

    if (tgn_check_request(m) != HPE_OK) {
        return HPE_USER;
    }

    m->keepalive = llhttp_should_keep_alive(parser);
    m->chunks = (parser->flags & F_CHUNKED) != 0;

    if (parser->content_length > m->limits->body && !m->chunks) {
        /* it may still be that nobody wants it: then it is not read */
        m->error = 413;
        m->reason = "the body is too long";
    }

    return HPE_OK;
}


static int
on_body(llhttp_t *parser, const char *at, size_t len)
{
    tgn_message_t  *m = parser->data;

    return keep(m, &m->body, at, len, m->limits->body, 413,
                "the body is too long");
}


static int
on_message_complete(llhttp_t *parser)
{
    tgn_message_t  *m = parser->data;

    m->part = TGN_PART_DONE;
    m->r.body.data = m->body.data;
    m->r.body.len = m->body.len;

    /* the next request is somebody else's */
    return HPE_PAUSED;
}


/*
 * How many of the bytes belong to the head.  Lines end with CR LF and nothing
 * else, whatever llhttp thinks of it, no line continues another one, and one
 * blank each parts the request line (RFC 9112 3).  Returns TG_OK,
 * TG_ERR_ABSENT when the end is not among them, TG_ERR_SYNTAX.
 */

static int
scan_head(tgn_message_t *m, const char *data, size_t len, size_t *end)
{
    size_t          i;
    unsigned char   ch, *last;

    last = m->last;

    for (i = 0; i < len; i++) {
        ch = (unsigned char) data[i];

        if (m->lined && last[2] > ' ' && ch >= ' ') {

            /* the bulk: in the middle of a line nothing can be wrong */

            while (i + 1 < len && (unsigned char) data[i + 1] >= ' ') {
                i++;
            }

            last[1] = 'a';
            last[2] = (unsigned char) data[i];
            continue;
        }

        if (ch == '\0' || (last[2] == '\r') != (ch == '\n')) {
            return TG_ERR_SYNTAX;
        }

        if (last[2] == '\n' && m->began && (ch == ' ' || ch == '\t')) {
            return TG_ERR_SYNTAX;
        }

        if (ch == '\n' && last[1] == '\n' && m->began) {
            *end = i + 1;
            return TG_OK;
        }

        if (ch == ' ' && !m->lined && (last[2] == ' ' || ++m->blanks > 2)) {
            return TG_ERR_SYNTAX;
        }

        /* empty lines before the request line are allowed, RFC 9112 2.2 */

        if (ch != '\r' && ch != '\n') {
            m->began = true;

        } else if (m->began) {
            m->lined = true;
        }

        last[0] = last[1];
        last[1] = last[2];
        last[2] = ch;
    }

    *end = len;

    return TG_ERR_ABSENT;
}


static const struct {
    llhttp_errno_t  error;
    const char     *reason;
} reasons[] = {
    { HPE_INVALID_METHOD, "the method is not known" },
    { HPE_INVALID_URL, "the request target is malformed" },
    { HPE_INVALID_VERSION, "the version is malformed" },
    { HPE_INVALID_HEADER_TOKEN, "a header is malformed" },
    { HPE_INVALID_CONTENT_LENGTH, "the Content-Length is malformed" },
    { HPE_UNEXPECTED_CONTENT_LENGTH, "the Content-Length is one too many" },
    { HPE_INVALID_TRANSFER_ENCODING, "the Transfer-Encoding is malformed" },
    { HPE_INVALID_CHUNK_SIZE, "a chunk size is malformed" }
};


static tgn_parse_t
fault(tgn_message_t *m, llhttp_errno_t error)
{
    size_t       i;
    const char  *reason;

    reason = "the request is malformed";

    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].error == error) {
            reason = reasons[i].reason;
        }
    }

    (void) tgn_refuse(m, 400, reason);

    return TGN_PARSE_ERROR;
}


/* Feeds llhttp; what it did not take is behind the end of the request. */

static tgn_parse_t
feed(tgn_message_t *m, const char *data, size_t len, size_t *used)
{
    llhttp_errno_t  error;

    error = llhttp_execute(&m->parser, data, len);

    if (error == HPE_OK) {
        *used = len;
        return TGN_PARSE_MORE;
    }

    if (error == HPE_PAUSED && m->part == TGN_PART_DONE) {
        *used = (size_t) (llhttp_get_error_pos(&m->parser) - data);
        return TGN_PARSE_DONE;
    }

    *used = len;

    return fault(m, error);
}


static tgn_parse_t
parse_head(tgn_message_t *m, const char *data, size_t len, size_t *used)
{
    int          rc;
    size_t       end, ignored;
    tgn_parse_t  result;

    *used = len;

    rc = scan_head(m, data, len, &end);

    if (rc == TG_ERR_SYNTAX) {
        (void) tgn_refuse(m, 400, "a line is not ended by CR LF, is continued,"
                                  " or holds NUL or a blank too many");
        return TGN_PARSE_ERROR;
    }

    m->head += end;

    if (m->head > m->limits->head) {
        (void) tgn_refuse(m, 431, "the headers are too long");
        return TGN_PARSE_ERROR;
    }

    result = feed(m, data, end, &ignored);

    if (result == TGN_PARSE_ERROR) {
        return result;
    }

    *used = end;

    if (result == TGN_PARSE_DONE || rc == TG_ERR_ABSENT) {
        return result;
    }

    if (m->part != TGN_PART_BODY) {
        /* llhttp saw another end of the head than we did */
        return fault(m, HPE_INVALID_HEADER_TOKEN);
    }

    return TGN_PARSE_HEAD;
}


/* A chunked body ends with an empty line, and that with CR LF. */

static bool
is_ended(tgn_message_t *m, const char *data, size_t len)
{
    size_t  i;

    for (i = len > 3 ? len - 3 : 0; i < len; i++) {
        m->last[0] = m->last[1];
        m->last[1] = m->last[2];
        m->last[2] = (unsigned char) data[i];
    }

    return m->part != TGN_PART_DONE || !m->chunks
           || memcmp(m->last, "\n\r\n", 3) == 0;
}


tgn_parse_t
tgn_parse(tgn_message_t *m, const char *data, size_t len, size_t *used)
{
    tgn_parse_t  result;

    if (m->part == TGN_PART_HEAD) {
        return parse_head(m, data, len, used);
    }

    if (m->error) {
        /* the length that was announced */
        *used = len;
        return TGN_PARSE_ERROR;
    }

    result = feed(m, data, len, used);

    m->raw += *used;

    if (result != TGN_PARSE_ERROR && !is_ended(m, data, *used)) {
        return fault(m, HPE_INVALID_CHUNK_SIZE);
    }

    if (result == TGN_PARSE_MORE
        && m->raw / CHUNK_OVERHEAD > m->limits->body + m->limits->head)
    {
        (void) tgn_refuse(m, 413, "the body is too long");
        return TGN_PARSE_ERROR;
    }

    return result;
}
