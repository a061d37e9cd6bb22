
/*
 * Copyright (C) The Tailgate authors
 *
 * watch-ipn-bus: one line of JSON a chunk for whoever watches.  What is told,
 * and what is not (a change of capabilities is on no bus), is what was seen
 * with a control server that sends deltas.
 */

#include <cli/devnet.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* ipn.NotifyInProcessNoDisconnect, which is not for LocalAPI clients. */

#define IN_PROCESS  (UINT64_C(1) << 16)

struct cli_watcher_s {
    cli_watcher_t   *next;
    cli_devnet_t    *devnet;
    tgn_request_t   *r;
    uint64_t         mask;
};


/* The fields of an ipn.Notify that are set; references of the caller's. */

typedef struct {
    const char      *session;
    bool             state;
    json_t          *self;
    json_t          *status;
    json_t          *patch;
    json_t          *peers;
    json_t          *removed;
    json_t          *users;
} note_t;


static void
set_or_null(json_t *json, const char *key, json_t *value)
{
    (void) json_object_set_new(json, key, value ? value : json_null());
}


static void
set(json_t *json, const char *key, json_t *value)
{
    if (value) {
        (void) json_object_set(json, key, value);
    }
}


/* In the order of Go's fields; the peers are for those who asked. */

static char *
render(const cli_world_t *world, const note_t *note, uint64_t mask,
    size_t *len)
{
    char    *text;
    json_t  *json;

    json = json_object();

    set(json, "Version", world->version);

    if (note->session) {
        set_or_null(json, "SessionID", json_string(note->session));
    }

    set_or_null(json, "ErrMessage", NULL);
    set_or_null(json, "LoginFinished", NULL);
    set_or_null(json, "State",
                note->state ? json_integer(cli_json_state(world)) : NULL);
    set_or_null(json, "Prefs", NULL);
    set(json, "SelfChange", note->self);
    set(json, "InitialStatus", note->status);
    set_or_null(json, "NetMap", NULL);

    if (mask & CLI_BUS_PATCHES) {
        set(json, "PeerChangedPatch", note->patch);
    }

    if (mask & (CLI_BUS_PEERS|CLI_BUS_PATCHES)) {

        /* a patch is whole for those who do not take patches */

        if (note->patch == NULL || !(mask & CLI_BUS_PATCHES)) {
            set(json, "PeersChanged", note->peers);
        }

        set(json, "PeersRemoved", note->removed);
        set(json, "UserProfiles", note->users);
    }

    set_or_null(json, "Engine", NULL);
    set_or_null(json, "BrowseToURL", NULL);
    set_or_null(json, "DriveShares", NULL);

    text = cli_json_text(json, false, len);
    json_decref(json);

    return text;
}


static void
unlink_watcher(cli_watcher_t *w)
{
    cli_watcher_t  **last;

    for (last = &w->devnet->watchers; *last != w; last = &(*last)->next) {
        /* void */
    }

    *last = w->next;
    free(w);
}


static void
gone(void *data)
{
    unlink_watcher(data);
}


/* One chunk; a watcher that does not read is cut off. */

static bool
tell(cli_watcher_t *w, const note_t *note)
{
    int        rc;
    char      *text;
    size_t     len;
    tg_str_t   line;

    text = render(w->devnet->world, note, w->mask, &len);

    if (text == NULL) {
        tgn_request_abort(w->r);
        unlink_watcher(w);
        return false;
    }

    /* the NUL's place is the line end's */

    text[len] = '\n';
    line.data = text;
    line.len = len + 1;

    rc = tgn_response_write(w->r, line);
    free(text);

    if (rc != TG_OK) {
        unlink_watcher(w);
    }

    return rc == TG_OK;
}


static void
tell_all(cli_devnet_t *devnet, note_t *note)
{
    cli_watcher_t  *w, *next;

    for (w = devnet->watchers; w; w = next) {
        next = w->next;
        (void) tell(w, note);
    }

    json_decref(note->self);
    json_decref(note->status);
    json_decref(note->patch);
    json_decref(note->peers);
    json_decref(note->removed);
    json_decref(note->users);
}


/* The first message, if the mask asks for one. */

static bool
greet(cli_watcher_t *w)
{
    bool            said;
    char            session[32];
    note_t          note;

    static unsigned  sessions;

    if (!(w->mask & (CLI_BUS_STATE|CLI_BUS_STATUS))) {
        return true;
    }

    memset(&note, 0, sizeof(note_t));

    if (w->mask & CLI_BUS_STATE) {
        (void) snprintf(session, sizeof(session), "%016x", ++sessions);
        note.session = session;
        note.state = true;
    }

    if (w->mask & CLI_BUS_STATUS) {
        note.status = cli_json_status(w->devnet->world, true);
    }

    said = tell(w, &note);
    json_decref(note.status);

    return said;
}


