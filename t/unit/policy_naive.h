
/*
 * Copyright (C) The Tailgate authors
 *
 * The decision once more, as policy_naive_rule.h has the rule: each is looked
 * at.
 */

#ifndef T_POLICY_NAIVE_H_INCLUDED_
#define T_POLICY_NAIVE_H_INCLUDED_

#include "policy_naive_rule.h"


typedef struct {
    tg_verdict_t         verdict;
    tg_policy_reason_t   reason;
    const tgi_route_t   *route;
    const char          *rule;
    size_t               rule_len;
} naive_decision_t;


/* "Best" as a number: what is compared first weighs most. */

static uint64_t
host_weight(const tgi_host_t *host)
{
    return host->kind == TGI_HOST_EXACT ? 1000
           : host->kind == TGI_HOST_WILDCARD ? 1 + host->text.len : 0;
}


static uint64_t
path_weight(const tgi_path_t *path)
{
    uint64_t  kind;

    kind = path->kind == TGI_PATH_EXACT ? 2 : path->kind == TGI_PATH_GLOB;

    return ((uint64_t) path->literal * 3 + kind) * 1000 + path->text.len;
}


static const tgi_route_t *
naive_route(const tg_policy_t *policy, const naive_t *naive)
{
    size_t              i, j, k;
    uint64_t            weight, best;
    const tgi_route_t  *route, *found;

    best = 0;
    found = NULL;

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        for (j = 0; j < route->nhosts; j++) {
            for (k = 0; k < route->npaths; k++) {
                if (!naive_host(&route->hosts[j], naive->host)
                    || !naive_path(&route->paths[k], naive->path))
                {
                    continue;
                }

                weight = host_weight(&route->hosts[j]) << 40
                         | (path_weight(&route->paths[k]) + 1);

                if (weight > best) {
                    best = weight;
                    found = route;
                }
            }
        }
    }

    return found;
}


/* A grant as one of "grants:", read by the letter of docs/policy.md. */

static bool
naive_grant_list(json_t *list, const char *key, const naive_t *naive)
{
    bool         fits;
    size_t       i;
    json_t      *item;
    tgi_host_t   host;
    tgi_path_t   path;
    const char  *word;

    fits = false;

    for (i = 0; i < (json_is_array(list) ? json_array_size(list) : 1); i++) {
        item = json_is_array(list) ? json_array_get(list, i) : list;
        word = json_string_value(item);

        if (strcmp(key, "hosts") == 0) {
            host.kind = word[0] == '*' ? TGI_HOST_WILDCARD : TGI_HOST_EXACT;
            host.text = text(word + (word[0] == '*'));
            fits = fits || naive_host(&host, naive->host);

        } else if (strcmp(key, "paths") == 0) {
            path.kind = word[0] == '=' ? TGI_PATH_EXACT
                        : strchr(word, '*') ? TGI_PATH_GLOB : TGI_PATH_PREFIX;
            path.text = text(word + (word[0] == '=' ? 2 : 0));
            fits = fits || naive_path(&path, naive->path);

        } else {
            fits = fits || strcmp(word, "read") != 0
                   || strcmp(naive->method, "GET") == 0
                   || strcmp(naive->method, "HEAD") == 0;
        }
    }

    return fits;
}


static bool
naive_grants(const tg_policy_t *policy, const naive_t *naive)
{
    bool         fits;
    size_t       i;
    json_t      *grants, *grant, *field;
    const char  *key;

    if (policy->grants.len == 0 || !naive->known
        || (naive->has & ~(TG_TRAIT_MEMBER|TG_TRAIT_TAGGED)))
    {
        return false;
    }

    grants = json_object_get(naive->person->caps, "g");

    json_array_foreach(grants, i, grant) {
        fits = json_is_object(grant);

        json_object_foreach(grant, key, field) {
            if (strcmp(key, "hosts") == 0 || strcmp(key, "paths") == 0
                || strcmp(key, "methods") == 0)
            {
                fits = fits && naive_grant_list(field, key, naive);

            } else if (strcmp(key, "role") != 0) {
                fits = false;
            }
        }

        if (fits) {
            return true;
        }
    }

    return false;
}


