
/*
 * Copyright (C) The Tailgate authors
 *
 * Answers.  A header that could be read as two is refused, and spoils the
 * answer: half of an answer may mean something else than the whole one.
 */

#include <net/http/http.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>


/* Of all header lines of an answer. */

#define LINES_MAX  65536


static const struct {
    int          status;
    const char  *text;
} texts[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 417, "Expectation Failed" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" }
};


const char *
tgn_status_text(int status)
{
    size_t  i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].status == status) {
            return texts[i].text;
        }
    }

    return "Unknown";
}


static tgn_message_t *
message(tgn_request_t *r)
{
    /* r is its first member */
    return (tgn_message_t *) (void *) r;
}


static bool
is_ours(const char *name)
{
    size_t  i;

    static const char *const  ours[] = {
        "Connection", "Content-Length", "Date", "Keep-Alive",
        "Transfer-Encoding", "Upgrade", "Trailer"
    };

    for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcasecmp(name, ours[i]) == 0) {
            return true;
        }
    }

    return false;
}


int
tgn_response_header(tgn_request_t *r, const char *name, tg_str_t value)
{
    int             rc;
    size_t          len;
    tgn_message_t  *m = message(r);

    if (!tgn_is_token(name, strlen(name)) || is_ours(name)
        || !tgn_is_value(value.data, value.len))
    {
        m->bad = true;
        return TG_ERR_REFUSED;
    }

    len = m->lines.len;

    rc = tgn_buf_add(&m->lines, name, strlen(name), LINES_MAX);

    if (rc == TG_OK) {
        rc = tgn_buf_add(&m->lines, ": ", 2, LINES_MAX);
    }

    if (rc == TG_OK) {
        rc = tgn_buf_add(&m->lines, value.data, value.len, LINES_MAX);
    }

    if (rc == TG_OK) {
        rc = tgn_buf_add(&m->lines, "\r\n", 2, LINES_MAX);
    }

    if (rc != TG_OK) {
        m->lines.len = len;
        m->bad = true;
    }

    return rc;
}


static bool
has_no_body(int status)
{
    return status < 200 || status == 204 || status == 304;
}


/*
 * The whole head into m->lines, behind the header lines, which are moved.
 * length is what Content-Length says, or TGN_LENGTH_CHUNKED.
 */

static int
write_head(tgn_message_t *m, int status, uint64_t length, tg_str_t *head)
{
    int          n, rc;
    char         line[256], tail[256];
    size_t       lines;
    const char  *framing, *connection;
    char         number[48];

    framing = "";

    if (has_no_body(status)) {
        m->silent = true;

    } else if (length != TGN_LENGTH_CHUNKED) {
        (void) snprintf(number, sizeof(number), "Content-Length: %ju\r\n",
                        (uintmax_t) length);
        framing = number;

    } else if (m->r.minor == 0) {
        m->conn->close = true;

    } else if (!m->r.head) {
        m->chunked = true;
        framing = "Transfer-Encoding: chunked\r\n";
    }

    if (m->r.head) {
        m->silent = true;
    }

    connection = m->conn->close ? "Connection: close\r\n"
                 : m->r.minor == 0 ? "Connection: keep-alive\r\n" : "";

    n = snprintf(line, sizeof(line), "HTTP/1.%d %d %s\r\n",
                 m->r.minor == 0 && m->r.method.len ? 0 : 1, status,
                 tgn_status_text(status));

    lines = m->lines.len;

    rc = tgn_buf_add(&m->lines, line, (size_t) n, LINES_MAX + 512);
    if (rc != TG_OK) {
        return rc;
    }

    n = snprintf(tail, sizeof(tail), "Date: %s\r\n%s%s\r\n",
                 tgn_http_date(m->conn->http), framing, connection);

    /* the status line goes to the front */

    memmove(m->lines.data + (m->lines.len - lines), m->lines.data, lines);
    memcpy(m->lines.data, line, m->lines.len - lines);

    rc = tgn_buf_add(&m->lines, tail, (size_t) n, LINES_MAX + 512);
    if (rc != TG_OK) {
        return rc;
    }

    head->data = m->lines.data;
    head->len = m->lines.len;

    return TG_OK;
}


