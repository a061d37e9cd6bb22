
/*
 * Copyright (C) The Tailgate authors
 *
 * What a probe saw: a line for people, metrics for Prometheus.
 */

#include <cli/install.h>
#include <cli/print.h>
#include <cli/probe.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


static void put_metric(FILE *out, const cli_probe_t *probe, const char *name,
    const char *help, double value);
static void put_label(FILE *out, const char *value);


void
cli_probe_print(const cli_probe_t *probe, const cli_probe_result_t *result)
{
    double                    seconds;
    static const char *const  words[] = {
        "OK", "WARNING", "CRITICAL", "UNKNOWN"
    };

    seconds = (double) result->us / 1e6;

    (void) printf("%s: ", words[result->state]);

    if (result->text[0] != '\0') {
        cli_print(stdout, (tg_str_t) { result->text, strlen(result->text) });

    } else {
        (void) printf("%d in %.3f s", result->code, seconds);

        if (probe->login != NULL) {
            (void) fputs(", login ", stdout);
            cli_print(stdout, result->login);
        }

        if (probe->forge) {
            (void) printf(", %zu forged requests not believed",
                          result->nforged);
        }
    }

    if (result->code != 0) {
        (void) printf(" | time=%.6fs", seconds);
    }

    (void) putchar('\n');
}


bool
cli_probe_textfile(const cli_probe_t *probe, const cli_probe_result_t *result,
    char error[TG_ERROR_TEXT_MAX])
{
    bool           done;
    FILE          *out;
    char          *text;
    size_t         len;
    cli_install_t  install;

    text = NULL;
    out = open_memstream(&text, &len);

    if (out == NULL) {
        (void) snprintf(error, TG_ERROR_TEXT_MAX, "out of memory");
        return false;
    }

    put_metric(out, probe, "tailgate_probe_success",
               "Whether the last probe saw what it expected.",
               result->state == CLI_PROBE_OK
               || result->state == CLI_PROBE_WARNING);
    put_metric(out, probe, "tailgate_probe_duration_seconds",
               "How long the answer took.", (double) result->us / 1e6);
    put_metric(out, probe, "tailgate_probe_http_status",
               "Status of the answer, 0 if there was none.", result->code);

    if (probe->forge) {
        put_metric(out, probe, "tailgate_probe_forgery_believed",
                   "Whether a forged identity was believed.",
                   result->believed);
    }

    put_metric(out, probe, "tailgate_probe_timestamp_seconds",
               "When the last probe ended.", (double) time(NULL));

    if (fclose(out) != 0) {
        (void) snprintf(error, TG_ERROR_TEXT_MAX, "out of memory");
        free(text);
        return false;
    }

    done = cli_install_open(&install, probe->textfile)
           && cli_install_write(&install, (tg_str_t) { text, len });

    cli_install_close(&install);
    (void) snprintf(error, TG_ERROR_TEXT_MAX, "%s",
                    done ? "" : install.error);
    free(text);

    return done;
}


static void
put_metric(FILE *out, const cli_probe_t *probe, const char *name,
    const char *help, double value)
{
    (void) fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n%s{probe=\"", name,
                   help, name, name);
    put_label(out, probe->name);
    (void) fputs("\",url=\"", out);
    put_label(out, probe->ask.url);
    (void) fprintf(out, "\"} %.17g\n", value);
}


static void
put_label(FILE *out, const char *value)
{
    for ( /* void */ ; *value; value++) {
        if (*value == '"' || *value == '\\') {
            (void) fputc('\\', out);
        }

        (void) fputc(*value, out);
    }
}
