
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate acl: how its forms print.
 */

#include <cli/acl.h>

#include <stdlib.h>
#include <string.h>


void
cli_acl_json(cli_acl_t *self, FILE *out, tg_str_t text)
{
    tg_str_t  json;

    if (tg_hujson_quote(text, &self->alloc, &json) == TG_OK) {
        (void) fwrite(json.data, 1, json.len, out);
    }
}


void
cli_acl_json_fault(cli_acl_t *self, FILE *out, const tg_acl_fault_t *fault)
{
    (void) fprintf(out, "{\"accepted\":false,\"stage\":\"%s\",\"message\":",
                   fault->stage == TG_ACL_STAGE_TESTS ? "tests"
                                                      : "validation");
    cli_acl_json(self, out, fault->message);
    (void) fprintf(out, ",\"line\":%zu,\"column\":%zu}\n", fault->line,
                   fault->column);
}


static void
first_failure(void *ctx, const tg_acl_failure_t *failure)
{
    tg_acl_fault_t  *fault = ctx;

    if (fault->line == 0) {
        fault->line = failure->line;
        fault->column = failure->column;
    }
}


bool
cli_acl_tests(const tg_acl_t *acl, tg_acl_fault_t *fault)
{
    static const tg_str_t  message = TG_STR("test(s) failed");

    memset(fault, 0, sizeof(tg_acl_fault_t));
    fault->stage = TG_ACL_STAGE_TESTS;
    fault->message = message;

    return tg_acl_test(acl, first_failure, fault) == 0;
}


static int
compare(const void *a, const void *b, void *ctx)
{
    int              rc;
    size_t           n;
    tg_str_t         x, y;
    const size_t    *i = a, *k = b;
    const cli_acl_t *self = ctx;

    x = tg_acl_node(self->netmap, *i)->name;
    y = tg_acl_node(self->netmap, *k)->name;
    n = x.len < y.len ? x.len : y.len;
    rc = n == 0 ? 0 : memcmp(x.data, y.data, n);

    return rc != 0 ? rc : (x.len > y.len) - (x.len < y.len);
}


const size_t *
cli_acl_sorted(cli_acl_t *self)
{
    size_t  i, n, *sorted;

    n = tg_acl_nodes(self->netmap);

    sorted = self->alloc.alloc(self->alloc.ctx, (n + 1) * sizeof(size_t));
    if (sorted == NULL) {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        sorted[i] = i;
    }

    qsort_r(sorted, n, sizeof(size_t), compare, self);

    return sorted;
}
