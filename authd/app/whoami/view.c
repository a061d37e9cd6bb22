
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/whoami/view.h"
#include "assets/authd_assets.h"

#include <jansson.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* marks in page.html */

#define MARK_STYLE  "<!-- style -->"
#define MARK_ROWS   "<!-- rows -->"
#define CSP_MAX     256


typedef struct {
    char    *data;                 /* NULL: the length is wanted alone */
    size_t   len;
    size_t   size;
} page_t;


static json_t *json_text(tg_str_t s);
static int json_put(json_t *object, const char *key, tg_str_t s);
static int json_put_list(json_t *object, const char *key,
    const tg_list_t *list);
static int json_fill(json_t *root, const authd_exchange_t *ex,
    const authd_identified_t *identified);
static int json_fill_identity(json_t *root, const tg_identity_t *identity);
static void page_fill(page_t *page, const authd_exchange_t *ex,
    const authd_identified_t *identified);
static void page_rows(page_t *page, const authd_exchange_t *ex,
    const authd_identified_t *identified);
static void page_row(page_t *page, const char *name, tg_str_t value);
static void page_list(page_t *page, const char *name, const tg_list_t *list);
static void page_add(page_t *page, const char *data, size_t len);
static void page_text(page_t *page, const char *data, size_t len);
static tg_str_t str(const char *s);
static const char *verdict_name(const authd_exchange_t *ex);
static const char *verdict_word(const authd_exchange_t *ex);


tg_str_t
authd_whoami_json(authd_exchange_t *ex, const authd_identified_t *identified)
{
    char      *text, *copy;
    size_t     len;
    json_t    *root;
    tg_str_t   body = TG_NULL_STR;

    text = NULL;
    root = json_object();

    if (root == NULL || json_fill(root, ex, identified) != 0) {
        goto out;
    }

    text = json_dumps(root, JSON_INDENT(2)|JSON_ENSURE_ASCII);

    if (text == NULL) {
        goto out;
    }

    len = strlen(text);
    copy = ex->alloc.alloc(ex->alloc.ctx, len + 1);

    if (copy == NULL) {
        goto out;
    }

    memcpy(copy, text, len);
    copy[len] = '\n';

    body.data = copy;
    body.len = len + 1;

out:

    free(text);
    json_decref(root);

    return body;
}


tg_str_t
authd_whoami_page(authd_exchange_t *ex, const authd_identified_t *identified)
{
    page_t    page;
    tg_str_t  body = TG_NULL_STR;

    memset(&page, 0, sizeof(page));

    /* once to know the length, once to write */

    page_fill(&page, ex, identified);

    page.size = page.len;
    page.len = 0;
    page.data = ex->alloc.alloc(ex->alloc.ctx, page.size);

    if (page.data == NULL) {
        return body;
    }

    page_fill(&page, ex, identified);

    body.data = page.data;
    body.len = page.len;

    return body;
}


tg_str_t
authd_whoami_csp(authd_exchange_t *ex)
{
    int            n;
    char          *text;
    tg_str_t       csp = TG_STR("default-src 'none'; frame-ancestors 'none'");
    unsigned       len;
    unsigned char  hash[EVP_MAX_MD_SIZE], base64[2 * EVP_MAX_MD_SIZE];

    text = ex->alloc.alloc(ex->alloc.ctx, CSP_MAX);

    /* without its style the page is plain, and no less right */

    if (text == NULL
        || EVP_Digest(authd_asset_whoami_page_css,
                      authd_asset_whoami_page_css_len, hash, &len,
                      EVP_sha256(), NULL)
           != 1)
    {
        return csp;
    }

    (void) EVP_EncodeBlock(base64, hash, (int) len);

    n = snprintf(text, CSP_MAX, "default-src 'none'; style-src 'sha256-%s';"
                 " base-uri 'none'; form-action 'none';"
                 " frame-ancestors 'none'", (const char *) base64);

    csp.data = text;
    csp.len = (size_t) n;

    return csp;
}


static int
json_fill(json_t *root, const authd_exchange_t *ex,
    const authd_identified_t *identified)
{
    char  source[TG_ADDR_TEXT_MAX];

    (void) tg_addr_format(&ex->source, ex->source.port != 0, source);

    if (json_put(root, "status", str(tg_status_name(identified->peer.status)))
        || json_put(root, "verdict", str(verdict_name(ex)))
        || json_put(root, "reason", str(ex->decision.text))
        || json_put(root, "detail", str(identified->detail))
        || json_put(root, "source", str(source))
        || json_put(root, "request", str(ex->id)))
    {
        return -1;
    }

    if (identified->peer.identity == NULL) {
        return 0;
    }

    return json_fill_identity(root, identified->peer.identity);
}


