
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/edit.h"
#include "core/base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


static bool is_git(const authd_link_t *link);
static bool has_left(const authd_link_t *link,
    const authd_links_people_t *people);
static bool check_name(tg_str_t name, authd_links_wrong_t *wrong);
static bool check_url(tg_str_t url, authd_links_wrong_t *wrong);
static bool check_words(tg_str_t list, const char *field, size_t max,
    authd_links_wrong_t *wrong);
static bool check_text(tg_str_t text, const char *field, size_t max,
    authd_links_wrong_t *wrong);
static bool fail(authd_links_wrong_t *wrong, int code, const char *field,
    const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));


authd_links_may_t
authd_links_may(const authd_links_who_t *who, const authd_link_t *link,
    bool readonly, const authd_links_people_t *people, bool lost)
{
    if (readonly) {
        return AUTHD_LINKS_READONLY;
    }

    if (who->login.len == 0 && !who->machine) {
        return AUTHD_LINKS_NO_PERSON;
    }

    if (link == NULL || who->machine || who->admin) {
        return AUTHD_LINKS_MAY_OWN;
    }

    if (is_git(link)) {
        return AUTHD_LINKS_IS_GIT;
    }

    if (tgi_str_equal(link->owner, who->login)
        || authd_links_is_named(who, link->owners))
    {
        return AUTHD_LINKS_MAY_OWN;
    }

    if (link->owner.len == 0 && link->owners.len == 0) {
        return AUTHD_LINKS_MAY_TAKE;
    }

    if (!lost && people == NULL) {
        return AUTHD_LINKS_MAY_ASK;
    }

    if (!lost && authd_links_people_known(people) && has_left(link, people)) {
        return AUTHD_LINKS_MAY_TAKE;
    }

    return link->anyone ? AUTHD_LINKS_MAY_EDIT : AUTHD_LINKS_NOT_YOURS;
}


void
authd_links_may_wrong(authd_links_may_t may, const char *verb,
    const authd_link_t *link, authd_links_wrong_t *wrong)
{
    tg_str_t  owner;

    memset(wrong, 0, sizeof(authd_links_wrong_t));

    owner = link ? link->owner : (tg_str_t) TG_NULL_STR;
    wrong->code = 403;

    switch (may) {

    case AUTHD_LINKS_READONLY:
        (void) snprintf(wrong->text, sizeof(wrong->text), "golink is in"
                        " read-only mode");
        break;

    case AUTHD_LINKS_NO_PERSON:
        wrong->code = 401;
        (void) snprintf(wrong->text, sizeof(wrong->text), "links are changed"
                        " by people, and by machines that a policy file"
                        " lets");
        break;

    case AUTHD_LINKS_IS_GIT:
        (void) snprintf(wrong->text, sizeof(wrong->text), "cannot %s link:"
                        " it is kept in a file, by \"tailgate links apply\"",
                        verb);
        break;

    default:
        (void) snprintf(wrong->text, sizeof(wrong->text), "cannot %s link"
                        " owned by \"%.*s\"", verb, (int) owner.len,
                        owner.data);
    }
}


bool
authd_links_may_change(authd_links_may_t may)
{
    return may <= AUTHD_LINKS_MAY_EDIT;
}


bool
authd_links_is_named(const authd_links_who_t *who, tg_str_t list)
{
    size_t    i;
    tg_str_t  item, group;

    static const tg_str_t  prefix = TG_STR("group:");

    if (who->login.len == 0) {
        return false;
    }

    while (authd_list_next(&list, &item)) {

        if (tgi_str_equal(item, who->login)) {
            return true;
        }

        if (item.len <= prefix.len
            || memcmp(item.data, prefix.data, prefix.len) != 0)
        {
            continue;
        }

        /* "eng" and "group:eng" are the same */

        for (i = 0; i < who->groups.n; i++) {
            group = who->groups.items[i];

            if (tgi_str_equal(item, group)
                || tgi_str_equal((tg_str_t) { item.data + prefix.len,
                                              item.len - prefix.len }, group))
            {
                return true;
            }
        }
    }

    return false;
}


bool
authd_links_edit_check(const authd_links_edit_t *edit,
    const authd_link_t *before, authd_links_wrong_t *wrong)
{
    memset(wrong, 0, sizeof(authd_links_wrong_t));

    if (!check_name(edit->name, wrong)) {
        return false;
    }

    if (!edit->has_url && (before == NULL || before->alias.len != 0)) {
        return fail(wrong, 422, "url", "a new link needs a url");
    }

    return (!edit->has_url || check_url(edit->url, wrong))
           && check_text(edit->owner, "owner", AUTHD_LINKS_WORD_MAX, wrong)
           && check_text(edit->description, "description",
                         AUTHD_LINKS_DESCRIPTION_MAX, wrong)
           && check_words(edit->owners, "owners", AUTHD_LINKS_WORD_MAX, wrong)
           && check_words(edit->tags, "tags", AUTHD_LINKS_TAG_MAX, wrong);
}


