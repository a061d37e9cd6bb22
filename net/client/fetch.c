
/*
 * Copyright (C) The Tailgate authors
 */

#include <net/client/fetch.h>

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>


#define TIMEOUT      30000
#define BODY_MAX     ((size_t) 64 * 1024 * 1024)

#define HEADERS_MAX  256
#define HEAD_MAX     65536
#define ERROR_MAX    1024


struct tgn_fetch_s {
    CURL  *easy;
};

typedef struct {
    char                *body;
    size_t               len;
    size_t               size;
    size_t               max;
    bool                 too_large;
    bool                 no_memory;
    const tg_alloc_t    *alloc;
    tgn_fetch_header_t   headers[HEADERS_MAX];
    size_t               nheaders;
    size_t               head;
} transfer_t;


static bool set(CURL *easy, const tgn_fetch_ask_t *ask, transfer_t *transfer,
    struct curl_slist **headers, struct curl_slist **connect, char *text);
static bool add(struct curl_slist **list, const char *line);
static size_t on_header(char *line, size_t size, size_t n, void *data);
static size_t on_body(char *bytes, size_t size, size_t n, void *data);
static int settle(CURL *easy, CURLcode rc, const tgn_fetch_ask_t *ask,
    transfer_t *transfer, const char *text, const tg_alloc_t *alloc,
    tgn_fetch_answer_t *answer);
static int give(transfer_t *transfer, const tg_alloc_t *alloc,
    tgn_fetch_answer_t *answer);
static void *copy(const tg_alloc_t *alloc, const void *bytes, size_t len);


tgn_fetch_t *
tgn_fetch_new(void)
{
    tgn_fetch_t  *fetch;

    fetch = calloc(1, sizeof(tgn_fetch_t));

    if (fetch == NULL) {
        return NULL;
    }

    fetch->easy = curl_easy_init();

    if (fetch->easy == NULL) {
        tgn_fetch_free(&fetch);
    }

    return fetch;
}


void
tgn_fetch_free(tgn_fetch_t **fetch)
{
    if (*fetch == NULL) {
        return;
    }

    curl_easy_cleanup((*fetch)->easy);
    free(*fetch);
    *fetch = NULL;
}


int
tgn_fetch(tgn_fetch_t *fetch, const tgn_fetch_ask_t *ask,
    const tg_alloc_t *alloc, tgn_fetch_answer_t *answer)
{
    int                 rc;
    char                text[CURL_ERROR_SIZE];
    CURLcode            code;
    transfer_t         *transfer;
    struct curl_slist  *headers, *connect;

    memset(answer, 0, sizeof(tgn_fetch_answer_t));
    answer->error = "";

    rc = TG_ERR_NOMEM;
    text[0] = '\0';
    headers = NULL;
    connect = NULL;

    transfer = calloc(1, sizeof(transfer_t));

    if (transfer == NULL) {
        return rc;
    }

    transfer->alloc = alloc;
    transfer->max = ask->body_max ? ask->body_max : BODY_MAX;

    curl_easy_reset(fetch->easy);

    if (!set(fetch->easy, ask, transfer, &headers, &connect, text)) {
        goto out;
    }

    code = curl_easy_perform(fetch->easy);
    rc = settle(fetch->easy, code, ask, transfer, text, alloc, answer);

out:

    /* nothing of this request may be looked at by the next */
    curl_easy_reset(fetch->easy);
    curl_slist_free_all(headers);
    curl_slist_free_all(connect);
    free(transfer->body);
    free(transfer);

    return rc;
}


bool
tgn_fetch_header(const tgn_fetch_answer_t *answer, const char *name, size_t n,
    tg_str_t *value)
{
    size_t                     i, len;
    const tgn_fetch_header_t  *h;

    len = strlen(name);

    for (i = 0; i < answer->nheaders; i++) {
        h = &answer->headers[i];

        if (h->name.len == len && strncasecmp(h->name.data, name, len) == 0
            && n-- == 0)
        {
            *value = h->value;
            return true;
        }
    }

    return false;
}


static bool
set(CURL *easy, const tgn_fetch_ask_t *ask, transfer_t *transfer,
    struct curl_slist **headers, struct curl_slist **connect, char *text)
{
    bool    ok;
    char   *line;
    size_t  i;

    /* libcurl announces larger bodies by a header that few servers know */
    ok = add(headers, "Expect:");

    for (i = 0; ok && i < ask->nheaders; i++) {
        ok = add(headers, ask->headers[i]);
    }

    if (ok && ask->connect != NULL) {
        ok = asprintf(&line, "::%s", ask->connect) >= 0;

        if (ok) {
            ok = add(connect, line);
            free(line);
        }
    }

#define SET(option, value)                                                    \
    ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK

    SET(CURLOPT_URL, ask->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_ERRORBUFFER, text);
    SET(CURLOPT_HTTPHEADER, *headers);
    SET(CURLOPT_CONNECT_TO, *connect);
    SET(CURLOPT_TIMEOUT_MS,
        (long) (ask->timeout != 0 ? ask->timeout : TIMEOUT));
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, transfer);

    if (ask->socket != NULL) {
        SET(CURLOPT_UNIX_SOCKET_PATH, ask->socket);
    }

    if (ask->source != NULL) {

        /* "host!": an address, and never the name of an interface */

        ok = ok && asprintf(&line, "host!%s", ask->source) >= 0;

        if (ok) {
            SET(CURLOPT_INTERFACE, line);
            free(line);
        }
    }

    if (ask->cacert != NULL) {
        SET(CURLOPT_CAINFO, ask->cacert);
    }

    if (ask->body.data != NULL) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) ask->body.len);
        SET(CURLOPT_POSTFIELDS, ask->body.data);
    }

    if (ask->method != NULL) {
        SET(CURLOPT_CUSTOMREQUEST, ask->method);
        SET(CURLOPT_NOBODY, strcmp(ask->method, "HEAD") == 0 ? 1L : 0L);
    }