static const tg_rule_t *
naive_first(const tgi_rules_t *rules, const naive_t *naive, bool matching)
{
    size_t  i;

    for (i = 0; i < rules->n; i++) {
        if (naive_rule(rules->items[i], naive) == matching) {
            return rules->items[i];
        }
    }

    return NULL;
}


static naive_decision_t
naive_deny(tg_policy_reason_t reason, const tgi_route_t *route,
    const tg_rule_t *rule)
{
    naive_decision_t  decision = { TG_DENY, reason, route, "", 0 };

    if (rule != NULL) {
        decision.rule = rule->id.data;
        decision.rule_len = rule->id.len;
    }

    return decision;
}


static bool
naive_start(naive_t *naive, const tg_policy_t *file, const person_t *person,
    const tg_request_t *request)
{
    bool    listed, own;
    size_t  i;

    memset(naive, 0, sizeof(naive_t));
    naive->person = person;
    naive->request = request;
    naive->known = person->peer.identity != NULL;
    naive->has = person->identity.traits;

    c_string(person->identity.login, naive->login, sizeof(naive->login));
    c_string(request->method, naive->method, sizeof(naive->method));
    c_string(request->path, naive->path, sizeof(naive->path));
    c_string(request->host, naive->host, sizeof(naive->host));

    own = person->peer.self != NULL
          && same_tailnet(person->identity.tailnet, text(SELF_TAILNET));
    listed = false;

    for (i = 0; file != NULL && i < file->tailnets.n; i++) {
        listed = listed || same_tailnet(file->tailnets.items[i],
                                        person->identity.tailnet);
    }

    if (!naive->known) {
        naive->has = 0;

    } else if (file != NULL && file->tailnets.n > 0) {

        if (!listed) {
            naive->has = (naive->has & ~TG_TRAIT_MEMBER) | TG_TRAIT_SHARED;

        } else if ((naive->has & TG_TRAIT_SHARED) && !own) {
            naive->has &= ~TG_TRAIT_SHARED;
            naive->has |= naive->has & TG_TRAIT_TAGGED ? 0 : TG_TRAIT_MEMBER;
        }

    } else if (!own) {
        naive->has = (naive->has & ~TG_TRAIT_MEMBER) | TG_TRAIT_SHARED;
    }

    for (i = 0; naive->host[i] != '\0'; i++) {
        naive->host[i] = (char) tolower((unsigned char) naive->host[i]);
    }

    naive->host[strcspn(naive->host, ":")] = '\0';
    i = strlen(naive->host);

    if (i > 0 && naive->host[i - 1] == '.') {
        naive->host[i - 1] = '\0';
    }

    return strchr(naive->host, ' ') == NULL && naive->path[0] == '/'
           && strpbrk(naive->method, "abcdefghijklmnopqrstuvwxyz") == NULL;
}


/* The raw paths of these tests are either like the path or ambiguous. */

static bool
naive_ambiguous(const tg_request_t *request)
{
    return !is_text(request->raw_path, "")
           && request->raw_path.data != request->path.data;
}


