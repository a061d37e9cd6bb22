
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/people.h"
#include "core/base/map.h"

#include <net/client/localapi.h>

#include <jansson.h>

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>


#define STATUS_TARGET  "/localapi/v0/status"
#define STATUS_MAX     (128 * 1024 * 1024)
#define PEOPLE_AGE     5000        /* ms that a list is good for */


/* Who waits for a list. */

struct authd_links_asked_s {
    STAILQ_ENTRY(authd_links_asked_s)  link;
    authd_links_people_pt              cb;
    void                              *data;
};

typedef struct {
    tg_arena_t                             *arena;
    tg_alloc_t                              alloc;
    tgi_map_t                               logins;
} people_list_t;

/* An answer that is read beside the loop: that of a large tailnet is long. */

typedef struct {
    authd_links_people_t                   *people;  /* NULL: given up */
    char                                   *body;
    size_t                                  len;
    people_list_t                          *list;
} people_work_t;

struct authd_links_people_s {
    tgn_loop_t                             *loop;
    tgn_localapi_t                         *api;
    tgn_localapi_call_t                    *call;
    people_work_t                          *work;
    STAILQ_HEAD(, authd_links_asked_s)      asked;
    people_list_t                          *list;
    bool                                    known;
    uint64_t                                time;
};


static void on_status(const tgn_localapi_answer_t *answer, void *data);
static bool people_post(authd_links_people_t *people,
    const tgn_localapi_answer_t *answer);
static void on_work(void *data);
static void on_worked(void *data, bool cancelled);
static void people_give_up(authd_links_people_t *people);
static void people_settle(authd_links_people_t *people, people_list_t *list);
static people_list_t *people_read(const char *body, size_t len);
static bool people_add(people_list_t *list, json_t *user);
static void people_list_free(people_list_t **list);
static void people_tell(authd_links_people_t *people, bool ok);


authd_links_people_t *
authd_links_people_new(tgn_loop_t *loop, const authd_config_t *conf)
{
    authd_links_people_t  *people;

    people = calloc(1, sizeof(authd_links_people_t));

    if (people == NULL) {
        return NULL;
    }

    people->loop = loop;
    STAILQ_INIT(&people->asked);

    if (!authd_links_people_configure(people, conf)) {
        authd_links_people_free(&people);
    }

    return people;
}


void
authd_links_people_free(authd_links_people_t **people)
{
    if (*people == NULL) {
        return;
    }

    people_give_up(*people);
    tgn_localapi_free(&(*people)->api);

    people_tell(*people, false);

    people_list_free(&(*people)->list);
    free(*people);

    *people = NULL;
}


bool
authd_links_people_configure(authd_links_people_t *people,
    const authd_config_t *conf)
{
    tgn_localapi_t       *api;
    tgn_localapi_conf_t   ac;

    memset(&ac, 0, sizeof(ac));

    ac.socket = conf->localapi;
    ac.timeout = conf->localapi_timeout;
    ac.connections = 1;
    ac.keepalive = 1;
    ac.body_max = STATUS_MAX;

    api = tgn_localapi_new(people->loop, &ac);

    if (api == NULL) {
        return false;
    }

    people_give_up(people);
    tgn_localapi_free(&people->api);

    people->api = api;
    people->known = false;

    if (!STAILQ_EMPTY(&people->asked)) {
        people_tell(people, false);
    }

    return true;
}


void
authd_links_people_ask(authd_links_people_t *people, authd_links_people_pt cb,
    void *data)
{
    authd_links_asked_t  *asked;

    if (people->known
        && tgn_loop_now(people->loop) - people->time < PEOPLE_AGE)
    {
        cb(true, data);
        return;
    }

    asked = calloc(1, sizeof(authd_links_asked_t));

    if (asked != NULL && people->call == NULL && people->work == NULL) {
        people->call = tgn_localapi_get(people->api, STATUS_TARGET, on_status,
                                        people);
    }

    if (asked == NULL || (people->call == NULL && people->work == NULL)) {
        free(asked);
        cb(false, data);
        return;
    }

    asked->cb = cb;
    asked->data = data;

    STAILQ_INSERT_TAIL(&people->asked, asked, link);
}


bool
authd_links_people_known(const authd_links_people_t *people)
{
    return people->known;
}


bool
authd_links_people_has(const authd_links_people_t *people, tg_str_t login)
{
    return people->known && login.len != 0
           && tgi_map_get(&people->list->logins, login) != TGI_MAP_NONE;
}


