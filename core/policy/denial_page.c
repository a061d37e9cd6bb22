
/*
 * Copyright (C) The Tailgate authors
 *
 * A denial as a page: denial.html, whose marks are replaced.
 */

#include "core/policy/denial.h"
#include "assets/core_assets.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>


#define MARK_BEGIN  "<!-- "
#define MARK_END    " -->"
#define CSP_MAX     256


static void page_mark(tgi_out_t *out, tg_str_t mark,
    const tgi_denial_facts_t *facts);
static void page_rows(tgi_out_t *out, const tgi_denial_facts_t *facts);
static void page_contact(tgi_out_t *out, tg_str_t contact);
static bool is_mailbox(tg_str_t contact);
static bool is_link(tg_str_t contact);
static bool is_mark(tg_str_t mark, const char *name);
static tg_str_t str(const char *text);


void
tgi_denial_page(tgi_out_t *out, const tgi_denial_facts_t *facts)
{
    tg_str_t     mark;
    const char  *html, *begin, *end;

    html = (const char *) tgi_asset_policy_denial_html;

    while ((begin = strstr(html, MARK_BEGIN)) != NULL
           && (end = strstr(begin, MARK_END)) != NULL)
    {
        tgi_out_add(out, html, (size_t) (begin - html));

        mark.data = begin + sizeof(MARK_BEGIN) - 1;
        mark.len = (size_t) (end - mark.data);

        page_mark(out, mark, facts);

        html = end + sizeof(MARK_END) - 1;
    }

    tgi_out_str(out, html);
}


int
tgi_denial_csp(const tg_alloc_t *alloc, tg_str_t *csp)
{
    int            n;
    char          *text;
    unsigned       len;
    unsigned char  hash[EVP_MAX_MD_SIZE], base64[2 * EVP_MAX_MD_SIZE];

    /* without its style the page is plain, and no less right */

    if (EVP_Digest(tgi_asset_policy_denial_css,
                   tgi_asset_policy_denial_css_len, hash, &len, EVP_sha256(),
                   NULL)
        != 1)
    {
        *csp = (tg_str_t) TG_STR("default-src 'none'; base-uri 'none';"
                                 " form-action 'none';"
                                 " frame-ancestors 'none'");
        return TG_OK;
    }

    text = alloc->alloc(alloc->ctx, CSP_MAX);

    if (text == NULL) {
        return TG_ERR_NOMEM;
    }

    (void) EVP_EncodeBlock(base64, hash, (int) len);

    n = snprintf(text, CSP_MAX, "default-src 'none'; style-src 'sha256-%s';"
                 " base-uri 'none'; form-action 'none';"
                 " frame-ancestors 'none'", (const char *) base64);

    csp->data = text;
    csp->len = (size_t) n;

    return TG_OK;
}


static void
page_mark(tgi_out_t *out, tg_str_t mark, const tgi_denial_facts_t *facts)
{
    if (is_mark(mark, "style")) {
        tgi_out_str(out, "<style>");
        tgi_out_add(out, (const char *) tgi_asset_policy_denial_css,
                    tgi_asset_policy_denial_css_len);
        tgi_out_str(out, "</style>");

    } else if (is_mark(mark, "title")) {
        tgi_out_markup(out, str(facts->title));

    } else if (is_mark(mark, "advice")) {
        tgi_out_markup(out, str(facts->advice));

    } else if (is_mark(mark, "rows")) {
        page_rows(out, facts);
    }
}


static void
page_rows(tgi_out_t *out, const tgi_denial_facts_t *facts)
{
    size_t                   i, j;
    const tgi_denial_row_t  *row;

    tgi_out_str(out, "<dt>Why</dt><dd>");
    tgi_out_markup(out, str(facts->detail));
    tgi_out_str(out, "</dd>\n");

    for (i = 0; i < facts->nrows; i++) {
        row = &facts->rows[i];

        tgi_out_str(out, "<dt>");
        tgi_out_markup(out, str(row->label));
        tgi_out_str(out, "</dt>");

        for (j = 0; j < row->n; j++) {
            tgi_out_str(out, "<dd>");
            tgi_out_markup(out, row->items[j]);
            tgi_out_str(out, "</dd>");
        }

        tgi_out_str(out, "\n");
    }

    if (facts->contact.len != 0) {
        tgi_out_str(out, "<dt>Whom to ask</dt><dd>");
        page_contact(out, facts->contact);
        tgi_out_str(out, "</dd>\n");
    }

    if (facts->id.len != 0) {
        tgi_out_str(out, "<dt>Request</dt><dd>");
        tgi_out_markup(out, facts->id);
        tgi_out_str(out, "</dd>\n");
    }
}


static void
page_contact(tgi_out_t *out, tg_str_t contact)
{
    bool  mailbox;

    mailbox = is_mailbox(contact);

    if (!mailbox && !is_link(contact)) {
        tgi_out_markup(out, contact);
        return;
    }

    tgi_out_str(out, mailbox ? "<a href=\"mailto:" : "<a href=\"");
    tgi_out_markup(out, contact);
    tgi_out_str(out, "\">");
    tgi_out_markup(out, contact);
    tgi_out_str(out, "</a>");
}


/* One that needs no encoding behind "mailto:" (RFC 6068 2). */

static bool
is_mailbox(tg_str_t contact)
{
    char    c;
    size_t  i, at;

    at = 0;

    for (i = 0; i < contact.len; i++) {
        c = contact.data[i];

        if (c == '@') {
            at++;

        } else if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
                   && (c < '0' || c > '9') && (c == '\0'
                                               || !strchr(".-_+", c)))
        {
            return false;
        }
    }

    return at == 1 && contact.len <= TGI_DENIAL_TEXT_MAX
           && contact.data[0] != '@'
           && contact.data[contact.len - 1] != '@';
}


static bool
is_link(tg_str_t contact)
{
    size_t  i;

    for (i = 0; i < contact.len; i++) {
        if (contact.data[i] <= ' ' || contact.data[i] > '~') {
            return false;
        }
    }

    return contact.len > 8 && contact.len <= TGI_DENIAL_TEXT_MAX
           && memcmp(contact.data, "https://", 8) == 0;
}


static bool
is_mark(tg_str_t mark, const char *name)
{
    return mark.len == strlen(name)
           && memcmp(mark.data, name, mark.len) == 0;
}


static tg_str_t
str(const char *text)
{
    tg_str_t  out;

    out.data = text;
    out.len = strlen(text);

    return out;
}
