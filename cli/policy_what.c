
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy what: all that somebody may reach.
 */

#include <cli/cli.h>
#include <cli/policy.h>

#include "core/base/base.h"

#include <string.h>


#define COLUMNS  5


/* One host and path, and the methods that one rule allows there. */

typedef struct {
    const tg_policy_place_t  *place;
    tg_str_t                  route;
    tg_str_t                  rule;
    bool                     *methods;     /* of rows_t, by index */
} row_t;

typedef struct {
    row_t      *items;
    size_t      n;
    size_t      max;
    tg_list_t   methods;
} rows_t;


static int what(cli_policy_t *self);
static int ask_route(cli_policy_t *self, const cli_peer_t *peer, size_t route,
    rows_t *rows);
static int print(cli_policy_t *self, const rows_t *rows);
static json_t *as_json(cli_policy_t *self, const cli_peer_t *peer,
    const rows_t *rows);


static const char  usage[] =
    "usage: tailgate policy what [FILE] --as LOGIN | --node NAME |\n"
    "           --addr ADDRESS | --whois ANSWER.json [--self STATUS.json]\n"
    "           [--from os=iOS,os_version=18.2] [--json]\n"
    "\n"
    "Lists every route that somebody may reach: which hosts, paths and\n"
    "methods as far as the rules tell them apart, and by which rule.\n"
    "\n"
    "  FILE, --policy FILE  the policy file (" CLI_POLICY_FILE ")\n"
    "  --as LOGIN           a person that is made up; or tag:NAME, node:NAME\n"
    "  --node NAME          a node of the tailnet, as tailscaled knows it\n"
    "  --addr ADDRESS       whoever has this address\n"
    "  --whois ANSWER.json  a WhoIs answer that was kept\n"
    "  --from WORDS         what else there is to say of who asks\n"
    "  --self STATUS.json   the node's status that goes with --whois\n"
    "  --peers FILE         who --node is looked up among\n"
    "  --socket PATH        the LocalAPI socket\n"
    "  --via WAY            direct (default), service, svc:NAME or funnel\n"
    "  --at TIME            when (RFC 3339); default: now\n"
    "  --json               print one JSON object\n"
    "  --help               print this message\n"
    "\n"
    "Exit status: 0 there is such a route, 1 there is none, 2 the command\n"
    "line or a file is wrong, 3 the node does not answer.\n";


int
cli_policy_what(int argc, char **argv)
{
    int           code;
    cli_policy_t  self = { .name = "policy what" };

    if (!cli_policy_options(&self, argc, argv,
                            CLI_POLICY_JSON|CLI_POLICY_POLICY
                            |CLI_POLICY_SUBJECT|CLI_POLICY_VIA|CLI_POLICY_AT
                            |CLI_POLICY_PEERS, usage, &code))
    {
        return code;
    }

    code = self.no_policy || self.ninlines > 0
           ? cli_usage(self.name, "routes are in a policy file")
           : what(&self);

    tg_arena_free(&self.arena);

    return code;
}


static int
what(cli_policy_t *self)
{
    int          code;
    size_t       i;
    rows_t       rows = { .n = 0 };
    cli_peer_t   peer;

    code = cli_policy_rules(self);

    if (code == CLI_OK) {
        code = cli_policy_via(self, &self->request);
    }

    if (code == CLI_OK) {
        code = cli_policy_subject(self, &peer);
    }

    if (code != CLI_OK) {
        return code;
    }

    if (peer.peer.status == TG_STATUS_UNAVAILABLE) {
        cli_error(self->name, "%s", peer.why != NULL ? peer.why
                                    : "the identity service is unavailable");
        return CLI_UNAVAILABLE;
    }

    if (tg_policy_methods(self->file, &self->alloc, &rows.methods) != TG_OK) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    for (i = 0; i < tg_policy_nroutes(self->file); i++) {
        code = ask_route(self, &peer, i, &rows);
        if (code != CLI_OK) {
            return code;
        }
    }

    code = rows.n > 0 ? CLI_OK : CLI_BAD;

    if (self->json) {
        return cli_policy_put(self, as_json(self, &peer, &rows), code);
    }

    return print(self, &rows) == CLI_OK ? code : CLI_USAGE;
}


static row_t *
new_row(cli_policy_t *self, rows_t *rows)
{
    size_t   max;
    row_t   *items;

    if (rows->n == rows->max) {
        max = rows->max > 0 ? 2 * rows->max : 64;
        items = tgi_alloc(&self->alloc, max, sizeof(row_t));

        if (items == NULL) {
            return NULL;
        }

        if (rows->n > 0) {
            memcpy(items, rows->items, rows->n * sizeof(row_t));
        }

        rows->items = items;
        rows->max = max;
    }

    return &rows->items[rows->n++];
}