static bool
naive_refuse(const tg_policy_t *file, const tg_inline_t *rules,
    const tgi_route_t *route, const naive_t *naive, naive_decision_t *decision)
{
    size_t            i;
    const tg_rule_t  *rule;

    const struct {
        bool                use;
        bool                raw_path;
        bool                override;
        const tgi_rules_t  *deny;
        const tgi_rules_t  *require;
    } parts[] = {
        { file != NULL, false, false,
          file ? &file->always_deny : NULL,
          file ? &file->always_require : NULL },
        { route != NULL, route && !route->raw_path,
          route && route->refuse_override,
          route ? &route->deny : NULL, route ? &route->require : NULL },
        { file != NULL && route == NULL && file->grants.len > 0, true, false,
          NULL, NULL },
        { rules != NULL, rules && !rules->raw_path, false,
          rules ? &rules->deny : NULL, rules ? &rules->require : NULL }
    };

    for (i = 0; i < NELTS(parts); i++) {
        if (!parts[i].use) {
            continue;
        }

        if (parts[i].raw_path && naive_ambiguous(naive->request)) {
            *decision = naive_deny(TG_POLICY_REASON_RAW_PATH, route, NULL);
            return true;
        }

        if (parts[i].override && naive->request->method_override) {
            *decision = naive_deny(TG_POLICY_REASON_METHOD_OVERRIDE, route,
                                   NULL);
            return true;
        }

        if (parts[i].deny == NULL) {
            continue;
        }

        rule = naive_first(parts[i].deny, naive, true);

        if (rule != NULL) {
            *decision = naive_deny(TG_POLICY_REASON_DENIED, route, rule);
            return true;
        }

        rule = naive_first(parts[i].require, naive, false);

        if (rule != NULL) {
            *decision = naive_deny(TG_POLICY_REASON_REQUIRED, route, rule);
            return true;
        }
    }

    return false;
}


/* Not where the built-in rule decides. */

static naive_decision_t
naive_decide(const tg_policy_t *file, const tg_inline_t *rules,
    const person_t *person, const tg_request_t *request)
{
    naive_t             naive;
    const tg_rule_t    *by_file, *by_inline;
    naive_decision_t    decision;
    const tgi_route_t  *route;

    if (person->peer.status == TG_STATUS_UNAVAILABLE) {
        decision = naive_deny(TG_POLICY_REASON_UNAVAILABLE, NULL, NULL);
        decision.verdict = TG_UNAVAILABLE;
        return decision;
    }

    if (!naive_start(&naive, file, person, request)) {
        return naive_deny(TG_POLICY_REASON_BAD_REQUEST, NULL, NULL);
    }

    route = file != NULL && file->has_routes ? naive_route(file, &naive)
                                             : NULL;

    if (naive_refuse(file, rules, route, &naive, &decision)) {
        return decision;
    }

    if (!naive.known) {
        return naive_deny(TG_POLICY_REASON_STRANGER, route, NULL);
    }

    if ((naive.has & TG_TRAITS_NEVER) || request->via == TG_VIA_FUNNEL) {
        return naive_deny(TG_POLICY_REASON_PEER, route, NULL);
    }

    decision = naive_deny(TG_POLICY_REASON_ALLOWED, route, NULL);
    decision.verdict = TG_ALLOW;

    if (file != NULL && (file->has_routes || rules == NULL)) {
        by_file = route != NULL ? naive_first(&route->allow, &naive, true)
                                : NULL;

        if (by_file != NULL) {
            decision.rule = by_file->id.data;
            decision.rule_len = by_file->id.len;

        } else if (naive_grants(file, &naive)) {
            decision.rule = "grants";
            decision.rule_len = 6;

        } else {
            return naive_deny(route != NULL ? TG_POLICY_REASON_NO_ALLOW
                                            : TG_POLICY_REASON_NO_ROUTE,
                              route, NULL);
        }
    }

    if (rules != NULL && (rules->allow.n > 0 || !file->has_routes)) {
        by_inline = naive_first(&rules->allow, &naive, true);

        if (by_inline == NULL) {
            return naive_deny(TG_POLICY_REASON_NO_ALLOW, route, NULL);
        }

        if (decision.rule_len == 0) {
            decision.rule = by_inline->id.data;
            decision.rule_len = by_inline->id.len;
        }
    }

    return decision;
}


#endif /* T_POLICY_NAIVE_H_INCLUDED_ */
