
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy diff: what it prints.
 */

#include <cli/cli.h>
#include <cli/policy_diff.h>

#include "core/base/base.h"

#include <string.h>


#define COLUMNS   8
#define TEXT_MAX  32


void
cli_diff_count(cli_diff_t *diff, cli_change_t *change)
{
    change->n++;

    if (change->new.verdict == TG_ALLOW) {
        diff->opened++;

    } else {
        diff->closed++;
    }
}


static const char *
change_name(const cli_change_t *change)
{
    return change->new.verdict == TG_ALLOW ? "opens" : "closes";
}


/* The rule that decided, else why it did. */

static tg_str_t
because(const tg_decision_t *decision)
{
    const char  *name;

    if (decision->rule.len > 0) {
        return decision->rule;
    }

    name = tg_policy_reason_name(decision->reason);

    return (tg_str_t) { name, strlen(name) };
}


/* "alice@example.com (laptop)" */

static tg_str_t
who(cli_diff_t *diff, const cli_peer_t *peer)
{
    char      *p;
    size_t     len;
    tg_str_t   name, node;

    name = cli_peer_who(peer);
    node = cli_peer_node(diff->self, peer);

    if (node.len == 0 || tgi_str_equal(name, node)) {
        return name;
    }

    len = name.len + node.len + 3;
    p = tgi_alloc(&diff->self->alloc, len + 1, 1);

    if (p == NULL) {
        return name;
    }

    (void) snprintf(p, len + 1, "%.*s (%.*s)", (int) name.len, name.data,
                    (int) node.len, node.data);

    return (tg_str_t) { p, len };
}


static tg_str_t
times(cli_diff_t *diff, const cli_change_t *change)
{
    int       len;
    char      text[TEXT_MAX];
    tg_str_t  copy;

    static const tg_str_t  none = TG_STR("-");

    if (change->methods != NULL) {
        return none;
    }

    len = snprintf(text, sizeof(text), "%zu", change->n);

    return tgi_str_copy(&copy, text, (size_t) len, &diff->self->alloc) == TG_OK
           ? copy : none;
}


static int
print(cli_diff_t *diff)
{
    size_t               i;
    tg_str_t            *cells, *cell;
    const char          *name;
    const cli_change_t  *change;

    static const char *const  names[COLUMNS] = {
        "CHANGE", "WHO", "HOST", "PATH", "METHODS", "LOGGED", "OLD", "NEW"
    };

    cells = tgi_alloc(&diff->self->alloc, diff->nchanges * COLUMNS + 1,
                      sizeof(tg_str_t));

    if (cells == NULL) {
        cli_error(diff->self->name, "out of memory");
        return CLI_USAGE;
    }

    cell = cells;

    for (i = 0; i < diff->nchanges; i++) {
        change = &diff->changes[i];
        name = change_name(change);

        *cell++ = (tg_str_t) { name, strlen(name) };
        *cell++ = who(diff, change->peer);
        *cell++ = change->host;
        *cell++ = change->path;
        *cell++ = change->methods != NULL
                  ? cli_methods_text(&diff->self->alloc, &diff->methods,
                                     change->methods)
                  : change->method;
        *cell++ = times(diff, change);
        *cell++ = because(&change->old);
        *cell++ = because(&change->new);
    }

    if (diff->nchanges > 0) {
        cli_policy_table(names, cells, COLUMNS, diff->nchanges);
        (void) fputc('\n', stdout);
    }

    (void) printf("%zu opened, %zu closed; %zu nodes", diff->opened,
                  diff->closed, diff->peers.n);

    if (diff->self->log_path != NULL) {
        (void) printf(", %zu lines logged, %zu not judged", diff->lines,
                      diff->skipped);
    }

    (void) fputc('\n', stdout);

    if (diff->peers.partial) {
        cli_note_partial(diff->self);
    }

    return CLI_OK;
}


static json_t *
change_json(const cli_diff_t *diff, const cli_change_t *change)
{
    json_t  *json, *old, *new;

    old = json_object();
    new = json_object();
    cli_decision_json(old, &change->old);
    cli_decision_json(new, &change->new);

    json = json_object();

    (void) json_object_set_new(json, "change",
                               json_string(change_name(change)));
    (void) json_object_set_new(json, "source",
                               json_string(change->methods != NULL ? "peers"
                                                                   : "log"));
    (void) json_object_set_new(json, "peer", cli_peer_json(change->peer));
    (void) json_object_set_new(json, "host", cli_policy_text(change->host));
    (void) json_object_set_new(json, "path", cli_policy_text(change->path));
    (void) json_object_set_new(json, "methods",
        change->methods != NULL
        ? cli_methods_json(&diff->methods, change->methods)
        : json_pack("[o]", cli_policy_text(change->method)));
    (void) json_object_set_new(json, "count",
                               json_integer((json_int_t) change->n));
    (void) json_object_set_new(json, "old", old);
    (void) json_object_set_new(json, "new", new);

    return json;
}


static json_t *
as_json(const cli_diff_t *diff)
{
    size_t   i;
    json_t  *json, *list;

    list = json_array();

    for (i = 0; i < diff->nchanges; i++) {
        (void) json_array_append_new(list, change_json(diff,
                                                       &diff->changes[i]));
    }

    json = json_object();

    (void) json_object_set_new(json, "old",
        cli_policy_json(diff->policies[0], diff->paths[0]));
    (void) json_object_set_new(json, "new",
        cli_policy_json(diff->policies[1], diff->paths[1]));
    (void) json_object_set_new(json, "opened",
                               json_integer((json_int_t) diff->opened));
    (void) json_object_set_new(json, "closed",
                               json_integer((json_int_t) diff->closed));
    (void) json_object_set_new(json, "changes", list);
    (void) json_object_set_new(json, "nodes",
                               json_integer((json_int_t) diff->peers.n));
    (void) json_object_set_new(json, "asked",
                               json_integer((json_int_t) diff->asked));
    (void) json_object_set_new(json, "lines",
                               json_integer((json_int_t) diff->lines));
    (void) json_object_set_new(json, "skipped",
                               json_integer((json_int_t) diff->skipped));
    (void) json_object_set_new(json, "partial",
                               json_boolean(diff->peers.partial));

    return json;
}


int
cli_diff_print(cli_diff_t *diff)
{
    int  code;

    code = diff->nchanges == 0 ? CLI_OK : CLI_BAD;

    if (diff->self->json) {
        return cli_policy_put(diff->self, as_json(diff), code);
    }

    return print(diff) == CLI_OK ? code : CLI_USAGE;
}
