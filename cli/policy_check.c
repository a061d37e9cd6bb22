
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy check: would the nginx module and authd load this policy?
 */

#include <cli/cli.h>
#include <cli/policy.h>

#include <string.h>


static int check(cli_policy_t *self);


static const char  usage[] =
    "usage: tailgate policy check FILE [--json]\n"
    "\n"
    "Reads the policy in FILE as the nginx module and tailgate-authd do, and\n"
    "prints each fault as FILE:LINE:COLUMN: error|warning: CODE: TEXT on\n"
    "standard error.  docs/policy-errors.md explains each code.\n"
    "\n"
    "  --json  print one JSON object with all of them\n"
    "  --help  print this message\n"
    "\n"
    "Exit status: 0 accepted, also with warnings, 1 refused, 2 the command\n"
    "line is wrong or the file cannot be read.\n";


int
cli_policy_check(int argc, char **argv)
{
    int           code;
    cli_policy_t  self = { .name = "policy check" };

    if (!cli_policy_options(&self, argc, argv, CLI_POLICY_JSON, usage, &code))
    {
        return code;
    }

    code = self.nfiles == 1
           ? check(&self)
           : cli_usage(self.name, "one FILE is checked at a time");

    tg_arena_free(&self.arena);

    return code;
}


static size_t
count(const json_t *messages, const char *severity)
{
    size_t   i, n;
    json_t  *message;

    n = 0;

    json_array_foreach(messages, i, message) {
        n += strcmp(json_string_value(json_object_get(message, "severity")),
                    severity) == 0;
    }

    return n;
}


static int
put(const cli_policy_t *self, const tg_policy_t *policy, json_t *messages,
    int code)
{
    json_t  *json;

    json = json_object();

    (void) json_object_set_new(json, "accepted", json_boolean(code == CLI_OK));
    (void) json_object_set_new(json, "errors",
        json_integer((json_int_t) count(messages, "error")));
    (void) json_object_set_new(json, "warnings",
        json_integer((json_int_t) count(messages, "warning")));

    if (policy != NULL) {
        (void) json_object_set_new(json, "digest",
            cli_policy_text(tg_policy_digest(policy)));
        (void) json_object_set_new(json, "routes",
            json_integer((json_int_t) tg_policy_nroutes(policy)));
        (void) json_object_set_new(json, "rules",
            json_integer((json_int_t) tg_policy_nrules(policy)));
        (void) json_object_set_new(json, "tests",
            json_integer((json_int_t) tg_policy_ntests(policy)));
    }

    (void) json_object_set(json, "messages", messages);

    return cli_policy_put(self, json, code);
}


static void
print_count(size_t n, const char *what, const char *end)
{
    (void) printf("%zu %s%s%s", n, what, n == 1 ? "" : "s", end);
}


static int
check(cli_policy_t *self)
{
    int           code;
    json_t       *messages;
    tg_policy_t  *policy;

    policy = NULL;
    messages = json_array();

    code = cli_policy_compile(self, self->files[0], false, messages, &policy);

    if (code == CLI_USAGE) {
        goto out;
    }

    if (self->json) {
        code = put(self, policy, messages, code);
        goto out;
    }

    if (code == CLI_OK) {
        (void) printf("%s: accepted, ", self->files[0]);
        print_count(tg_policy_nroutes(policy), "route", ", ");
        print_count(tg_policy_nrules(policy), "rule", ", ");
        print_count(tg_policy_ntests(policy), "test", ", ");
        print_count(count(messages, "warning"), "warning", "\n");
        (void) printf("digest %.*s\n", (int) tg_policy_digest(policy).len,
                      tg_policy_digest(policy).data);

    } else {
        (void) printf("%s: refused, ", self->files[0]);
        print_count(count(messages, "error"), "error", ", ");
        print_count(count(messages, "warning"), "warning", "\n");
    }

out:

    json_decref(messages);

    return code;
}