#undef SET

    return ok;
}


static bool
add(struct curl_slist **list, const char *line)
{
    struct curl_slist  *longer;

    longer = curl_slist_append(*list, line);

    if (longer == NULL) {
        return false;
    }

    *list = longer;

    return true;
}


/* A status line begins the headers anew: an interim answer may come first. */

static size_t
on_header(char *line, size_t size, size_t n, void *data)
{
    char                *colon;
    size_t               len, total;
    transfer_t          *transfer;
    tgn_fetch_header_t  *h;

    transfer = data;
    total = size * n;
    len = total;

    while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL) {
        len--;
    }

    transfer->head += total;
    colon = memchr(line, ':', len);

    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        transfer->nheaders = 0;
        return total;
    }

    if (colon == NULL) {
        return total;
    }

    if (transfer->nheaders == HEADERS_MAX || transfer->head > HEAD_MAX) {
        transfer->too_large = true;
        return 0;
    }

    h = &transfer->headers[transfer->nheaders];
    h->name.len = (size_t) (colon - line);
    h->name.data = copy(transfer->alloc, line, h->name.len);

    do {
        colon++;
    } while (colon < line + len && (*colon == ' ' || *colon == '\t'));

    h->value.len = (size_t) (line + len - colon);
    h->value.data = copy(transfer->alloc, colon, h->value.len);

    if (h->name.data == NULL || h->value.data == NULL) {
        transfer->no_memory = true;
        return 0;
    }

    transfer->nheaders++;

    return total;
}


static size_t
on_body(char *bytes, size_t size, size_t n, void *data)
{
    char        *body;
    size_t       len, room;
    transfer_t  *transfer;

    transfer = data;
    len = size * n;

    if (len > transfer->max - transfer->len) {
        transfer->too_large = true;
        return 0;
    }

    if (len > transfer->size - transfer->len) {
        room = transfer->size ? transfer->size : 4096;

        while (room - transfer->len < len) {
            room *= 2;
        }

        body = realloc(transfer->body, room);

        if (body == NULL) {
            transfer->no_memory = true;
            return 0;
        }

        transfer->body = body;
        transfer->size = room;
    }

    memcpy(transfer->body + transfer->len, bytes, len);
    transfer->len += len;

    return len;
}


static int
settle(CURL *easy, CURLcode rc, const tgn_fetch_ask_t *ask,
    transfer_t *transfer, const char *text, const tg_alloc_t *alloc,
    tgn_fetch_answer_t *answer)
{
    int          n;
    char        *error;
    long         code;
    curl_off_t   usec;
    const char  *why;

    if (transfer->no_memory || rc == CURLE_OUT_OF_MEMORY) {
        return TG_ERR_NOMEM;
    }

    usec = 0;
    code = 0;
    (void) curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &usec);
    answer->usec = usec > 0 ? (uint64_t) usec : 0;

    if (rc == CURLE_OK) {
        (void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
        answer->code = (int) code;

        return give(transfer, alloc, answer);
    }

    answer->unusable = rc == CURLE_URL_MALFORMAT
                       || rc == CURLE_UNSUPPORTED_PROTOCOL
                       || rc == CURLE_SSL_CACERT_BADFILE
                       || rc == CURLE_INTERFACE_FAILED;

    error = alloc->alloc(alloc->ctx, ERROR_MAX);

    if (error == NULL) {
        return TG_ERR_NOMEM;
    }

    why = transfer->too_large ? "the answer is too large"
          : text[0] != '\0' ? text : curl_easy_strerror(rc);

    n = ask->socket != NULL
        ? snprintf(error, ERROR_MAX, "no answer from %s by the socket %s: %s",
                   ask->url, ask->socket, why)
        : snprintf(error, ERROR_MAX, "no answer from %s: %s", ask->url, why);

    if (n >= ERROR_MAX) {
        memcpy(error + ERROR_MAX - 4, "...", 4);
    }

    answer->error = error;

    return TG_OK;
}


static int
give(transfer_t *transfer, const tg_alloc_t *alloc, tgn_fetch_answer_t *answer)
{
    char  *body;

    body = alloc->alloc(alloc->ctx, transfer->len + 1);

    if (body == NULL) {
        return TG_ERR_NOMEM;
    }

    if (transfer->len > 0) {
        memcpy(body, transfer->body, transfer->len);
    }

    body[transfer->len] = '\0';
    answer->body = (tg_str_t) { body, transfer->len };

    answer->nheaders = transfer->nheaders;
    answer->headers = copy(alloc, transfer->headers,
                           transfer->nheaders * sizeof(tgn_fetch_header_t));

    return answer->headers != NULL ? TG_OK : TG_ERR_NOMEM;
}


/* Never NULL for nothing: an empty string is one, too. */

static void *
copy(const tg_alloc_t *alloc, const void *bytes, size_t len)
{
    void  *p;

    p = alloc->alloc(alloc->ctx, len + 1);

    if (p != NULL && len > 0) {
        memcpy(p, bytes, len);
    }

    return p;
}
