
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy test: the policy's own tests.
 */

#include <cli/cli.h>
#include <cli/policy.h>

#include <errno.h>
#include <string.h>


typedef struct {
    tg_policy_test_t  *items;
    size_t             n;
    size_t             failed;
} results_t;


static int test(cli_policy_t *self);
static int run(cli_policy_t *self, results_t *results);
static void print_failures(const cli_policy_t *self,
    const results_t *results);
static int put_json(const cli_policy_t *self, const results_t *results,
    int code);
static int put_junit(const cli_policy_t *self, const results_t *results);


static const char  usage[] =
    "usage: tailgate policy test FILE [--junit OUT] [--json] [--at TIME]\n"
    "\n"
    "Runs the tests of the policy in FILE, and prints each that fails, what\n"
    "it expected, what was decided and why.\n"
    "\n"
    "  --junit OUT  write the results to OUT as JUnit XML too\n"
    "  --json       print one JSON object with all results\n"
    "  --at TIME    when the tests that name no time are (RFC 3339)\n"
    "  --help       print this message\n"
    "\n"
    "Exit status: 0 all pass, 1 some fail or the policy is refused, 2 the\n"
    "command line is wrong or a file cannot be read or written.\n";


int
cli_policy_test(int argc, char **argv)
{
    int           code;
    cli_policy_t  self = { .name = "policy test" };

    if (!cli_policy_options(&self, argc, argv,
                            CLI_POLICY_JSON|CLI_POLICY_JUNIT|CLI_POLICY_AT,
                            usage, &code))
    {
        return code;
    }

    code = self.nfiles == 1
           ? test(&self)
           : cli_usage(self.name, "one FILE is tested at a time");

    tg_arena_free(&self.arena);

    return code;
}


static int
test(cli_policy_t *self)
{
    int        code;
    results_t  results = { .n = 0 };

    self->policy = self->files[0];

    code = cli_policy_at(self);

    if (code == CLI_OK) {
        code = cli_policy_compile(self, self->policy, false, NULL,
                                  &self->file);
    }

    if (code == CLI_OK) {
        code = run(self, &results);
    }

    if (code != CLI_OK) {
        return code;
    }

    code = results.failed == 0 ? CLI_OK : CLI_BAD;

    if (self->junit != NULL && put_junit(self, &results) != CLI_OK) {
        return CLI_USAGE;
    }

    if (self->json) {
        return put_json(self, &results, code);
    }

    print_failures(self, &results);

    return code;
}


static int
run(cli_policy_t *self, results_t *results)
{
    size_t             i;
    tg_policy_test_t  *result;

    results->n = tg_policy_ntests(self->file);
    results->items = self->alloc.alloc(self->alloc.ctx,
                                       (results->n + 1)
                                       * sizeof(tg_policy_test_t));

    for (i = 0; results->items != NULL && i < results->n; i++) {
        result = &results->items[i];

        if (tg_policy_test(self->file, i, self->now, &self->alloc, result)
            != TG_OK)
        {
            break;
        }

        results->failed += !result->passed;
    }

    if (results->items == NULL || i < results->n) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    return CLI_OK;
}


static void
print_failures(const cli_policy_t *self, const results_t *results)
{
    size_t                   i;
    const tg_policy_test_t  *result;

    for (i = 0; i < results->n; i++) {
        result = &results->items[i];

        if (result->passed) {
            continue;
        }

        (void) printf("%s:%zu: ", self->policy, result->line);
        cli_print(stdout, result->name);
        (void) printf(": ");
        cli_print(stdout, result->why);
        (void) fputc('\n', stdout);
    }

    if (results->failed > 0) {
        (void) printf("%zu of %zu test%s failed\n", results->failed,
                      results->n, results->n == 1 ? "" : "s");

    } else {
        (void) printf("%zu test%s passed\n", results->n,
                      results->n == 1 ? "" : "s");
    }
}


static json_t *
result_json(const tg_policy_test_t *result)
{
    json_t  *json, *decision;

    json = json_object();

    (void) json_object_set_new(json, "name", cli_policy_text(result->name));
    (void) json_object_set_new(json, "line",
                               json_integer((json_int_t) result->line));
    (void) json_object_set_new(json, "passed", json_boolean(result->passed));
    (void) json_object_set_new(json, "expected",
        json_string(cli_verdict_name(result->expected)));

    if (result->expected_rule.len > 0) {
        (void) json_object_set_new(json, "expected_rule",
                                   cli_policy_text(result->expected_rule));
    }

    decision = json_object();
    cli_decision_json(decision, &result->decision);

    (void) json_object_set_new(json, "decision", decision);
    (void) json_object_set_new(json, "why", cli_policy_text(result->why));

    return json;
}


static int
put_json(const cli_policy_t *self, const results_t *results, int code)
{
    size_t   i;
    json_t  *json, *list;

    json = json_object();
    list = json_array();

    for (i = 0; i < results->n; i++) {
        (void) json_array_append_new(list, result_json(&results->items[i]));
    }

    (void) json_object_set_new(json, "policy",
                               cli_policy_json(self->file, self->policy));
    (void) json_object_set_new(json, "tests",
                               json_integer((json_int_t) results->n));
    (void) json_object_set_new(json, "failed",
                               json_integer((json_int_t) results->failed));
    (void) json_object_set_new(json, "results", list);

    return cli_policy_put(self, json, code);
}


/* Text as the value of an attribute: XML has no way to say a control. */

static void
print_xml(FILE *out, tg_str_t text)
{
    size_t    i;
    tg_str_t  piece;

    for (i = 0; i < text.len; i++) {

        switch (text.data[i]) {

        case '<':
            (void) fputs("&lt;", out);
            break;

        case '>':
            (void) fputs("&gt;", out);
            break;

        case '&':
            (void) fputs("&amp;", out);
            break;

        case '"':
            (void) fputs("&quot;", out);
            break;

        default:
            piece = (tg_str_t) { text.data + i, 1 };

            /* a whole character at a time */

            while (i + 1 < text.len
                   && ((unsigned char) text.data[i + 1] & 0xc0) == 0x80)
            {
                piece.len++;
                i++;
            }

            cli_print(out, piece);
        }
    }
}


static int
put_junit(const cli_policy_t *self, const results_t *results)
{
    int                      bad;
    FILE                    *out;
    size_t                   i;
    tg_str_t                 path;
    const tg_policy_test_t  *result;

    out = fopen(self->junit, "we");

    if (out == NULL) {
        cli_error(self->name, "%s: %s", self->junit, strerror(errno));
        return CLI_USAGE;
    }

    path = (tg_str_t) { self->policy, strlen(self->policy) };

    (void) fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<testsuite name=\"", out);
    print_xml(out, path);
    (void) fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n",
                   results->n, results->failed);

    for (i = 0; i < results->n; i++) {
        result = &results->items[i];

        (void) fputs("  <testcase classname=\"policy\" name=\"", out);
        print_xml(out, result->name);
        (void) fputs("\" file=\"", out);
        print_xml(out, path);
        (void) fprintf(out, "\" line=\"%zu\"", result->line);

        if (result->passed) {
            (void) fputs("/>\n", out);
            continue;
        }

        (void) fputs(">\n    <failure message=\"", out);
        print_xml(out, result->why);
        (void) fputs("\"/>\n  </testcase>\n", out);
    }

    (void) fputs("</testsuite>\n", out);

    bad = ferror(out);

    if (fclose(out) != 0 || bad) {
        cli_error(self->name, "%s: %s", self->junit, strerror(errno));
        return CLI_USAGE;
    }

    return CLI_OK;
}