static int
json_fill_identity(json_t *root, const tg_identity_t *identity)
{
    char  addr[TG_ADDR_TEXT_MAX];

    (void) tg_addr_format(&identity->node_addr, false, addr);

    if (json_put(root, "login", identity->login)
        || json_put(root, "user", identity->user)
        || json_put(root, "name", identity->name)
        || json_put(root, "picture", identity->picture)
        || json_put_list(root, "groups", &identity->groups)
        || json_put_list(root, "tags", &identity->tags)
        || json_put(root, "node", identity->node)
        || json_put(root, "node_id", identity->node_id)
        || json_put(root, "node_addr", str(addr))
        || json_put(root, "tailnet", identity->tailnet)
        || json_put(root, "os", identity->os)
        || json_put(root, "os_version", identity->os_version)
        || json_put(root, "client_version", identity->client_version))
    {
        return -1;
    }

    return json_object_set_new(root, "key_expiry",
                               json_integer(identity->key_expiry));
}


static json_t *
json_text(tg_str_t s)
{
    return json_stringn(s.data ? s.data : "", s.len);
}


/* What is empty is left out. */

static int
json_put(json_t *object, const char *key, tg_str_t s)
{
    return s.len == 0 ? 0 : json_object_set_new(object, key, json_text(s));
}


static int
json_put_list(json_t *object, const char *key, const tg_list_t *list)
{
    size_t   i;
    json_t  *array;

    array = json_array();

    for (i = 0; i < list->n; i++) {
        if (json_array_append_new(array, json_text(list->items[i])) != 0) {
            json_decref(array);
            return -1;
        }
    }

    return json_object_set_new(object, key, array);
}


static void
page_fill(page_t *page, const authd_exchange_t *ex,
    const authd_identified_t *identified)
{
    const char  *html, *style, *rows;

    html = (const char *) authd_asset_whoami_page_html;
    style = strstr(html, MARK_STYLE);
    rows = strstr(html, MARK_ROWS);

    if (style == NULL || rows == NULL) {
        return;
    }

    page_add(page, html, (size_t) (style - html));
    page_add(page, "<style>", 7);
    page_add(page, (const char *) authd_asset_whoami_page_css,
             authd_asset_whoami_page_css_len);
    page_add(page, "</style>", 8);

    style += sizeof(MARK_STYLE) - 1;
    page_add(page, style, (size_t) (rows - style));

    page_rows(page, ex, identified);

    rows += sizeof(MARK_ROWS) - 1;
    page_add(page, rows, strlen(rows));
}


static void
page_rows(page_t *page, const authd_exchange_t *ex,
    const authd_identified_t *identified)
{
    char                  source[TG_ADDR_TEXT_MAX];
    const tg_identity_t  *id;

    id = identified->peer.identity;

    (void) tg_addr_format(&ex->source, ex->source.port != 0, source);

    if (id != NULL) {
        page_row(page, "Login", id->login);
        page_row(page, "Name", id->name);
        page_list(page, "Groups", &id->groups);
        page_row(page, "Node", id->node);
        page_list(page, "Tags", &id->tags);
        page_row(page, "Tailnet", id->tailnet);
        page_row(page, "System", id->os);
    }

    page_row(page, "Address", str(source));
    page_row(page, "Status", str(tg_status_name(identified->peer.status)));
    page_row(page, "May pass", str(verdict_word(ex)));
    page_row(page, "Why", str(ex->decision.text));
    page_row(page, "", str(identified->detail));
    page_row(page, "Request", str(ex->id));
}


static void
page_row(page_t *page, const char *name, tg_str_t value)
{
    if (value.len == 0) {
        return;
    }

    page_add(page, "<tr><th>", 8);
    page_text(page, name, strlen(name));
    page_add(page, "</th><td>", 9);
    page_text(page, value.data, value.len);
    page_add(page, "</td></tr>\n", 11);
}


static void
page_list(page_t *page, const char *name, const tg_list_t *list)
{
    size_t  i;

    for (i = 0; i < list->n; i++) {
        page_row(page, i == 0 ? name : "", list->items[i]);
    }
}


/* Text that cannot be markup, in an element as in an attribute. */

static void
page_text(page_t *page, const char *data, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        switch (data[i]) {

        case '&':
            page_add(page, "&amp;", 5);
            break;

        case '<':
            page_add(page, "&lt;", 4);
            break;

        case '>':
            page_add(page, "&gt;", 4);
            break;

        case '"':
            page_add(page, "&quot;", 6);
            break;

        case '\'':
            page_add(page, "&#39;", 5);
            break;

        default:
            page_add(page, &data[i], 1);
        }
    }
}


static void
page_add(page_t *page, const char *data, size_t len)
{
    if (page->data != NULL) {

        if (len > page->size - page->len) {
            return;
        }

        memcpy(page->data + page->len, data, len);
    }

    page->len += len;
}


static tg_str_t
str(const char *s)
{
    tg_str_t  out;

    out.data = s ? s : "";
    out.len = strlen(out.data);

    return out;
}


/* Of a peer that a policy file may let in there is none: "". */

static const char *
verdict_name(const authd_exchange_t *ex)
{
    if (ex->decision.verdict != TG_ALLOW) {
        return "deny";
    }

    return ex->authd->conf->rules ? "" : "allow";
}


static const char *
verdict_word(const authd_exchange_t *ex)
{
    if (ex->decision.verdict != TG_ALLOW) {
        return "no";
    }

    return ex->authd->conf->rules ? "" : "yes";
}
