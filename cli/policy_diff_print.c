
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy diff: what it prints.
 */

#include <cli/cli.h>
#include <cli/policy_diff.h>

#include "core/base/base.h"

#include <string.h>


#define TEXT_MAX   32
#define NAMES_MAX  3


typedef enum {
    CHANGE = 0,
    WHO,
    HOST,
    PATH,
    METHODS,
    LOGGED,
    OLD,
    NEW,
    COLUMNS
} column_t;


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


/* a, then b and c, of which any may be empty; a itself when out of memory. */

static tg_str_t
join(cli_diff_t *diff, tg_str_t a, const char *b, tg_str_t c)
{
    char    *p;
    size_t   len;

    len = a.len + strlen(b) + c.len;
    p = tgi_alloc(&diff->self->alloc, len + 1, 1);

    if (p == NULL) {
        return a;
    }

    (void) snprintf(p, len + 1, "%.*s%s%.*s", (int) a.len, a.data, b,
                    (int) c.len, c.data);

    return (tg_str_t) { p, len };
}


/* "alice@example.com (laptop)" */

static tg_str_t
who(cli_diff_t *diff, const cli_peer_t *peer)
{
    tg_str_t  name, node;

    static const tg_str_t  none = TG_NULL_STR;

    name = cli_peer_who(peer);
    node = cli_peer_node(diff->self, peer);

    if (node.len == 0 || tgi_str_equal(name, node)) {
        return name;
    }

    return join(diff, join(diff, name, " (", node), ")", none);
}


static tg_str_t
number(cli_diff_t *diff, size_t n)
{
    int       len;
    char      text[TEXT_MAX];
    tg_str_t  copy;

    static const tg_str_t  none = TG_STR("-");

    len = snprintf(text, sizeof(text), "%zu", n);

    return tgi_str_copy(&copy, text, (size_t) len, &diff->self->alloc) == TG_OK
           ? copy : none;
}


/* The cells of a change; what is not who and how often tells rows apart. */

static void
fill(cli_diff_t *diff, const cli_change_t *change, tg_str_t *cells)
{
    const char  *name;

    static const tg_str_t  none = TG_NULL_STR;

    name = change_name(change);

    cells[CHANGE] = (tg_str_t) { name, strlen(name) };
    cells[WHO] = none;
    cells[HOST] = change->host;
    cells[PATH] = change->path;
    cells[METHODS] = change->methods != NULL
                     ? cli_methods_text(&diff->self->alloc, &diff->methods,
                                        change->methods)
                     : change->method;
    cells[LOGGED] = none;
    cells[OLD] = because(&change->old);
    cells[NEW] = because(&change->new);
}


static bool
make_key(cli_diff_t *diff, const cli_change_t *change, const tg_str_t *cells,
    tg_str_t *key)
{
    char    *p;
    size_t   i, len;

    for (i = 0, len = 1; i < COLUMNS; i++) {
        len += cells[i].len + 1;
    }

    p = tgi_alloc(&diff->self->alloc, len, 1);
    if (p == NULL) {
        return false;
    }

    p[0] = change->methods != NULL;
    *key = (tg_str_t) { p, 1 };

    for (i = 0; i < COLUMNS; i++) {
        if (cells[i].len > 0) {
            memcpy(p + key->len, cells[i].data, cells[i].len);
        }

        key->len += cells[i].len;
        p[key->len++] = '\0';
    }

    return true;
}


/* One row for all peers of whom the same is true; their number, 0: failed. */

static size_t
group(cli_diff_t *diff, tg_str_t *cells, size_t *peers, size_t *logged)
{
    size_t               i, n;
    uint32_t             row;
    tg_str_t             key, name, *cell;
    tgi_map_t            rows;
    const cli_change_t  *change;

    static const tg_str_t  none = TG_NULL_STR;

    if (tgi_map_init(&rows, diff->nchanges, &diff->self->alloc) != TG_OK) {
        return 0;
    }

    for (i = 0, n = 0; i < diff->nchanges; i++) {
        change = &diff->changes[i];
        cell = cells + n * COLUMNS;
        fill(diff, change, cell);

        if (!make_key(diff, change, cell, &key)) {
            return 0;
        }

        row = tgi_map_get(&rows, key);

        if (row == TGI_MAP_NONE) {
            row = (uint32_t) n;

            if (tgi_map_add(&rows, key, row) != TG_OK) {
                return 0;
            }

            peers[n] = 0;
            logged[n] = 0;
            n++;
        }

        cell = cells + row * COLUMNS;
        logged[row] += change->methods != NULL ? 0 : change->n;

        if (peers[row]++ < NAMES_MAX) {
            name = who(diff, change->peer);
            cell[WHO] = cell[WHO].len == 0
                        ? name : join(diff, cell[WHO], ", ", name);
        }
    }

    for (i = 0; i < n; i++) {
        cell = cells + i * COLUMNS;
        cell[LOGGED] = logged[i] > 0 ? number(diff, logged[i])
                                     : (tg_str_t) TG_STR("-");

        if (peers[i] > NAMES_MAX) {
            name = number(diff, peers[i] - NAMES_MAX);
            name = join(diff, name, " more", none);
            cell[WHO] = join(diff, cell[WHO], " and ", name);
        }
    }

    return n;
}


static int
print(cli_diff_t *diff)
{
    size_t     n, *peers, *logged;
    tg_str_t  *cells;

    static const char *const  names[COLUMNS] = {
        [CHANGE] = "CHANGE", [WHO] = "WHO", [HOST] = "HOST", [PATH] = "PATH",
        [METHODS] = "METHODS", [LOGGED] = "LOGGED", [OLD] = "OLD",
        [NEW] = "NEW"
    };

    if (diff->nchanges > 0) {
        cells = tgi_alloc(&diff->self->alloc, diff->nchanges * COLUMNS,
                          sizeof(tg_str_t));
        peers = tgi_alloc(&diff->self->alloc, diff->nchanges, sizeof(size_t));
        logged = tgi_alloc(&diff->self->alloc, diff->nchanges,
                           sizeof(size_t));
        n = 0;

        if (cells != NULL && peers != NULL && logged != NULL) {
            n = group(diff, cells, peers, logged);
        }

        if (n == 0) {
            cli_error(diff->self->name, "out of memory");
            return CLI_USAGE;
        }

        cli_policy_table(names, cells, COLUMNS, n);
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
