
/*
 * Copyright (C) The Tailgate authors
 *
 * The status page: whatever tailscaled, a file's name and a request say, each
 * form is whole, and what is outside of it stays between its quotes.
 */

#include <tailgate/status.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* Fields are lines, the last of which is all that is left. */

static tg_str_t
next(const uint8_t **data, size_t *size)
{
    tg_str_t        field;
    const uint8_t  *end;

    end = memchr(*data, '\n', *size);

    field.data = (const char *) *data;
    field.len = end ? (size_t) (end - *data) : *size;

    *data += field.len + (end != NULL);
    *size -= field.len + (end != NULL);

    return field;
}


static size_t
count(const char *data, size_t len, char c)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < len; i++) {
        n += data[i] == c;
    }

    return n;
}


/* What is the same in a page of nothing: values add no markup, and no line. */

static void
check(tg_status_form_t form, const char *data, size_t len, size_t lines,
    size_t tags)
{
    json_t  *root;

    switch (form) {

    case TG_STATUS_FORM_JSON:
        root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);

        if (root == NULL) {
            abort();
        }

        json_decref(root);
        break;

    case TG_STATUS_FORM_PROMETHEUS:
        if (count(data, len, '\n') != lines || data[len - 1] != '\n') {
            abort();
        }
        break;

    default: /* TG_STATUS_FORM_HTML */
        if (count(data, len, '<') != tags || count(data, len, '>') != tags) {
            abort();
        }
    }
}


static char *
render(tg_status_form_t form, const tg_status_page_t *page, size_t *len)
{
    tg_metrics_text_t  text = { NULL, 0, 0 };

    if (tg_status_page(&text, form, page) != TG_OK) {
        abort();
    }

    text.size = text.len;
    text.len = 0;
    text.data = malloc(text.size);

    if (text.data == NULL || tg_status_page(&text, form, page) != TG_OK
        || text.len != text.size)
    {
        abort();
    }

    *len = text.len;

    return text.data;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                  i;
    char                *text, *plain;
    size_t               len, plain_len;
    tg_str_t             health;
    tg_self_t            self, nobody;
    tg_status_page_t     page, empty;
    tg_metrics_route_t   route;
    tg_metrics_policy_t  policy;

    memset(&page, 0, sizeof(page));
    memset(&self, 0, sizeof(self));
    memset(&nobody, 0, sizeof(nobody));
    memset(&route, 0, sizeof(route));
    memset(&policy, 0, sizeof(policy));
    memset(&health, 0, sizeof(health));

    page.metrics.component = "fuzz";
    page.metrics.version = "1";
    page.metrics.config_ok = true;
    page.metrics.routes = &route;
    page.metrics.nroutes = 1;
    page.metrics.policies = &policy;
    page.metrics.npolicies = 1;
    page.self = &nobody;
    page.error = (tg_str_t) TG_STR("e");
    nobody.health.items = &health;
    nobody.health.n = 1;
    empty = page;

    for (i = 0; i <= TG_STATUS_FORM_PROMETHEUS; i++) {
        const uint8_t  *p = data;
        size_t          n = size;
        tg_str_t        values[8];
        size_t          v;

        memset(&health, 0, sizeof(health));
        memset(&route.name, 0, sizeof(route.name));
        memset(&policy, 0, sizeof(policy));

        plain = render((tg_status_form_t) i, &empty, &plain_len);

        for (v = 0; v < 8; v++) {
            values[v] = next(&p, &n);
        }

        (void) tg_status_form_accept(values[7]);

        self = nobody;
        self.node = values[0];
        self.state = values[1];
        self.tailnet = values[2];
        health = values[3];
        route.name = values[4];
        policy.file = values[5];
        policy.digest = values[6];

        page.self = &self;
        page.error = values[7].len ? values[7] : empty.error;
        page.digest = values[6];

        text = render((tg_status_form_t) i, &page, &len);

        check((tg_status_form_t) i, text, len, count(plain, plain_len, '\n'),
              count(plain, plain_len, '<'));

        free(text);
        free(plain);
    }

    return 0;
}
