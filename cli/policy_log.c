
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy diff --log: requests that were made, from the lines of JSON
 * that tailgate-authd and nginx write, decided anew.
 */

#include <cli/cli.h>
#include <cli/policy_diff.h>

#include "core/base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>


#define WORDS_MAX  64


typedef struct {
    cli_diff_t   *diff;
    tgi_map_t     nodes;       /* StableID to an index of peers */
    tgi_map_t     seen;        /* who and what to an index of entries */
    uint32_t     *entries;     /* index of a change + 1; 0: nothing changes */
    size_t        nentries;
    size_t        max;
} log_t;


static int read_lines(log_t *log, FILE *file);
static int take_line(log_t *log, const json_t *line);


int
cli_diff_log(cli_diff_t *diff, const char *path)
{
    int            code;
    log_t          log = { .diff = diff };
    FILE          *file;
    size_t         i;
    cli_policy_t  *self;

    self = diff->self;

    file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

    if (file == NULL) {
        cli_error(self->name, "%s: %s", path, strerror(errno));
        return CLI_USAGE;
    }

    code = CLI_USAGE;

    if (tgi_map_init(&log.nodes, diff->peers.n + 1, &self->alloc) != TG_OK
        || tgi_map_init(&log.seen, 1024, &self->alloc) != TG_OK)
    {
        cli_error(self->name, "out of memory");
        goto out;
    }

    for (i = 0; i < diff->peers.n; i++) {
        if (diff->peers.items[i].identity.node_id.len > 0) {
            (void) tgi_map_add(&log.nodes,
                               diff->peers.items[i].identity.node_id,
                               (uint32_t) i);
        }
    }

    code = read_lines(&log, file);

    if (code == CLI_OK && ferror(file)) {
        cli_error(self->name, "%s: %s", path, strerror(errno));
        code = CLI_USAGE;
    }

out:

    if (file != stdin) {
        (void) fclose(file);
    }

    return code;
}


static int
read_lines(log_t *log, FILE *file)
{
    int       code;
    char     *text;
    size_t    size;
    json_t   *line;
    ssize_t   len;

    text = NULL;
    size = 0;
    code = CLI_OK;

    while (code == CLI_OK && (len = getline(&text, &size, file)) > 0) {
        log->diff->lines++;

        line = json_loadb(text, (size_t) len, 0, NULL);

        if (json_is_object(line)) {
            code = take_line(log, line);

        } else {
            log->diff->skipped++;
        }

        json_decref(line);
    }

    free(text);

    return code;
}


/*
 * A field under authd's name or nginx's, whose "status" is a number; nginx
 * writes "-" or "" for none.
 */

static tg_str_t
field(const json_t *line, const char *name, const char *other)
{
    tg_str_t       text;
    const json_t  *value;

    value = json_object_get(line, name);

    if (!json_is_string(value) && other != NULL) {
        value = json_object_get(line, other);
    }

    text.data = json_string_value(value);
    text.len = text.data != NULL ? json_string_length(value) : 0;

    if (text.len == 1 && *text.data == '-') {
        text.len = 0;
    }

    return text;
}


static bool
add_word(log_t *log, const char *key, tg_str_t value, tg_str_t *words,
    size_t *n)
{
    char    *p;
    size_t   len;

    if (value.len == 0 || *n == WORDS_MAX) {
        return true;
    }

    len = strlen(key);
    p = tgi_alloc(&log->diff->self->alloc, len + value.len, 1);

    if (p == NULL) {
        return false;
    }

    memcpy(p, key, len);
    memcpy(p + len, value.data, value.len);
    words[(*n)++] = (tg_str_t) { p, len + value.len };

    return true;
}


/* "a,b" as key=a and key=b. */

static bool
add_words(log_t *log, const char *key, tg_str_t list, tg_str_t *words,
    size_t *n)
{
    size_t    i, start;
    tg_str_t  item;

    start = 0;

    for (i = 0; i <= list.len; i++) {

        if (i < list.len && list.data[i] != ',') {
            continue;
        }

        item = (tg_str_t) { list.data + start, i - start };
        start = i + 1;

        if (!add_word(log, key, item, words, n)) {
            return false;
        }
    }

    return true;
}


static bool
is_text(tg_str_t text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}


/* What else there is to say, in the words of "--from". */