static void
send_whole(tgn_message_t *m, int status, tg_str_t body)
{
    int          error;
    tg_str_t     head;
    tgn_conn_t  *c;

    c = m->conn;

    if (write_head(m, status, body.len, &head) != TG_OK) {
        tgn_http_say(c->http, TGN_HTTP_LOG_ERROR, &c->peer,
                     "no memory for an answer");
        tgn_conn_close(c, false);
        return;
    }

    if (m->silent) {
        body.len = 0;
    }

    if (!tgn_conn_send(c, head, body, &error)) {

        if (error != TG_OK) {
            tgn_http_say(c->http, TGN_HTTP_LOG_ERROR, &c->peer,
                         "an answer is too long for a client that does not"
                         " read");
        }

        tgn_conn_close(c, false);
        return;
    }

    tgn_conn_answered(c);
}


void
tgn_response_send(tgn_request_t *r, int status, tg_str_t body)
{
    tgn_message_t  *m = message(r);

    if (m->bad) {
        m->lines.len = 0;
        status = 500;
        body = (tg_str_t) TG_NULL_STR;
    }

    send_whole(m, status, body);
}


/* The server's own answer to what is no proper request. */

void
tgn_response_error(tgn_message_t *m)
{
    tg_str_t    body;
    static const char  plain[] = "Content-Type: text/plain\r\n";

    body.data = m->reason;
    body.len = strlen(m->reason);

    m->lines.len = 0;
    (void) tgn_buf_add(&m->lines, plain, sizeof(plain) - 1, LINES_MAX);

    send_whole(m, m->error, body);
}


int
tgn_response_begin(tgn_request_t *r, int status, uint64_t length)
{
    int             error;
    tg_str_t        head;
    tgn_conn_t     *c;
    tgn_message_t  *m = message(r);

    c = m->conn;

    if (m->bad) {
        tgn_response_send(r, 500, (tg_str_t) TG_NULL_STR);
        return TG_ERR_REFUSED;
    }

    error = write_head(m, status, length, &head);

    if (error != TG_OK) {
        tgn_conn_close(c, false);
        return error;
    }

    m->begun = true;
    m->left = length;

    if (!tgn_conn_send(c, head, (tg_str_t) TG_NULL_STR, &error)
        && error != TG_OK)
    {
        tgn_conn_close(c, false);
        return error;
    }

    /* a connection that broke is found out by its poll */

    return TG_OK;
}


int
tgn_response_write(tgn_request_t *r, tg_str_t data)
{
    int             error, n;
    char            size[32];
    tg_str_t        head;
    tgn_conn_t     *c;
    tgn_message_t  *m = message(r);

    c = m->conn;

    if (m->silent || data.len == 0) {
        return TG_OK;
    }

    if (m->left != TGN_LENGTH_CHUNKED) {
        if (data.len > m->left) {
            data.len = (size_t) m->left;
        }

        m->left -= data.len;
    }

    error = TG_OK;
    head = (tg_str_t) TG_NULL_STR;

    if (m->chunked) {
        n = snprintf(size, sizeof(size), "%zx\r\n", data.len);

        head.data = size;
        head.len = (size_t) n;
    }

    if (!tgn_conn_send(c, head, data, &error) && error != TG_OK) {
        tgn_conn_close(c, false);
        return error;
    }

    head.data = "\r\n";
    head.len = 2;

    if (m->chunked
        && !tgn_conn_send(c, head, (tg_str_t) TG_NULL_STR, &error)
        && error != TG_OK)
    {
        tgn_conn_close(c, false);
        return error;
    }

    return TG_OK;
}


void
tgn_response_end(tgn_request_t *r)
{
    int             error;
    tg_str_t        last = TG_STR("0\r\n\r\n");
    tgn_conn_t     *c;
    tgn_message_t  *m = message(r);

    c = m->conn;

    if (m->chunked
        && !tgn_conn_send(c, last, (tg_str_t) TG_NULL_STR, &error))
    {
        tgn_conn_close(c, false);
        return;
    }

    if (!m->chunked && !m->silent && m->left != TGN_LENGTH_CHUNKED && m->left)
    {
        c->close = true;
    }

    tgn_conn_answered(c);
}


void
tgn_response_close(tgn_request_t *r)
{
    message(r)->conn->close = true;
}


void
tgn_request_on_abort(tgn_request_t *r, void (*abort)(void *data), void *data)
{
    tgn_message_t  *m = message(r);

    m->abort = abort;
    m->abort_data = data;
}


void
tgn_request_abort(tgn_request_t *r)
{
    tgn_conn_close(message(r)->conn, false);
}


int
tgn_request_hijack(tgn_request_t *r)
{
    int          fd;
    tgn_conn_t  *c;

    c = message(r)->conn;

    if (message(r)->begun || c->out.len) {
        return -1;
    }

    fd = c->fd;
    c->fd = -1;

    tgn_conn_close(c, false);

    return fd;
}
