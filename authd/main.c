
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate-authd: options, and off.
 */

#include "authd/config.h"
#include "authd/server.h"
#include "tailgate_config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>


#define EXIT_USAGE  2
#define FAULT_MAX   6144


typedef enum {
    RUN_SERVE = 0,
    RUN_TEST,
    RUN_DUMP
} run_t;


/*
 * GnuTLS comes with libraries that come with libcurl, and nothing here uses it.
 * It makes itself ready in every process that it is loaded into, which is a
 * twelfth of an idle daemon's memory, unless the process says this (what
 * GNUTLS_SKIP_GLOBAL_INIT of <gnutls/gnutls.h> defines).  Who does use it calls
 * gnutls_global_init(), as libldap does.
 */

int _gnutls_global_init_skip(void);

static int run_test(const char *file);
static int run_dump(const char *file);
static void report(const authd_fault_t *fault, void *data);
static void usage(FILE *out);


static const struct option  options[] = {
    { "config", required_argument, NULL, 'c' },
    { "test", no_argument, NULL, 't' },
    { "dump", no_argument, NULL, 'T' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 }
};


__attribute__((visibility("default"))) int
_gnutls_global_init_skip(void)
{
    return 1;
}


int
main(int argc, char **argv)
{
    int          c;
    run_t        run;
    const char  *file;

    run = RUN_SERVE;
    file = AUTHD_CONFIG_FILE;

    while ((c = getopt_long(argc, argv, "c:tThV", options, NULL)) != -1) {

        switch (c) {

        case 'c':
            file = optarg;
            break;

        case 't':
            run = RUN_TEST;
            break;

        case 'T':
            run = RUN_DUMP;
            break;

        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;

        case 'V':
            puts("tailgate-authd " TAILGATE_VERSION);
            return EXIT_SUCCESS;

        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    }

    if (optind != argc) {
        fprintf(stderr, "tailgate-authd: \"%s\" is no option\n",
                argv[optind]);
        usage(stderr);
        return EXIT_USAGE;
    }

    switch (run) {

    case RUN_TEST:
        return run_test(file);

    case RUN_DUMP:
        return run_dump(file);

    default:
        return authd_server_run(file);
    }
}


static int
run_test(const char *file)
{
    authd_config_t  *conf;

    if (!authd_config_load(file, &conf, report, NULL)) {
        return EXIT_FAILURE;
    }

    if (conf->policy == AUTHD_POLICY_NONE) {
        fprintf(stderr, "tailgate-authd: %s: every request would be denied:"
                " there is no policy\n", file);
    }

    fprintf(stderr, "tailgate-authd: %s is good\n", file);

    authd_config_free(&conf);

    return EXIT_SUCCESS;
}


static int
run_dump(const char *file)
{
    return authd_config_dump(file, stdout, report, NULL) ? EXIT_SUCCESS
                                                         : EXIT_FAILURE;
}


static void
report(const authd_fault_t *fault, void *data)
{
    char  text[FAULT_MAX];

    (void) data;

    authd_fault_format(fault, text, sizeof(text));

    fprintf(stderr, "tailgate-authd: %s%s\n", fault->warning ? "warning: " : "",
            text);
}


static void
usage(FILE *out)
{
    fputs("usage: tailgate-authd [-c FILE] [-t | -T]\n"
          "\n"
          "  -c, --config FILE  read FILE; default: " AUTHD_CONFIG_FILE "\n"
          "  -t, --test         test the configuration and exit\n"
          "  -T, --dump         print the configuration in force and exit\n"
          "  -h, --help         print this message\n"
          "  -V, --version      print the version\n"
          "\n"
          "SIGHUP reads the configuration again, SIGTERM ends the daemon.\n"
          "See tailgate-authd(8) and tailgate-authd.yaml(5).\n", out);
}