/* strconv.ParseUint() */

static bool
parse_mask(const tgn_request_t *r, uint64_t *mask)
{
    int        rc;
    char       text[32], *end;
    size_t     len;
    uintmax_t  value;

    *mask = 0;

    rc = tgn_query_arg(r->query, "mask", 0, text, sizeof(text), &len);

    if (rc == TG_ERR_ABSENT || (rc == TG_OK && len == 0)) {
        return true;
    }

    if (rc != TG_OK || text[0] < '0' || text[0] > '9') {
        return false;
    }

    errno = 0;
    value = strtoumax(text, &end, 10);
    *mask = value;

    return *end == '\0' && errno == 0;
}


void
cli_bus_watch(cli_devnet_t *devnet, tgn_request_t *r)
{
    uint64_t        mask;
    cli_watcher_t  *w;

    if (!parse_mask(r, &mask)) {
        cli_api_error(devnet, r, 400, "bad mask\n");
        return;
    }

    if (mask & IN_PROCESS) {
        cli_api_error(devnet, r, 400, "NotifyInProcessNoDisconnect is only"
                      " valid for in-process IPN bus subscribers\n");
        return;
    }

    w = calloc(1, sizeof(cli_watcher_t));

    if (w == NULL) {
        cli_api_error(devnet, r, 500, "out of memory\n");
        return;
    }

    w->devnet = devnet;
    w->r = r;
    w->mask = mask;

    cli_api_headers(devnet, r, "application/json");

    if (tgn_response_begin(r, 200, TGN_LENGTH_CHUNKED) != TG_OK) {
        free(w);
        return;
    }

    tgn_request_on_abort(r, gone, w);

    w->next = devnet->watchers;
    devnet->watchers = w;

    devnet->bus++;

    (void) greet(w);
}


void
cli_bus_plain(cli_devnet_t *devnet)
{
    note_t  note;

    memset(&note, 0, sizeof(note_t));
    tell_all(devnet, &note);
}


void
cli_bus_state(cli_devnet_t *devnet)
{
    note_t  note;

    memset(&note, 0, sizeof(note_t));
    note.state = true;

    tell_all(devnet, &note);
}


static json_t *
list_of(json_t *only)
{
    json_t  *list;

    list = json_array();
    (void) json_array_append_new(list, only);

    return list;
}


void
cli_bus_peer(cli_devnet_t *devnet, const cli_node_t *node)
{
    note_t  note;

    memset(&note, 0, sizeof(note_t));

    if (node == devnet->world->self) {
        note.self = cli_json_node(devnet->world, node);

    } else {
        cli_bus_plain(devnet);
        note.peers = list_of(cli_json_node(devnet->world, node));
    }

    tell_all(devnet, &note);
}


void
cli_bus_removed(cli_devnet_t *devnet, int64_t id)
{
    note_t  note;

    memset(&note, 0, sizeof(note_t));
    note.removed = list_of(json_integer(id));

    tell_all(devnet, &note);
    cli_bus_plain(devnet);
}


void
cli_bus_users(cli_devnet_t *devnet, const cli_user_t *user)
{
    note_t  note;

    memset(&note, 0, sizeof(note_t));
    note.users = cli_json_users(devnet->world, user);

    tell_all(devnet, &note);
}


void
cli_bus_online(cli_devnet_t *devnet, const cli_node_t *node)
{
    note_t  note;

    memset(&note, 0, sizeof(note_t));

    note.patch = list_of(json_pack("{s:I, s:b}",
                                   "NodeID", (json_int_t) node->id,
                                   "Online", !node->offline));
    note.peers = list_of(cli_json_node(devnet->world, node));

    tell_all(devnet, &note);
}


/* A whole map, as after a change of policy or of a node's key. */

void
cli_bus_whole(cli_devnet_t *devnet)
{
    note_t             note;
    const cli_node_t  *node;

    memset(&note, 0, sizeof(note_t));

    note.self = cli_json_node(devnet->world, devnet->world->self);
    note.peers = json_array();
    note.users = cli_json_users(devnet->world, NULL);

    for (node = devnet->world->nodes; node; node = node->next) {
        (void) json_array_append_new(note.peers,
                                     cli_json_node(devnet->world, node));
    }

    tell_all(devnet, &note);
}


void
cli_bus_free(cli_devnet_t *devnet)
{
    tgn_request_t  *r;

    while (devnet->watchers) {
        r = devnet->watchers->r;

        unlink_watcher(devnet->watchers);
        tgn_request_on_abort(r, NULL, NULL);
        tgn_request_abort(r);
    }
}
