
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>


#define FIELDS_MAX  32

/* more than the log takes of a value, so that it says that it was cut */
#define TAGS_MAX    (AUTHD_LOG_FIELD_MAX + 1)

#define DIGEST_LEN  12             /* enough to tell two policies apart */


typedef struct {
    authd_log_field_t  field[FIELDS_MAX];
    size_t             n;
} fields_t;


static void add(fields_t *fields, const char *key, const char *value);
static void add_str(fields_t *fields, const char *key, tg_str_t value);
static void add_number(fields_t *fields, const char *key, const char *value);
static void add_decision(fields_t *fields, const authd_audit_t *audit);
static void add_identity(fields_t *fields, const tg_identity_t *identity,
    char tags[TAGS_MAX]);


bool
authd_audit(const authd_log_t *log, const authd_audit_t *audit)
{
    char      source[TG_ADDR_TEXT_MAX], local[TG_ADDR_TEXT_MAX];
    char      sender[TG_ADDR_TEXT_MAX], code[16], usec[24], tags[TAGS_MAX];
    fields_t  fields;

    if (log->fd == -1) {
        return true;
    }

    fields.n = 0;

    (void) snprintf(code, sizeof(code), "%d", audit->code);
    (void) snprintf(usec, sizeof(usec), "%" PRIu64, audit->usec);

    if (audit->sender->has_cred) {
        (void) snprintf(sender, sizeof(sender), "uid:%ju",
                        (uintmax_t) audit->sender->uid);

    } else {
        (void) tg_addr_format(&audit->sender->addr, false, sender);
    }

    add(&fields, "audit", authd_result_name(audit->result));
    add(&fields, "id", audit->id);

    if (audit->endpoint != AUTHD_ENDPOINT_MAX) {
        add(&fields, "endpoint", authd_endpoint_name(audit->endpoint));
    }

    add_number(&fields, "code", code);
    add(&fields, "status", tg_status_name(audit->status));

    if (audit->decision != NULL) {
        add_decision(&fields, audit);
    }

    add(&fields, "why", audit->why);
    add(&fields, "detail", audit->detail);
    add(&fields, "cache", authd_answer_name(audit->answer));

    if (audit->identity != NULL) {
        add_identity(&fields, audit->identity, tags);
    }

    if (audit->source != NULL) {
        (void) tg_addr_format(audit->source, audit->source->port != 0,
                              source);
        add(&fields, "source", source);
    }

    if (audit->local != NULL) {
        (void) tg_addr_format(audit->local, false, local);
        add(&fields, "local", local);
    }

    add(&fields, "sender", sender);
    add_str(&fields, "method", audit->method);
    add_str(&fields, "host", audit->host);
    add_str(&fields, "path", audit->path);
    add_number(&fields, "usec", usec);

    return authd_log_fields(log, AUTHD_LOG_INFO, NULL, fields.field,
                            fields.n);
}


static void
add_decision(fields_t *fields, const authd_audit_t *audit)
{
    tg_str_t  digest;

    digest = audit->policy;

    if (digest.len > DIGEST_LEN) {
        digest.len = DIGEST_LEN;
    }

    add(fields, "reason", tg_policy_reason_name(audit->decision->reason));
    add_str(fields, "route", audit->decision->route);
    add_str(fields, "rule", audit->decision->rule);
    add_str(fields, "policy", digest);
}


static void
add_identity(fields_t *fields, const tg_identity_t *identity,
    char tags[TAGS_MAX])
{
    size_t           i, n, len;
    const tg_str_t  *tag;

    add_str(fields, "login", identity->login);
    add_str(fields, "node", identity->node);
    add_str(fields, "node_id", identity->node_id);
    add_str(fields, "tailnet", identity->tailnet);

    len = 0;

    for (i = 0; i < identity->tags.n && len < TAGS_MAX; i++) {
        tag = &identity->tags.items[i];

        if (len != 0) {
            tags[len++] = ',';
        }

        n = tag->len < TAGS_MAX - len ? tag->len : TAGS_MAX - len;

        memcpy(tags + len, tag->data, n);
        len += n;
    }

    add_str(fields, "tags", (tg_str_t) { tags, len });
    add_str(fields, "os", identity->os);
    add_str(fields, "os_version", identity->os_version);
}


static void
add(fields_t *fields, const char *key, const char *value)
{
    if (value != NULL) {
        add_str(fields, key, (tg_str_t) { value, strlen(value) });
    }
}


static void
add_number(fields_t *fields, const char *key, const char *value)
{
    add(fields, key, value);
    fields->field[fields->n - 1].number = true;
}


static void
add_str(fields_t *fields, const char *key, tg_str_t value)
{
    authd_log_field_t  *f;

    f = &fields->field[fields->n++];

    f->key = key;
    f->value = value;
    f->number = false;
}
