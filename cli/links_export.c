
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate links export: all links as lines of JSON.
 */

#include <cli/cli.h>
#include <cli/links.h>

#include <stdio.h>
#include <string.h>


static const char  usage[] =
    "usage: tailgate links export [--format golink|full]\n"
    "\n"
    "Writes all links to standard output, a JSON object a line, by name.\n"
    "\n"
    "  --format NAME    full (as it is by default): with everything that a\n"
    "                   link has; golink: byte for byte as golink does it\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 all were written, 1 the server refused it, 2 the command\n"
    "line is wrong or the output cannot be written, 3 the server does not\n"
    "answer.\n";


int
cli_links_export(int argc, char **argv)
{
    int                 c, code;
    const char         *format;
    cli_links_t         self;
    cli_links_ask_t     ask = { .method = "GET" };
    cli_links_answer_t  answer = { 0 };

    static const struct option  options[] = {
        { "format", required_argument, NULL, 'F' },
        CLI_LINKS_OPTIONS
    };

    if (!cli_links_begin(&self, "links export")) {
        return CLI_USAGE;
    }

    format = "full";

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c == 'F') {
            format = optarg;

        } else if (!cli_links_option(&self, c, usage, &code)) {
            goto out;
        }
    }

    if (optind != argc
        || (strcmp(format, "golink") != 0 && strcmp(format, "full") != 0))
    {
        code = cli_usage(self.command, optind != argc
                         ? "it takes no arguments"
                         : "the format is neither golink nor full");
        goto out;
    }

    ask.target = cli_links_query(&self, "/api/v1/export",
                                 (const char *[]) { "format", format, NULL });
    code = cli_links_call(&self, &ask, &answer);

    if (code == CLI_OK
        && (fwrite(answer.body.data, 1, answer.body.len, stdout)
            != answer.body.len || fflush(stdout) != 0))
    {
        cli_error(self.command, "the output cannot be written");
        code = CLI_USAGE;
    }

out:

    json_decref(answer.json);
    cli_links_end(&self);

    return code;
}