static void
on_status(const tgn_localapi_answer_t *answer, void *data)
{
    authd_links_people_t  *people;

    people = data;

    people->call = NULL;

    if (answer->status != TGN_LOCALAPI_OK || answer->code != 200
        || !people_post(people, answer))
    {
        people_settle(people, NULL);
    }
}


/* Gives a copy of the answer to a thread; false when out of memory. */

static bool
people_post(authd_links_people_t *people, const tgn_localapi_answer_t *answer)
{
    people_work_t  *work;

    work = calloc(1, sizeof(people_work_t));

    if (work == NULL) {
        return false;
    }

    work->people = people;
    work->len = answer->len;
    work->body = malloc(answer->len + 1);

    if (work->body == NULL) {
        goto failed;
    }

    memcpy(work->body, answer->body, answer->len);

    if (tgn_work_post(people->loop, on_work, on_worked, work) == NULL) {
        goto failed;
    }

    people->work = work;

    return true;

failed:

    free(work->body);
    free(work);

    return false;
}


static void
on_work(void *data)
{
    people_work_t  *work;

    work = data;

    work->list = people_read(work->body, work->len);
}


static void
on_worked(void *data, bool cancelled)
{
    people_work_t  *work;

    (void) cancelled;

    work = data;

    if (work->people != NULL) {
        work->people->work = NULL;
        people_settle(work->people, work->list);

    } else {
        people_list_free(&work->list);
    }

    free(work->body);
    free(work);
}


/* What is on its way is not waited for. */

static void
people_give_up(authd_links_people_t *people)
{
    tgn_localapi_cancel(&people->call);

    if (people->work != NULL) {
        people->work->people = NULL;
        people->work = NULL;
    }
}


static void
people_settle(authd_links_people_t *people, people_list_t *list)
{
    people_list_free(&people->list);

    people->list = list;
    people->known = list != NULL;
    people->time = tgn_loop_now(people->loop);

    people_tell(people, people->known);
}


/*
 * ipnstate.Status.User: of each profile by its number the LoginName.  A node
 * that is not Running (BackendState) knows few or none of them.
 */

static people_list_t *
people_read(const char *body, size_t len)
{
    json_t         *root, *users, *user;
    const char     *key, *state;
    people_list_t  *list;

    root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    users = json_object_get(root, "User");
    state = json_string_value(json_object_get(root, "BackendState"));
    list = calloc(1, sizeof(people_list_t));

    if (list == NULL || !json_is_object(users) || state == NULL
        || strcmp(state, "Running") != 0)
    {
        goto failed;
    }

    list->arena = tg_arena_new(STATUS_MAX);

    if (list->arena == NULL) {
        goto failed;
    }

    list->alloc = tg_arena_allocator(list->arena);

    if (tgi_map_init(&list->logins, json_object_size(users), &list->alloc)
        != TG_OK)
    {
        goto failed;
    }

    json_object_foreach(users, key, user) {
        if (!people_add(list, user)) {
            goto failed;
        }
    }

    json_decref(root);

    return list;

failed:

    people_list_free(&list);
    json_decref(root);

    return NULL;
}


/* Machines have a profile that is nobody's. */

static bool
people_add(people_list_t *list, json_t *user)
{
    char        *copy;
    tg_str_t     login;
    const char  *text;

    text = json_string_value(json_object_get(user, "LoginName"));

    if (text == NULL || text[0] == '\0'
        || strcmp(text, "tagged-devices") == 0)
    {
        return true;
    }

    login.len = strlen(text);
    copy = list->alloc.alloc(list->alloc.ctx, login.len + 1);

    if (copy == NULL) {
        return false;
    }

    memcpy(copy, text, login.len + 1);
    login.data = copy;

    return tgi_map_add(&list->logins, login, 1) != TG_ERR_NOMEM;
}


static void
people_list_free(people_list_t **list)
{
    if (*list != NULL) {
        tg_arena_free(&(*list)->arena);
        free(*list);
        *list = NULL;
    }
}


/* A callback may ask again. */

static void
people_tell(authd_links_people_t *people, bool ok)
{
    authd_links_asked_t                  *asked;
    STAILQ_HEAD(, authd_links_asked_s)    told;

    STAILQ_INIT(&told);
    STAILQ_CONCAT(&told, &people->asked);

    while ((asked = STAILQ_FIRST(&told)) != NULL) {
        STAILQ_REMOVE_HEAD(&told, link);
        asked->cb(ok, asked->data);
        free(asked);
    }
}
