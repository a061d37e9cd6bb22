
/*
 * Copyright (C) The Tailgate authors
 *
 * What RFC 9112 leaves to a server, or what some version of llhttp lets
 * through: whether a head that is well-formed is a request that we take.
 */

#include <net/http/http.h>

#include <string.h>
#include <strings.h>


int
tgn_refuse(tgn_message_t *m, int status, const char *reason)
{
    /* the first reason is the one that counts */

    if (m->error == 0) {
        m->error = status;
        m->reason = reason;
    }

    return HPE_USER;
}


static bool
is_word(tg_str_t s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.data, word, s.len) == 0;
}


static bool
is_hex(char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f')
           || (ch >= 'A' && ch <= 'F');
}


/*
 * Origin-form only.  An escape that is none is refused in the path, where
 * programs disagree on what it is; a query may hold anything printable.
 */

static int
check_target(tgn_message_t *m)
{
    size_t         i;
    tg_str_t       t;
    unsigned char  ch;

    t = m->r.target;

    if (t.len == 0 || t.data[0] != '/') {
        return tgn_refuse(m, 400, "the request target is not origin-form");
    }

    m->r.path = t;

    for (i = 0; i < t.len; i++) {
        ch = (unsigned char) t.data[i];

        if (ch <= ' ' || ch >= 127 || ch == '#') {
            return tgn_refuse(m, 400, "the request target holds a character"
                                      " that no URI has");
        }

        if (ch == '?' && m->r.path.len == t.len) {
            m->r.path.len = i;
            m->r.query.data = t.data + i + 1;
            m->r.query.len = t.len - i - 1;
        }

        if (ch != '%') {
            continue;
        }

        if (t.len - i < 3 || !is_hex(t.data[i + 1]) || !is_hex(t.data[i + 2]))
        {
            if (m->r.path.len == t.len) {
                return tgn_refuse(m, 400, "the request path holds a broken"
                                          " escape");
            }

        } else if (t.data[i + 1] == '0' && t.data[i + 2] == '0') {
            return tgn_refuse(m, 400, "the request target holds %00");
        }
    }

    return HPE_OK;
}


/* RFC 9112 6.1 to 6.3: one way only to say how long the body is. */

static int
check_framing(tgn_message_t *m, size_t nlength, size_t ncoding,
    tg_str_t length, tg_str_t coding)
{
    size_t  i;

    if (nlength > 1) {
        return tgn_refuse(m, 400, "there is more than one Content-Length");
    }

    if (nlength && ncoding) {
        return tgn_refuse(m, 400, "there is a Content-Length and a"
                                  " Transfer-Encoding");
    }

    if (ncoding > 1 || (ncoding && !is_word(coding, "chunked"))) {
        return tgn_refuse(m, 400, "the Transfer-Encoding is not \"chunked\"");
    }

    if (ncoding && m->r.minor == 0) {
        return tgn_refuse(m, 400, "HTTP/1.0 has no Transfer-Encoding");
    }

    if (nlength == 0) {
        return HPE_OK;
    }

    for (i = 0; i < length.len; i++) {
        if (length.data[i] < '0' || length.data[i] > '9') {
            break;
        }
    }

    if (length.len == 0 || i != length.len) {
        return tgn_refuse(m, 400, "the Content-Length is not a number");
    }

    if (length.len > 19) {
        return tgn_refuse(m, 413, "the body is too long");
    }

    return HPE_OK;
}


static int
check_headers(tgn_message_t *m)
{
    int            rc;
    size_t         i, nhost, nlength, ncoding, nexpect;
    tg_str_t       length, coding, expect;
    tgn_header_t  *h;

    nhost = 0;
    nlength = 0;
    ncoding = 0;
    nexpect = 0;
    length = (tg_str_t) TG_NULL_STR;
    coding = (tg_str_t) TG_NULL_STR;
    expect = (tg_str_t) TG_NULL_STR;

    for (i = 0; i < m->n; i++) {
        h = &m->headers[i];

        if (!tgn_is_token(h->name.data, h->name.len)) {
            return tgn_refuse(m, 400, "a header name is no token");
        }

        if (!tgn_is_value(h->value.data, h->value.len)) {
            return tgn_refuse(m, 400, "a header holds a control character");
        }

        if (is_word(h->name, "Host")) {
            nhost++;
            m->r.host = h->value;

        } else if (is_word(h->name, "Content-Length")) {
            nlength++;
            length = h->value;

        } else if (is_word(h->name, "Transfer-Encoding")) {
            ncoding++;
            coding = h->value;

        } else if (is_word(h->name, "Expect")) {
            nexpect++;
            expect = h->value;
        }
    }

    if (nhost > 1 || (nhost == 0 && !(m->r.minor == 0 && m->http10_no_host))) {
        return tgn_refuse(m, 400, nhost ? "there is more than one Host"
                                        : "there is no Host");
    }

    rc = check_framing(m, nlength, ncoding, length, coding);
    if (rc != HPE_OK) {
        return rc;
    }

    if (nexpect > 1 || (nexpect && !is_word(expect, "100-continue"))) {
        return tgn_refuse(m, 417, "the expectation is not 100-continue");
    }

    m->expect = nexpect && m->r.minor == 1;

    return HPE_OK;
}


int
tgn_check_request(tgn_message_t *m)
{
    int  rc;

    rc = check_target(m);

    return rc == HPE_OK ? check_headers(m) : rc;
}
