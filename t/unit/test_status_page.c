
/*
 * Copyright (C) The Tailgate authors
 *
 * The status page: that it is whole, and that nothing in it is markup.
 */

#include <tailgate/status.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>


#define S(text)  ((tg_str_t) TG_STR(text))
#define EVIL     "<b a=\"x\" c='y'>&amp;</b>\\\x01\xff\n"


static char  buffer[256 * 1024];


static const char *
written(tg_status_form_t form, const tg_status_page_t *page)
{
    tg_metrics_text_t  text = { buffer, sizeof(buffer) - 1, 0 };

    assert_int_equal(tg_status_page(&text, form, page), TG_OK);
    assert_true(text.len < sizeof(buffer));
    buffer[text.len] = '\0';

    return buffer;
}


static void
fill(tg_status_page_t *page, tg_self_t *self, tg_metrics_route_t *route,
    tg_metrics_policy_t *policy)
{
    static tg_str_t  health[1] = { TG_STR(EVIL) };

    memset(page, 0, sizeof(tg_status_page_t));
    memset(self, 0, sizeof(tg_self_t));
    memset(route, 0, sizeof(tg_metrics_route_t));

    self->node = S(EVIL);
    self->node_id = S(EVIL);
    self->tailnet = S(EVIL);
    self->state = S(EVIL);
    self->version = S(EVIL);
    self->health.items = health;
    self->health.n = 1;

    route->name = S(EVIL);
    route->outcomes[TG_OUTCOME_DENY] = 3;
    policy->file = S(EVIL);
    policy->digest = S(EVIL);

    page->metrics.component = "test";
    page->metrics.version = "1.2.3";
    page->metrics.routes = route;
    page->metrics.nroutes = 1;
    page->metrics.policies = policy;
    page->metrics.npolicies = 1;
    page->metrics.config_ok = true;
    page->self = self;
    page->socket = S(EVIL);
    page->digest = S(EVIL);
    page->error = S(EVIL);
}


static void
test_html(void **state)
{
    size_t               n;
    const char          *p;
    tg_self_t            self;
    tg_status_page_t     page;
    tg_metrics_route_t   route;
    tg_metrics_policy_t  policy;

    (void) state;

    fill(&page, &self, &route, &policy);
    (void) written(TG_STATUS_FORM_HTML, &page);

    assert_null(strstr(buffer, "<b"  " a="));
    assert_null(strchr(buffer, '\x01'));
    assert_null(strchr(buffer, '\xff'));

    /* six of the node, its socket and error, a file and digest, and a route */

    n = 0;

    for (p = buffer;
         (p = strstr(p, "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;"
                     "&lt;/b&gt;\\?" "??" "</")) != NULL;
         p++)
    {
        n++;
    }

    assert_int_equal(n, 11);
    assert_non_null(strstr(buffer, "</main>\n</body>\n</html>\n"));
}


/* What nobody asked for yet is no reason to say nothing. */

static void
test_empty(void **state)
{
    json_t            *root;
    tg_status_page_t   page;

    (void) state;

    memset(&page, 0, sizeof(page));
    page.metrics.component = "test";
    page.metrics.version = "1.2.3";

    (void) written(TG_STATUS_FORM_HTML, &page);
    assert_non_null(strstr(buffer, "<dt>Last error</dt><dd>none</dd>"));
    assert_non_null(strstr(buffer, "class=\"bad\">refused"));
    assert_non_null(strstr(buffer, "nobody was identified yet"));

    (void) written(TG_STATUS_FORM_JSON, &page);
    root = json_loads(buffer, 0, NULL);
    assert_non_null(root);
    assert_null(json_object_get(root, "node"));
    assert_true(json_is_string(json_object_get(root, "digest")));
    json_decref(root);
}


static void
test_json(void **state)
{
    json_t              *root, *node;
    tg_self_t            self;
    tg_status_page_t     page;
    tg_metrics_route_t   route;
    tg_metrics_policy_t  policy;

    (void) state;

    fill(&page, &self, &route, &policy);
    page.metrics.counts[TG_COUNT_HITS] = 7;
    page.metrics.cached = true;
    page.metrics.bus = TG_BUS_FOLLOWED;

    root = json_loads(written(TG_STATUS_FORM_JSON, &page), 0, NULL);
    assert_non_null(root);

    node = json_object_get(root, "node");
    assert_string_equal(json_string_value(json_object_get(node, "name")),
                        "<b a=\"x\" c='y'>&amp;</b>\\???");
    assert_int_equal(json_integer_value(json_object_get(
                         json_object_get(root, "counters"), "hits")), 7);
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(root, "cache"), "bus")),
                        "followed");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(
                         json_object_get(root, "decisions"), 0), "deny")), 3);

    json_decref(root);
}


/* In each form: nothing past the end, and what is needed is told. */

static void
test_bound(void **state)
{
    int                  form;
    char                *small;
    size_t               size, i;
    tg_self_t            self;
    tg_status_page_t     page;
    tg_metrics_text_t    text;
    tg_metrics_route_t   route;
    tg_metrics_policy_t  policy;

    (void) state;

    fill(&page, &self, &route, &policy);

    for (form = 0; form <= TG_STATUS_FORM_PROMETHEUS; form++) {

        memset(&text, 0, sizeof(text));
        assert_int_equal(tg_status_page(&text, (tg_status_form_t) form,
                                        &page), TG_OK);
        size = text.len;
        assert_true(size > 1000);

        for (i = 0; i <= size; i += size / 5) {
            small = malloc(i + 1);
            assert_non_null(small);
            small[i] = '#';

            text = (tg_metrics_text_t) { small, i, 0 };
            assert_int_equal(tg_status_page(&text, (tg_status_form_t) form,
                                            &page), TG_OK);
            assert_int_equal(text.len, size);
            assert_int_equal(small[i], '#');
            free(small);
        }
    }
}


static void
test_forms(void **state)
{
    size_t            i;
    tg_status_form_t  form;

    static const struct {
        const char        *accept;
        tg_status_form_t   form;
    } accepts[] = {
        { "", TG_STATUS_FORM_HTML },
        { "*/*", TG_STATUS_FORM_HTML },
        { "TEXT/PLAIN", TG_STATUS_FORM_PROMETHEUS },
        { "text/plai", TG_STATUS_FORM_HTML },
        { "text/plain, text/html;q=0.1", TG_STATUS_FORM_HTML },
        { "application/openmetrics-text", TG_STATUS_FORM_PROMETHEUS },
        { "application/json", TG_STATUS_FORM_JSON }
    };

    (void) state;

    for (i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
        assert_int_equal(tg_status_form_accept((tg_str_t) {
                             accepts[i].accept, strlen(accepts[i].accept) }),
                         accepts[i].form);
    }

    assert_int_equal(tg_status_form_parse(&form, S("json")), TG_OK);
    assert_int_equal(form, TG_STATUS_FORM_JSON);
    assert_int_equal(tg_status_form_parse(&form, S("jso")), TG_ERR_SYNTAX);
    assert_int_equal(tg_status_form_parse(&form, S("jsonx")), TG_ERR_SYNTAX);
    assert_int_equal(tg_status_form_parse(&form, S("")), TG_ERR_SYNTAX);
}


/* It names the page's own style, and nothing else. */

static void
test_csp(void **state)
{
    char  csp[TG_STATUS_CSP_MAX];

    (void) state;

    tg_status_csp(csp);
    assert_non_null(strstr(csp, "default-src 'none'; "));
    assert_non_null(strstr(csp, "style-src 'sha256-"));
    assert_null(strstr(csp, "unsafe"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_csp)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
