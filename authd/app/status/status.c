
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/status/status.h"
#include "authd/exchange.h"
#include "tailgate_config.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>


/* names of routes that are listed; their number is told whole */

#define ROUTES_MAX  1000


static void handle_status(authd_t *authd, tgn_request_t *r);
static json_t *status_json(const authd_t *authd);
static int status_policy(json_t *root, const authd_t *authd);
static json_t *status_routes(const tg_policy_t *policy);
static int put(json_t *object, const char *key, json_t *value);
static json_t *text(tg_str_t s);


static const authd_route_t  routes[] = {
    { "/v1/status", handle_status }
};


const authd_route_t *
authd_status_routes(size_t *n)
{
    *n = sizeof(routes) / sizeof(routes[0]);

    return routes;
}


static void
handle_status(authd_t *authd, tgn_request_t *r)
{
    char      *body;
    json_t    *root;

    if (!authd_admin_allowed(authd, r)) {
        return;
    }

    root = status_json(authd);
    body = root ? json_dumps(root, JSON_INDENT(2)|JSON_ENSURE_ASCII) : NULL;

    json_decref(root);

    if (body == NULL) {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "out of memory");
        authd_answer_text(r, 503, "out of memory");
        return;
    }

    (void) tgn_response_header(r, "Content-Type",
                               (tg_str_t) TG_STR("application/json"));
    (void) tgn_response_header(r, "Cache-Control",
                               (tg_str_t) TG_STR("no-store"));

    tgn_response_send(r, 200, (tg_str_t) { body, strlen(body) });

    free(body);
}


static json_t *
status_json(const authd_t *authd)
{
    json_t  *root;

    root = json_object();

    if (root == NULL) {
        return NULL;
    }

    if (put(root, "version", json_string(TAILGATE_VERSION))
        || put(root, "pid", json_integer((json_int_t) getpid()))
        || put(root, "config", json_string(authd->file))
        || put(root, "loaded", json_integer(authd->metrics.config_time))
        || put(root, "reloads", json_integer((json_int_t)
                                    (authd->metrics.reloads
                                     + authd->metrics.reloads_failed)))
        || put(root, "ok", json_boolean(authd->metrics.config_ok))
        || status_policy(root, authd))
    {
        goto failed;
    }

    if (!authd->metrics.config_ok
        && (put(root, "error", json_string(authd->reload_error))
            || put(root, "error_time",
                   json_integer(authd->reload_error_time))))
    {
        goto failed;
    }

    return root;

failed:

    json_decref(root);

    return NULL;
}


static int
status_policy(json_t *root, const authd_t *authd)
{
    const authd_config_t  *conf;

    conf = authd->conf;

    if (conf->rules == NULL) {
        return put(root, "policy", json_string(
                       conf->policy == AUTHD_POLICY_MEMBER ? "member"
                                                           : "none"));
    }

    return put(root, "policy", json_string(conf->policy_file))
           || put(root, "digest", text(tg_policy_digest(conf->rules)))
           || put(root, "nroutes", json_integer(
                      (json_int_t) tg_policy_nroutes(conf->rules)))
           || put(root, "routes", status_routes(conf->rules));
}


static json_t *
status_routes(const tg_policy_t *policy)
{
    size_t   i, n;
    json_t  *list;

    list = json_array();
    n = tg_policy_nroutes(policy);

    for (i = 0; i < n && i < ROUTES_MAX; i++) {
        if (json_array_append_new(list,
                                  text(tg_policy_route_name(policy, i)))
            != 0)
        {
            json_decref(list);
            return NULL;
        }
    }

    return list;
}


static int
put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value);
}


static json_t *
text(tg_str_t s)
{
    return json_stringn(s.data ? s.data : "", s.len);
}