static bool
add_facts(log_t *log, const json_t *line, tg_str_t tags, tg_str_t *words,
    size_t *n)
{
    size_t    i;
    tg_str_t  status;

    static const tg_str_t  yes = TG_STR("yes");

    static const struct {
        const char  *field;
        const char  *word;
    } facts[] = {
        { "node", "node=" },
        { "node_id", "node_id=" },
        { "tailnet", "tailnet=" },
        { "os", "os=" },
        { "os_version", "os_version=" }
    };

    static const struct {
        const char  *status;
        const char  *word;
    } traits[] = {
        { "shared", "shared=" },
        { "routed", "routed=" },
        { "expired", "expired=" },
        { "unauthorized", "unauthorized=" },
        { "unsigned", "unsigned=" }
    };

    for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        if (!add_word(log, facts[i].word, field(line, facts[i].field, NULL),
                      words, n))
        {
            return false;
        }
    }

    status = field(line, "status", "peer");

    for (i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
        if (is_text(status, traits[i].status)
            && !add_word(log, traits[i].word, yes, words, n))
        {
            return false;
        }
    }

    return add_words(log, "tag=", tags, words, n)
           && add_words(log, "group=", field(line, "groups", NULL), words, n);
}


/*
 * The node that wrote the line was of the same tailnet, unless the line says
 * that this one was shared in.
 */

static bool
bring_home(log_t *log, cli_peer_t *peer)
{
    tg_self_t      *self;
    tg_identity_t  *id;

    self = log->diff->self->alloc.alloc(log->diff->self->alloc.ctx,
                                        sizeof(tg_self_t));
    if (self == NULL) {
        return false;
    }

    id = &peer->identity;

    *self = *peer->peer.self;
    self->tailnet = id->tailnet;

    id->traits &= ~TG_TRAIT_SHARED;
    id->traits |= id->tags.n == 0 ? TG_TRAIT_MEMBER : 0;

    if (id->status == TG_STATUS_SHARED) {
        id->status = id->traits & TG_TRAIT_ROUTED ? TG_STATUS_ROUTED
                     : id->tags.n > 0 ? TG_STATUS_TAGGED
                     : TG_STATUS_MEMBER;
    }

    peer->peer.self = self;
    peer->peer.status = id->status;

    return true;
}


/* Who it was, as far as a line says.  NULL: nobody that can be judged. */

static cli_peer_t *
made_up(log_t *log, const json_t *line)
{
    size_t         n;
    tg_str_t       as, tags, words[WORDS_MAX];
    tg_error_t     error;
    cli_peer_t    *peer;
    cli_policy_t  *self;

    n = 0;
    self = log->diff->self;
    as = field(line, "login", NULL);
    tags = field(line, "tags", NULL);

    if (as.len == 0 && tags.len > 0) {
        as = (tg_str_t) { tags.data, strcspn(tags.data, ",") };
        tags.data += as.len;
        tags.len -= as.len;
    }

    /* whose a subnet router is is told to nobody whom it is no way in for */

    if (as.len == 0 && field(line, "node", NULL).len > 0) {
        if (!add_word(log, "node:", field(line, "node", NULL), &as, &n)) {
            return NULL;
        }

        n = 0;
    }

    peer = self->alloc.alloc(self->alloc.ctx, sizeof(cli_peer_t));

    if (as.len == 0 || peer == NULL
        || !add_facts(log, line, tags, words, &n))
    {
        return NULL;
    }

    memset(peer, 0, sizeof(cli_peer_t));

    if (tg_persona(log->diff->policies[1], as, words, n, self->now,
                   &self->alloc, &peer->peer, &error) != TG_OK
        || peer->peer.identity == NULL)
    {
        return NULL;
    }

    peer->identity = *peer->peer.identity;
    peer->peer.identity = &peer->identity;

    if (!is_text(field(line, "status", "peer"), "shared")
        && !bring_home(log, peer))
    {
        return NULL;
    }

    return peer;
}


/* The node as it is now, of which more is known than a line says. */

static const cli_peer_t *
who(log_t *log, const json_t *line)
{
    uint32_t  i;
    tg_str_t  id;

    id = field(line, "node_id", NULL);
    i = id.len > 0 ? tgi_map_get(&log->nodes, id) : TGI_MAP_NONE;

    return i != TGI_MAP_NONE ? &log->diff->peers.items[i]
                             : made_up(log, line);
}


