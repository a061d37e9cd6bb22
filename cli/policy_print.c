
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy: how its forms print.
 */

#include <cli/cli.h>
#include <cli/policy.h>

#include <string.h>


#define COLUMNS_MAX  8


const char *
cli_verdict_name(tg_verdict_t verdict)
{
    switch (verdict) {

    case TG_ALLOW:
        return "allow";

    case TG_UNAVAILABLE:
        return "unavailable";

    default:
        return "deny";
    }
}


json_t *
cli_policy_text(tg_str_t text)
{
    json_t  *json;

    if (text.len == 0) {
        return json_string("");
    }

    json = json_stringn(text.data, text.len);

    /* what came in is no UTF-8: a command line can hold anything */

    return json != NULL ? json : json_string("?");
}


json_t *
cli_policy_json(const tg_policy_t *policy, const char *path)
{
    json_t  *json;

    if (policy == NULL) {
        return json_null();
    }

    json = json_object();

    (void) json_object_set_new(json, "file",
                               cli_policy_text((tg_str_t) { path,
                                                            strlen(path) }));
    (void) json_object_set_new(json, "digest",
                               cli_policy_text(tg_policy_digest(policy)));

    return json;
}


void
cli_note_partial(const cli_policy_t *self)
{
    (void) fflush(stdout);
    (void) fprintf(stderr, "tailgate %s: note: a status tells neither versions"
                           " nor capabilities nor groups: rules that need them"
                           " take them as unknown\n", self->name);
}


static const char *
via_name(tg_via_t via)
{
    switch (via) {

    case TG_VIA_SERVICE:
        return "service";

    case TG_VIA_FUNNEL:
        return "funnel";

    default:
        return "direct";
    }
}


json_t *
cli_request_json(const tg_request_t *request)
{
    json_t  *json;

    json = json_object();

    (void) json_object_set_new(json, "method",
                               cli_policy_text(request->method));
    (void) json_object_set_new(json, "host", cli_policy_text(request->host));
    (void) json_object_set_new(json, "path", cli_policy_text(request->path));
    (void) json_object_set_new(json, "raw_path",
                               cli_policy_text(request->raw_path));
    (void) json_object_set_new(json, "via",
                               request->service.len > 0
                               ? cli_policy_text(request->service)
                               : json_string(via_name(request->via)));
    (void) json_object_set_new(json, "at", json_integer(request->now));

    return json;
}


void
cli_decision_json(json_t *object, const tg_decision_t *decision)
{
    (void) json_object_set_new(object, "verdict",
        json_string(cli_verdict_name(decision->verdict)));
    (void) json_object_set_new(object, "reason",
        json_string(tg_policy_reason_name(decision->reason)));
    (void) json_object_set_new(object, "text", json_string(decision->text));
    (void) json_object_set_new(object, "route",
                               cli_policy_text(decision->route));
    (void) json_object_set_new(object, "rule",
                               cli_policy_text(decision->rule));
}


int
cli_policy_put(const cli_policy_t *self, json_t *json, int code)
{
    if (json == NULL
        || json_dumpf(json, stdout, JSON_INDENT(2)|JSON_ENSURE_ASCII) != 0)
    {
        cli_error(self->name, "out of memory");
        code = CLI_USAGE;
    }

    (void) fputc('\n', stdout);
    json_decref(json);

    return code;
}


void
cli_policy_table(const char *const *names, const tg_str_t *cells,
    size_t columns, size_t n)
{
    size_t    i, column, width, widths[COLUMNS_MAX];
    tg_str_t  name;

    for (column = 0; column < columns; column++) {
        widths[column] = strlen(names[column]);

        for (i = 0; i < n; i++) {
            width = cli_print_width(cells[i * columns + column]);
            widths[column] = width > widths[column] ? width : widths[column];
        }
    }

    for (column = 0; column < columns; column++) {
        name = (tg_str_t) { names[column], strlen(names[column]) };
        cli_print_padded(stdout, name,
                         column + 1 < columns ? widths[column] + 2 : 0);
    }

    (void) fputc('\n', stdout);

    for (i = 0; i < n; i++) {
        for (column = 0; column < columns; column++) {
            cli_print_padded(stdout, cells[i * columns + column],
                             column + 1 < columns ? widths[column] + 2 : 0);
        }

        (void) fputc('\n', stdout);
    }
}
