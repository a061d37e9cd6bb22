
/*
 * Copyright (C) The Tailgate authors
 *
 * A form that was refused, as it was filled in, with what is wrong beside the
 * field.  A field has the name that the page gives it, not that of golink's
 * form or of the API.
 */

#include "authd/app/links/page.h"
#include "authd/app/links/token.h"

#include <stddef.h>
#include <string.h>


typedef struct {
    const char  *field;        /* of authd_links_wrong_t */
    const char  *label;        /* as in form.html */
    size_t       error;        /* of authd_links_form_t */
} place_t;

static const place_t  places[] = {
    { "name", "Name", offsetof(authd_links_form_t, name_error) },
    { "url", "Leads to", offsetof(authd_links_form_t, url_error) },
    { "description", "Description",
      offsetof(authd_links_form_t, description_error) },
    { "owner", "Owner", offsetof(authd_links_form_t, owner_error) },
    { "owners", "Further owners", offsetof(authd_links_form_t, owners_error) },
    { "tags", "Tags", offsetof(authd_links_form_t, tags_error) },
    { "expires", "Expires", offsetof(authd_links_form_t, expires_error) }
};


static void wrong_fill(authd_links_job_t *job, bool fresh, tg_str_t expires,
    authd_links_form_t *form);
static bool wrong_place(const tg_alloc_t *alloc, authd_links_form_t *form,
    const char *field, const char *text);


void
authd_links_wrong_page(authd_links_job_t *job, bool fresh, tg_str_t expires)
{
    const char                 *text;
    const tg_alloc_t           *alloc;
    authd_links_out_t           out;
    authd_links_call_t         *call;
    authd_links_home_t          page;
    const authd_links_wrong_t  *wrong;

    call = job->call;
    alloc = &call->alloc;
    wrong = &job->wrong;

    memset(&page, 0, sizeof(page));

    page.wrong = true;

    authd_links_frame(call, "Not saved", &page.frame);
    wrong_fill(job, fresh, expires, &page.form);

    text = wrong->text;

    if (wrong->field != NULL && strcmp(wrong->field, "url") == 0) {
        text = authd_links_format(alloc, "%s: %s",
                                  wrong->template
                                  ? "this is an invalid template"
                                  : "this is no URL to send people to",
                                  text).data;
    }

    if (wrong->missing) {

        if (job->edit.name.len == 0) {
            (void) wrong_place(alloc, &page.form, "name", "a link needs one");
        }

        if (job->edit.url.len == 0) {
            (void) wrong_place(alloc, &page.form, "url", "a link needs a URL");
        }

    } else if (text == NULL
               || !wrong_place(alloc, &page.form, wrong->field, text))
    {
        page.alert = authd_links_str(wrong->text);
    }

    authd_links_out_init(&out, alloc);
    authd_links_page_home(&out, &page);

    authd_links_job_end(job);
    authd_links_send_page(call, 400, authd_links_out_done(&out));
}


tg_str_t
authd_links_labelled(const tg_alloc_t *alloc, const char *label,
    const char *text)
{
    return authd_links_format(alloc, "%s: %s", label, text);
}


/* The token is one of now: what was typed can be sent again. */

static void
wrong_fill(authd_links_job_t *job, bool fresh, tg_str_t expires,
    authd_links_form_t *form)
{
    tg_str_t              object = TG_STR(AUTHD_LINKS_TOKEN_NEW);
    authd_link_t          link, before;
    authd_links_call_t   *call;
    authd_links_edit_t   *edit;
    authd_links_entry_t  *entry;

    call = job->call;
    edit = &job->edit;

    memset(&link, 0, sizeof(link));

    link.name = edit->name;
    link.url = edit->url;
    link.owner = edit->owner;
    link.owners = edit->owners;
    link.description = edit->description;
    link.tags = edit->tags;
    link.anyone = edit->anyone;

    authd_links_form_of(call, &link, form);

    entry = fresh ? NULL
                  : authd_links_index_named(call->app->index, edit->name);

    if (entry != NULL) {
        authd_record_link(entry->record, &before);
        object = before.name;
    }

    form->expires = expires;
    form->exists = entry != NULL;
    form->token = authd_links_page_token(call, "/", object);
}


static bool
wrong_place(const tg_alloc_t *alloc, authd_links_form_t *form,
    const char *field, const char *text)
{
    size_t    i;
    tg_str_t  error;

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {

        if (field == NULL || strcmp(places[i].field, field) != 0) {
            continue;
        }

        error = authd_links_labelled(alloc, places[i].label, text);
        memcpy((char *) form + places[i].error, &error, sizeof(error));

        return true;
    }

    return false;
}