bool
authd_links_edit_apply(const authd_links_edit_t *edit,
    const authd_link_t *before, const authd_links_who_t *who,
    authd_links_may_t may, char id[TG_LINK_NAME_MAX], authd_link_t *after,
    authd_links_wrong_t *wrong)
{
    memset(wrong, 0, sizeof(authd_links_wrong_t));
    memset(after, 0, sizeof(authd_link_t));

    if (before != NULL) {
        *after = *before;
    }

    /* a link that is made in the place of a former name is one of its own */

    after->alias = (tg_str_t) TG_NULL_STR;
    after->name = edit->name;
    after->id.data = id;
    after->id.len = tg_link_id(edit->name, id);

    after->url = edit->has_url ? edit->url : after->url;
    after->owners = edit->has_owners ? edit->owners : after->owners;
    after->description = edit->has_description ? edit->description
                                               : after->description;
    after->tags = edit->has_tags ? edit->tags : after->tags;
    after->expires = edit->has_expires ? edit->expires : after->expires;
    after->anyone = edit->has_anyone ? edit->anyone : after->anyone;
    after->created = edit->created ? edit->created : after->created;
    after->edited = edit->edited;

    if (edit->owner.len != 0) {
        after->owner = edit->owner;

    } else if (before == NULL || may == AUTHD_LINKS_MAY_TAKE) {
        after->owner = edit->nobody ? (tg_str_t) TG_NULL_STR : who->login;
    }

    if (edit->git) {
        after->origin = (tg_str_t) TG_STR(AUTHD_LINKS_GIT);
        after->owner = edit->owner.len ? edit->owner
                                       : (tg_str_t) TG_STR(AUTHD_LINKS_GIT);
    }

    if (may == AUTHD_LINKS_MAY_EDIT
        && (!tgi_str_equal(after->owner, before->owner)
            || !tgi_str_equal(after->owners, before->owners)
            || after->anyone != before->anyone))
    {
        return fail(wrong, 403, "owner", "only its owner may change who owns"
                    " this link");
    }

    /* what a machine makes belongs to a person, or is nobody's to keep */

    if (before == NULL && !edit->nobody && after->owner.len == 0
        && after->owners.len == 0)
    {
        return fail(wrong, 422, "owner", "a link that a machine makes needs an"
                    " owner");
    }

    return true;
}


tg_str_t
authd_links_edit_owner(const authd_links_edit_t *edit,
    const authd_link_t *before, const authd_links_who_t *who)
{
    if (edit->git || tgi_str_equal(edit->owner, who->login)
        || (before != NULL && tgi_str_equal(edit->owner, before->owner)))
    {
        return (tg_str_t) TG_NULL_STR;
    }

    return edit->owner;
}


bool
authd_links_edit_same(const authd_link_t *a, const authd_link_t *b)
{
    return tgi_str_equal(a->name, b->name)
           && tgi_str_equal(a->url, b->url)
           && tgi_str_equal(a->owner, b->owner)
           && tgi_str_equal(a->owners, b->owners)
           && tgi_str_equal(a->description, b->description)
           && tgi_str_equal(a->tags, b->tags)
           && tgi_str_equal(a->origin, b->origin)
           && tgi_str_equal(a->alias, b->alias)
           && a->expires == b->expires && a->anyone == b->anyone;
}


static bool
is_git(const authd_link_t *link)
{
    return authd_links_equal(link->origin, AUTHD_LINKS_GIT);
}


/* All of them: a group is never gone. */

static bool
has_left(const authd_link_t *link, const authd_links_people_t *people)
{
    tg_str_t  list, item;

    if (link->owner.len != 0 && authd_links_people_has(people, link->owner)) {
        return false;
    }

    list = link->owners;

    while (authd_list_next(&list, &item)) {
        if ((item.len > 6 && memcmp(item.data, "group:", 6) == 0)
            || authd_links_people_has(people, item))
        {
            return false;
        }
    }

    return true;
}


static bool
check_name(tg_str_t name, authd_links_wrong_t *wrong)
{
    tg_error_t  error;

    error.text[0] = '\0';

    if (tg_link_name_check(name, &error) != TG_OK) {
        return fail(wrong, 422, "name", "%s", error.text);
    }

    return true;
}


static bool
check_url(tg_str_t url, authd_links_wrong_t *wrong)
{
    tg_link_t   *link;
    tg_error_t   error;

    memset(&error, 0, sizeof(error));

    if (tg_link_compile(url, NULL, NULL, &link, &error) == TG_OK) {
        return true;
    }

    wrong->template = memmem(url.data, url.len, "{{", 2) != NULL;

    if (wrong->template && error.line != 0) {
        return fail(wrong, 422, "url", "line %zu, column %zu: %s", error.line,
                    error.column, error.text);
    }

    return fail(wrong, 422, "url", "%s", error.text);
}


static bool
check_words(tg_str_t list, const char *field, size_t max,
    authd_links_wrong_t *wrong)
{
    size_t    i, n;
    tg_str_t  item;

    for (n = 0; authd_list_next(&list, &item); n++) {

        if (!check_text(item, field, max, wrong)) {
            return false;
        }

        for (i = 0; i < item.len; i++) {
            if (item.data[i] == ' ' || item.data[i] == ',') {
                return fail(wrong, 422, field, "\"%.*s\" holds a blank or a"
                            " comma", (int) item.len, item.data);
            }
        }
    }

    if (n > AUTHD_LINKS_WORDS_MAX) {
        return fail(wrong, 422, field, "these are more than %d",
                    AUTHD_LINKS_WORDS_MAX);
    }

    return true;
}


static bool
check_text(tg_str_t text, const char *field, size_t max,
    authd_links_wrong_t *wrong)
{
    if (text.len > max) {
        return fail(wrong, 422, field, "this is longer than %zu bytes", max);
    }

    if (text.len != 0 && tgi_text_check(text.data, text.len) != TG_OK) {
        return fail(wrong, 422, field, "this holds a control character, or is"
                    " no UTF-8");
    }

    return true;
}


static bool
fail(authd_links_wrong_t *wrong, int code, const char *field, const char *fmt,
    ...)
{
    va_list  args;

    wrong->code = code;
    wrong->field = field;

    va_start(args, fmt);
    (void) vsnprintf(wrong->text, sizeof(wrong->text), fmt, args);
    va_end(args);

    return false;
}
