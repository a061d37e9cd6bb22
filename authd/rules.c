
/*
 * Copyright (C) The Tailgate authors
 *
 * The policy file that authd.yaml names.
 */

#include "authd/config_value.h"

#include <stdlib.h>
#include <string.h>


/* what 100,000 rules take, and as much again */

#define RULES_ARENA_MAX  ((size_t) 512 * 1024 * 1024)


typedef struct {
    const authd_config_t    *conf;
    authd_config_report_pt   report;
    void                    *data;
    bool                     told;
} rules_load_t;


static void rules_report(void *ctx, const tg_policy_message_t *message);
static void rules_fail(rules_load_t *load, const char *text);


bool
authd_config_rules(authd_config_t *conf, authd_config_report_pt report,
    void *data)
{
    int            rc;
    char          *bytes;
    size_t         len;
    tg_alloc_t     alloc;
    rules_load_t   load = { conf, report, data, false };

    if (conf->policy != AUTHD_POLICY_FILE) {
        return true;
    }

    if (!authd_config_read(conf->policy_file, TG_POLICY_SIZE_MAX, &bytes,
                           &len, report, data))
    {
        return false;
    }

    rc = TG_ERR_NOMEM;
    conf->rules_arena = tg_arena_new(RULES_ARENA_MAX);

    if (conf->rules_arena != NULL) {
        alloc = tg_arena_allocator(conf->rules_arena);
        rc = tg_policy_compile(bytes, len, &alloc, rules_report, &load,
                               &conf->rules);
    }

    free(bytes);

    if (rc != TG_OK && !load.told) {
        rules_fail(&load, rc == TG_ERR_LIMIT ? "the policy is too big"
                                             : tg_strerror(rc));
    }

    return rc == TG_OK;
}


static void
rules_report(void *ctx, const tg_policy_message_t *message)
{
    char           text[sizeof(message->code) + TG_POLICY_TEXT_MAX + 2];
    rules_load_t  *load;
    authd_fault_t  fault;

    load = ctx;

    (void) snprintf(text, sizeof(text), "%s: %s", message->code,
                    message->text);

    fault.conf = load->conf;
    fault.file = load->conf->policy_file;
    fault.line = message->line;
    fault.column = message->column;
    fault.warning = message->severity == TG_POLICY_WARNING;
    fault.text = text;

    load->told = load->told || !fault.warning;
    load->report(&fault, load->data);
}


static void
rules_fail(rules_load_t *load, const char *text)
{
    load->report(&(authd_fault_t) { .file = load->conf->policy_file,
                                    .text = text, .conf = load->conf },
                 load->data);
}