/* The row of this place's rule, among those from first on. */

static row_t *
row_of(cli_policy_t *self, rows_t *rows, size_t first,
    const tg_policy_place_t *place, const tg_decision_t *decision)
{
    row_t   *row;
    size_t   i;

    for (i = first; i < rows->n; i++) {
        if (tgi_str_equal(rows->items[i].rule, decision->rule)) {
            return &rows->items[i];
        }
    }

    row = new_row(self, rows);

    if (row == NULL) {
        return NULL;
    }

    row->place = place;
    row->route = decision->route;
    row->rule = decision->rule;
    row->methods = tgi_alloc(&self->alloc, rows->methods.n, sizeof(bool));

    if (row->methods == NULL) {
        return NULL;
    }

    memset(row->methods, 0, rows->methods.n * sizeof(bool));

    return row;
}


static int
ask_place(cli_policy_t *self, const cli_peer_t *peer, size_t route,
    const tg_policy_place_t *place, rows_t *rows)
{
    row_t          *row;
    size_t          i, first;
    tg_request_t    request;
    tg_decision_t   decision;

    request = self->request;
    request.now = self->now;
    request.host = place->sample_host;
    request.path = place->sample_path;
    first = rows->n;

    for (i = 0; i < rows->methods.n; i++) {
        request.method = rows->methods.items[i];

        tg_policy_decide(self->file, NULL, NULL, &peer->peer, &request,
                         &decision);

        /* what another route decides is listed with that one */

        if (decision.verdict != TG_ALLOW || decision.route_index != route) {
            continue;
        }

        row = row_of(self, rows, first, place, &decision);

        if (row == NULL) {
            cli_error(self->name, "out of memory");
            return CLI_USAGE;
        }

        row->methods[i] = true;
    }

    return CLI_OK;
}


static int
ask_route(cli_policy_t *self, const cli_peer_t *peer, size_t route,
    rows_t *rows)
{
    int                 rc, code;
    size_t              i, n;
    tg_policy_place_t  *places;

    rc = tg_policy_places(self->file, route, &self->alloc, &places, &n);

    if (rc != TG_OK) {
        cli_error(self->name, "route \"%.*s\": %s",
                  (int) tg_policy_route_name(self->file, route).len,
                  tg_policy_route_name(self->file, route).data,
                  rc == TG_ERR_LIMIT ? "it tells too many hosts and paths"
                                       " apart to list them"
                                     : tg_strerror(rc));
        return CLI_USAGE;
    }

    for (i = 0; i < n; i++) {
        code = ask_place(self, peer, route, &places[i], rows);
        if (code != CLI_OK) {
            return code;
        }
    }

    return CLI_OK;
}


static int
print(cli_policy_t *self, const rows_t *rows)
{
    size_t        i;
    tg_str_t     *cells, *cell;
    const row_t  *row;

    static const char *const  names[COLUMNS] = {
        "ROUTE", "HOST", "PATH", "METHODS", "RULE"
    };

    if (rows->n == 0) {
        (void) puts("no route");
        return CLI_OK;
    }

    cells = tgi_alloc(&self->alloc, rows->n * COLUMNS, sizeof(tg_str_t));

    if (cells == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    cell = cells;

    for (i = 0; i < rows->n; i++) {
        row = &rows->items[i];

        *cell++ = row->route;
        *cell++ = row->place->host;
        *cell++ = row->place->path;
        *cell++ = cli_methods_text(&self->alloc, &rows->methods,
                                   row->methods);
        *cell++ = row->rule;
    }

    cli_policy_table(names, cells, COLUMNS, rows->n);

    return CLI_OK;
}


static json_t *
as_json(cli_policy_t *self, const cli_peer_t *peer, const rows_t *rows)
{
    size_t        i;
    json_t       *json, *list, *item;
    const row_t  *row;

    list = json_array();

    for (i = 0; i < rows->n; i++) {
        row = &rows->items[i];

        item = json_object();
        (void) json_object_set_new(item, "route",
                                   cli_policy_text(row->route));
        (void) json_object_set_new(item, "host",
                                   cli_policy_text(row->place->host));
        (void) json_object_set_new(item, "path",
                                   cli_policy_text(row->place->path));
        (void) json_object_set_new(item, "methods",
                                   cli_methods_json(&rows->methods,
                                                    row->methods));
        (void) json_object_set_new(item, "rule", cli_policy_text(row->rule));
        (void) json_array_append_new(list, item);
    }

    json = json_object();

    (void) json_object_set_new(json, "policy",
                               cli_policy_json(self->file, self->policy));
    (void) json_object_set_new(json, "peer", cli_peer_json(peer));
    (void) json_object_set_new(json, "at", json_integer(self->now));
    (void) json_object_set_new(json, "allowed", list);

    return json;
}