static bool
what(log_t *log, const json_t *line, tg_request_t *request)
{
    tg_str_t           path, via;
    const tg_alloc_t  *alloc;

    alloc = &log->diff->self->alloc;
    path = field(line, "path", "uri");

    if (path.len > 0) {
        path.len = strcspn(path.data, "?");
    }

    memset(request, 0, sizeof(tg_request_t));
    request->now = log->diff->self->now;

    /* the line is released, the request stays */

    if (tgi_str_copy(&request->method, field(line, "method", NULL).data,
                     field(line, "method", NULL).len, alloc) != TG_OK
        || tgi_str_copy(&request->host, field(line, "host", NULL).data,
                        field(line, "host", NULL).len, alloc) != TG_OK
        || tgi_str_copy(&request->raw_path, path.data, path.len, alloc)
           != TG_OK
        || tg_path_normalize(request->raw_path, alloc, &request->path)
           != TG_OK)
    {
        return false;
    }

    via = field(line, "service", NULL);

    if (via.len > 0) {
        request->via = TG_VIA_SERVICE;
        (void) tgi_str_copy(&request->service, via.data, via.len, alloc);
    }

    return request->method.len > 0 && request->host.len > 0;
}


/* All of a line that a decision depends on. */

static bool
make_key(log_t *log, const json_t *line, tg_str_t *key)
{
    char      *p;
    size_t     i, len;
    tg_str_t   text[16];

    static const char *const  names[][2] = {
        { "node_id", NULL }, { "login", NULL }, { "node", NULL },
        { "tags", NULL }, { "status", "peer" }, { "os", NULL },
        { "os_version", NULL }, { "groups", NULL }, { "service", NULL },
        { "method", NULL }, { "host", NULL }, { "path", "uri" }
    };

    static const size_t  n = sizeof(names) / sizeof(names[0]);

    len = 0;

    for (i = 0; i < n; i++) {
        text[i] = field(line, names[i][0], names[i][1]);
        len += text[i].len + 1;
    }

    p = tgi_alloc(&log->diff->self->alloc, len, 1);
    if (p == NULL) {
        return false;
    }

    *key = (tg_str_t) { p, 0 };

    for (i = 0; i < n; i++) {
        if (text[i].len > 0) {
            memcpy(p + key->len, text[i].data, text[i].len);
        }

        key->len += text[i].len;
        p[key->len++] = '\0';
    }

    return true;
}


static bool
add_entry(log_t *log, tg_str_t key, uint32_t change)
{
    size_t     max;
    uint32_t  *entries;

    if (log->nentries == log->max) {
        max = log->max > 0 ? 2 * log->max : 1024;
        entries = tgi_alloc(&log->diff->self->alloc, max, sizeof(uint32_t));

        if (entries == NULL) {
            return false;
        }

        if (log->nentries > 0) {
            memcpy(entries, log->entries, log->nentries * sizeof(uint32_t));
        }

        log->entries = entries;
        log->max = max;
    }

    log->entries[log->nentries] = change;

    return tgi_map_add(&log->seen, key, (uint32_t) log->nentries++) == TG_OK;
}


/* A request that was not seen yet: *index of its change + 1, or 0. */

static int
replay(log_t *log, const json_t *line, uint32_t *index)
{
    cli_diff_t        *diff;
    cli_change_t      *change;
    tg_request_t       request;
    tg_decision_t      old, new;
    const cli_peer_t  *peer;

    diff = log->diff;
    *index = 0;

    peer = what(log, line, &request) ? who(log, line) : NULL;

    if (peer == NULL) {
        *index = UINT32_MAX;
        return CLI_OK;
    }

    if (!cli_diff_ask(diff, peer, &request, &old, &new)) {
        return CLI_OK;
    }

    change = cli_diff_add(diff);
    if (change == NULL) {
        return CLI_USAGE;
    }

    change->peer = peer;
    change->host = request.host;
    change->path = request.path;
    change->method = request.method;
    change->old = old;
    change->new = new;
    *index = (uint32_t) diff->nchanges;

    return CLI_OK;
}


static int
take_line(log_t *log, const json_t *line)
{
    int          code;
    uint32_t     i, index;
    tg_str_t     key;
    cli_diff_t  *diff;

    diff = log->diff;

    if (!make_key(log, line, &key)) {
        goto nomem;
    }

    i = tgi_map_get(&log->seen, key);

    if (i != TGI_MAP_NONE) {
        index = log->entries[i];

    } else {
        code = replay(log, line, &index);
        if (code != CLI_OK) {
            return code;
        }

        if (!add_entry(log, key, index)) {
            goto nomem;
        }
    }

    if (index == UINT32_MAX) {
        diff->skipped++;

    } else if (index > 0) {
        cli_diff_count(diff, &diff->changes[index - 1]);
    }

    return CLI_OK;

nomem:

    cli_error(diff->self->name, "out of memory");

    return CLI_USAGE;
}
