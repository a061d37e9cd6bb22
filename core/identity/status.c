
/*
 * Copyright (C) The Tailgate authors
 *
 * A status answer to what this node is.  Fields: tailscale ipn/ipnstate
 * Status, PeerStatus, TailnetStatus.
 */

#include "core/identity/identity.h"

#include "core/base/base.h"
#include "core/identity/json.h"

#include <string.h>


static void
read_addrs(tgi_reader_t *reader, json_t *object, const char *path,
    tg_self_t *self)
{
    size_t      i, n;
    json_t     *array;
    tg_str_t    text;
    tg_addr_t  *addrs;

    array = tgi_json_array(reader, object, path);
    n = json_array_size(array);

    if (n == 0) {
        return;
    }

    if (n > TG_LIST_MAX) {
        tgi_json_fail(reader, TG_ERR_LIMIT, "%s has over %d items", path,
                      TG_LIST_MAX);
        return;
    }

    addrs = tgi_alloc(reader->alloc, n, sizeof(tg_addr_t));
    if (addrs == NULL) {
        tgi_json_fail(reader, TG_ERR_NOMEM, "out of memory");
        return;
    }

    for (i = 0; i < n; i++) {
        text = tgi_json_item(reader, array, i, path);

        if (reader->rc != TG_OK) {
            return;
        }

        if (tg_addr_parse(&addrs[i], text.data, text.len) != TG_OK
            || addrs[i].port != 0)
        {
            tgi_json_fail(reader, TG_ERR_SYNTAX, "%s[%zu] is not an address",
                          path, i);
            return;
        }
    }

    self->addrs = addrs;
    self->naddrs = n;
}


static void
read_tailnet(tgi_reader_t *reader, json_t *root, tg_self_t *self)
{
    char      *p;
    size_t     i;
    json_t    *current;
    tg_str_t   suffix;

    current = tgi_json_object(reader, root, "CurrentTailnet");
    suffix = tgi_name_undotted(tgi_json_string(reader, current,
                                         "CurrentTailnet.MagicDNSSuffix",
                                         TG_NAME_MAX));

    if (reader->rc != TG_OK) {
        return;
    }

    if (tgi_name_tailnet(self->node, reader->alloc, &self->tailnet) != TG_OK) {
        tgi_json_fail(reader, TG_ERR_NOMEM, "out of memory");
        return;
    }

    if (self->tailnet.len > 0 || suffix.len == 0) {
        return;
    }

    p = tgi_alloc(reader->alloc, suffix.len, 1);
    if (p == NULL) {
        tgi_json_fail(reader, TG_ERR_NOMEM, "out of memory");
        return;
    }

    for (i = 0; i < suffix.len; i++) {
        p[i] = tgi_lower(suffix.data[i]);
    }

    self->tailnet.data = p;
    self->tailnet.len = suffix.len;
}


int
tg_status_parse(const char *json, size_t len, const tg_alloc_t *alloc,
    tg_self_t *self, tg_error_t *error)
{
    json_t        *root, *own;
    tgi_reader_t   reader = { alloc, error, TG_OK };

    static const tg_str_t  running = TG_STR("Running");

    memset(self, 0, sizeof(tg_self_t));

    if (error != NULL) {
        memset(error, 0, sizeof(tg_error_t));
    }

    root = tgi_json_load(&reader, json, len);

    self->state = tgi_json_string(&reader, root, "BackendState",
                                  TG_LIST_ITEM_MAX);

    if (self->state.len == 0) {
        tgi_json_fail(&reader, TG_ERR_MISSING, "BackendState is missing");
    }

    self->running = tgi_str_equal(self->state, running);
    self->version = tgi_json_string(&reader, root, "Version", TG_NAME_MAX);

    own = tgi_json_object(&reader, root, "Self");

    self->node = tgi_name_undotted(tgi_json_string(&reader, own,
                                                   "Self.DNSName",
                                                   TG_NAME_MAX));
    self->node_id = tgi_json_string(&reader, own, "Self.ID",
                                    TG_LIST_ITEM_MAX);

    read_tailnet(&reader, root, self);
    read_addrs(&reader, own, "Self.TailscaleIPs", self);

    if (self->naddrs == 0) {
        read_addrs(&reader, root, "TailscaleIPs", self);
    }

    self->health = tgi_json_list(&reader, root, "Health", TG_NAME_MAX,
                                 TGI_TEXT_LENIENT);

    json_decref(root);

    if (reader.rc != TG_OK) {
        memset(self, 0, sizeof(tg_self_t));
    }

    return reader.rc;
}
