
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate probe: a request that goes through the proxy as anybody's does, and
 * whether it was seen as the right person's.
 */

#include <cli/cli.h>
#include <cli/probe.h>

#include <tailgate_config.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>


#define ARENA_MAX    (16 * 1024 * 1024)
#define BODY_MAX     (1024 * 1024)
#define TIMEOUT_MAX  300               /* seconds */


typedef enum {
    OPT_URL = 0x100,
    OPT_EXPECT_LOGIN,
    OPT_EXPECT_STATUS,
    OPT_EXPECT_HEADER,
    OPT_LOGIN_HEADER,
    OPT_LOGIN_JSON,
    OPT_FORGE,
    OPT_TIMEOUT,
    OPT_WARNING,
    OPT_TEXTFILE,
    OPT_NAME,
    OPT_CONNECT_TO,
    OPT_SOURCE,
    OPT_CACERT,
    OPT_HELP
} option_t;


static int parse(int argc, char **argv, cli_probe_t *probe, int *code);
static int take(cli_probe_t *probe, int c, char *value);
static int take_header(cli_probe_t *probe, char *value);
static int take_label(const char **label, const char *value);
static int check(const cli_probe_t *probe);
static int wrong(const char *option, const char *what);
static int read_ms(const char *text, uint64_t *ms);
static int probe_all(cli_probe_t *probe, const tg_alloc_t *alloc,
    cli_probe_result_t *result);
static int probe_forged(cli_probe_t *probe, uint64_t end,
    const tg_alloc_t *alloc, cli_probe_result_t *result);
static int judge_forged(const cli_probe_t *probe,
    const tgn_fetch_answer_t *answer, tg_str_t word, const char *what,
    const tg_alloc_t *alloc, cli_probe_result_t *result);
static int fetch(cli_probe_t *probe, uint64_t end, const tg_alloc_t *alloc,
    tgn_fetch_answer_t *answer, cli_probe_result_t *result);
static uint64_t now_ms(void);


static const char *const  user_agent[] = {
    "User-Agent: tailgate-probe/" TAILGATE_VERSION
};

static const char  usage[] =
    "usage: tailgate probe --url URL [option ...]\n"
    "\n"
    "Asks for URL, as anybody does, and says whether the answer is the one\n"
    "that is expected: the right person's.\n"
    "\n"
    "  --url URL               what to ask for, by http or https\n"
    "  --expect-login LOGIN    who this machine is to be seen as\n"
    "  --expect-status CODE    the status of the answer (200)\n"
    "  --expect-header NAME=VALUE\n"
    "                          a header of the answer; any number of times\n"
    "  --login-json NAME.NAME  where the answer says the login (login)\n"
    "  --login-header NAME     it is in a header of the answer, not in JSON\n"
    "  --forge                 claim to be somebody else, too, and see that\n"
    "                          it is not believed\n"
    "  --timeout SECONDS       for all of it (10)\n"
    "  --warning SECONDS       an answer that takes longer is a warning\n"
    "  --textfile FILE.prom    where the metrics go, for Prometheus\n"
    "  --name NAME             what the metrics call this probe (default)\n"
    "  --connect-to HOST:PORT  connect to there, whatever the URL names\n"
    "  --source ADDRESS        from this address of the machine\n"
    "  --cacert FILE           certificates to trust, PEM\n"
    "  --help                  print this message\n"
    "\n"
    "Exit status, as monitoring plugins have it: 0 as expected, 1 that, but\n"
    "slow, 2 not as expected or no answer, 3 nothing could be found out.\n";


int
cli_probe(int argc, char **argv)
{
    int                  code;
    char                 error[TG_ERROR_TEXT_MAX];
    tg_alloc_t           alloc;
    tg_arena_t          *arena;
    cli_probe_t          probe;
    cli_probe_result_t   result;

    if (parse(argc, argv, &probe, &code) != TG_OK) {
        return code;
    }

    arena = tg_arena_new(ARENA_MAX);

    if (arena == NULL) {
        cli_error("probe", "out of memory");
        return CLI_PROBE_UNKNOWN;
    }

    memset(&result, 0, sizeof(cli_probe_result_t));

    alloc = tg_arena_allocator(arena);
    probe.fetch = tgn_fetch_new();

    if (probe.fetch == NULL) {
        (void) snprintf(result.text, sizeof(result.text), "out of memory");
        result.state = CLI_PROBE_UNKNOWN;

    } else {
        result.state = probe_all(&probe, &alloc, &result);
    }

    code = result.state;

    cli_probe_print(&probe, &result);

    if (probe.textfile != NULL
        && !cli_probe_textfile(&probe, &result, error))
    {
        cli_error("probe", "%s: %s", probe.textfile, error);
        code = code == CLI_PROBE_CRITICAL ? code : CLI_PROBE_UNKNOWN;
    }

    tgn_fetch_free(&probe.fetch);
    tg_arena_free(&arena);

    return code;
}


static int
parse(int argc, char **argv, cli_probe_t *probe, int *code)
{
    int  c;

    static const struct option  options[] = {
        { "url", required_argument, NULL, OPT_URL },
        { "expect-login", required_argument, NULL, OPT_EXPECT_LOGIN },
        { "expect-status", required_argument, NULL, OPT_EXPECT_STATUS },
        { "expect-header", required_argument, NULL, OPT_EXPECT_HEADER },
        { "login-header", required_argument, NULL, OPT_LOGIN_HEADER },
        { "login-json", required_argument, NULL, OPT_LOGIN_JSON },
        { "forge", no_argument, NULL, OPT_FORGE },
        { "timeout", required_argument, NULL, OPT_TIMEOUT },
        { "warning", required_argument, NULL, OPT_WARNING },
        { "textfile", required_argument, NULL, OPT_TEXTFILE },
        { "name", required_argument, NULL, OPT_NAME },
        { "connect-to", required_argument, NULL, OPT_CONNECT_TO },
        { "source", required_argument, NULL, OPT_SOURCE },
        { "cacert", required_argument, NULL, OPT_CACERT },
        { "help", no_argument, NULL, OPT_HELP },
        { NULL, 0, NULL, 0 }
    };

    memset(probe, 0, sizeof(cli_probe_t));

    probe->status = 200;
    probe->login_json = "login";
    probe->name = "default";
    probe->ask.timeout = 10 * 1000;
    probe->ask.body_max = BODY_MAX;
    probe->ask.headers = user_agent;
    probe->ask.nheaders = 1;

    *code = CLI_PROBE_UNKNOWN;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == OPT_HELP) {
            (void) fputs(usage, stdout);
            *code = CLI_PROBE_OK;
            return TG_ERR_ABSENT;
        }

        if (c == '?') {
            return wrong("", "the command line was not understood");
        }

        if (take(probe, c, optarg) != TG_OK) {
            return TG_ERR_SYNTAX;
        }
    }

    if (optind != argc) {
        return wrong(argv[optind], " is one argument too many");
    }

    return check(probe);
}


static int
take(cli_probe_t *probe, int c, char *value)
{
    uint64_t  n;

    switch (c) {

    case OPT_URL:
        return take_label(&probe->ask.url, value);

    case OPT_NAME:
        return take_label(&probe->name, value);

    case OPT_EXPECT_HEADER:
        return take_header(probe, value);

    case OPT_EXPECT_STATUS:
        if (read_ms(value, &n) != TG_OK || n % 1000 != 0 || n < 100 * 1000
            || n > 599 * 1000)
        {
            return wrong(value, " is no status: 100 to 599");
        }

        probe->status = (int) (n / 1000);
        break;

    case OPT_TIMEOUT:
        if (read_ms(value, &n) != TG_OK || n == 0 || n > TIMEOUT_MAX * 1000) {
            return wrong(value, " is no time: seconds, up to 300");
        }

        probe->ask.timeout = n;
        break;

    case OPT_WARNING:
        if (read_ms(value, &n) != TG_OK || n == 0) {
            return wrong(value, " is no time: seconds, such as 0.5");
        }

        probe->warning = n * 1000;
        break;

    case OPT_EXPECT_LOGIN:
        probe->login = value;
        break;

    case OPT_LOGIN_HEADER:
        probe->login_header = value;
        break;

    case OPT_LOGIN_JSON:
        probe->login_json = value;
        break;

    case OPT_FORGE:
        probe->forge = true;
        break;

    case OPT_TEXTFILE:
        probe->textfile = value;
        break;

    case OPT_CONNECT_TO:
        probe->ask.connect = value;
        break;

    case OPT_SOURCE:
        probe->ask.source = value;
        break;

    default: /* OPT_CACERT */
        probe->ask.cacert = value;
        break;
    }

    return TG_OK;
}


static int
take_header(cli_probe_t *probe, char *value)
{
    char  *equals;

    equals = strchr(value, '=');

    if (equals == NULL || equals == value) {
        return wrong(value, " is not NAME=VALUE");
    }

    if (probe->nheaders == CLI_PROBE_HEADERS_MAX) {
        return wrong(value, " is one header too many: there may be 16");
    }

    *equals = '\0';
    probe->headers[probe->nheaders].name = value;
    probe->headers[probe->nheaders].value = equals + 1;
    probe->nheaders++;

    return TG_OK;
}


/* What becomes the value of a label of a metric. */

static int
take_label(const char **label, const char *value)
{
    const char  *p;

    for (p = value; *p; p++) {
        if ((unsigned char) *p < 0x21 || (unsigned char) *p > 0x7e) {
            return wrong(value, " has a byte that is no printable ASCII");
        }
    }

    *label = value;

    return TG_OK;
}


static int
check(const cli_probe_t *probe)
{
    size_t       len;
    const char  *host;

    if (probe->ask.url == NULL) {
        return wrong("--url", " is missing");
    }

    host = strstr(probe->ask.url, "://");

    if (host == NULL) {
        return wrong(probe->ask.url, " is no URL: https://HOST/PATH");
    }

    /* it is printed, and becomes a label */

    host += 3;

    if (memchr(host, '@', strcspn(host, "/?#")) != NULL) {
        return wrong("--url", " holds a password: a probe is who its machine "
                     "is");
    }

    if (probe->textfile != NULL) {
        len = strlen(probe->textfile);

        if (len < 5 || strcmp(probe->textfile + len - 5, ".prom") != 0) {
            return wrong(probe->textfile, " does not end in .prom: nothing "
                         "else is read");
        }
    }

    return TG_OK;
}


static int
wrong(const char *option, const char *what)
{
    (void) cli_usage("probe", "%s%s", option, what);

    return TG_ERR_SYNTAX;
}


/* "3" or "0.25", in seconds. */

static int
read_ms(const char *text, uint64_t *ms)
{
    size_t    i, digits;
    uint64_t  n, scale;

    n = 0;
    scale = 1000;
    digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 6) {
        return TG_ERR_SYNTAX;
    }

    for (i = 0; i < digits; i++) {
        n = n * 10 + (uint64_t) (text[i] - '0');
    }

    n *= 1000;

    if (text[i] == '.') {
        for (i++; text[i] >= '0' && text[i] <= '9' && scale > 1; i++) {
            scale /= 10;
            n += (uint64_t) (text[i] - '0') * scale;
        }
    }

    if (text[i] != '\0') {
        return TG_ERR_SYNTAX;
    }

    *ms = n;

    return TG_OK;
}


static int
probe_all(cli_probe_t *probe, const tg_alloc_t *alloc,
    cli_probe_result_t *result)
{
    int                 state;
    uint64_t            end;
    tgn_fetch_answer_t  answer;

    end = now_ms() + probe->ask.timeout;
    state = fetch(probe, end, alloc, &answer, result);

    result->code = answer.code;
    result->us = answer.usec;

    if (state != CLI_PROBE_OK) {
        return state;
    }

    if (cli_probe_check(probe, &answer, alloc, &result->login, result->text)
        != TG_OK)
    {
        return CLI_PROBE_CRITICAL;
    }

    if (probe->forge) {
        state = probe_forged(probe, end, alloc, result);

        if (state != CLI_PROBE_OK) {
            return state;
        }
    }

    if (probe->warning != 0 && result->us > probe->warning) {
        (void) snprintf(result->text, sizeof(result->text),
                        "the answer is right and took %.3f s, more than %.3f",
                        (double) result->us / 1e6,
                        (double) probe->warning / 1e6);
        return CLI_PROBE_WARNING;
    }

    return CLI_PROBE_OK;
}


static int
probe_forged(cli_probe_t *probe, uint64_t end, const tg_alloc_t *alloc,
    cli_probe_result_t *result)
{
    int                  rc, state;
    char                 login[CLI_PROBE_FORGED_LEN + 1];
    size_t               kind;
    uint64_t             random;
    tg_str_t             word;
    const char          *what;
    tgn_fetch_answer_t   answer;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
        (void) snprintf(result->text, sizeof(result->text),
                        "no random bytes");
        return CLI_PROBE_UNKNOWN;
    }

    (void) snprintf(login, sizeof(login), "forged-%016" PRIx64, random);

    word.data = login;
    word.len = CLI_PROBE_FORGED_LEN;

    for (kind = 0; /* void */ ; kind++) {
        rc = cli_probe_forge(kind, login, alloc, &probe->ask.headers,
                             &probe->ask.nheaders, &what);

        if (rc == TG_ERR_ABSENT) {
            return CLI_PROBE_OK;
        }

        if (rc != TG_OK) {
            (void) snprintf(result->text, sizeof(result->text),
                            "out of memory");
            return CLI_PROBE_UNKNOWN;
        }

        state = fetch(probe, end, alloc, &answer, result);

        if (state == CLI_PROBE_OK) {
            state = judge_forged(probe, &answer, word, what, alloc, result);
        }

        if (state != CLI_PROBE_OK) {
            return state;
        }

        result->nforged++;
    }
}


static int
judge_forged(const cli_probe_t *probe, const tgn_fetch_answer_t *answer,
    tg_str_t word, const char *what, const tg_alloc_t *alloc,
    cli_probe_result_t *result)
{
    char      text[CLI_PROBE_TEXT_MAX];
    tg_str_t  login;

    if (cli_probe_holds(answer, word)) {
        result->believed = true;
        (void) snprintf(result->text, sizeof(result->text),
                        "a forged identity was believed: %s reach the app, "
                        "and it is %s@tailgate.invalid", what, word.data);
        return CLI_PROBE_CRITICAL;
    }

    /* who refuses it altogether believes nothing */

    if (answer->code == 400
        || cli_probe_check(probe, answer, alloc, &login, text) == TG_OK)
    {
        return CLI_PROBE_OK;
    }

    result->believed = answer->code < 500;
    (void) snprintf(result->text, sizeof(result->text),
                    "a forged request is answered otherwise: with %s, %.1024s",
                    what, text);

    return CLI_PROBE_CRITICAL;
}


static int
fetch(cli_probe_t *probe, uint64_t end, const tg_alloc_t *alloc,
    tgn_fetch_answer_t *answer, cli_probe_result_t *result)
{
    int       rc;
    uint64_t  now;

    now = now_ms();
    probe->ask.timeout = now < end ? end - now : 1;

    rc = tgn_fetch(probe->fetch, &probe->ask, alloc, answer);

    if (rc == TG_OK && answer->code != 0) {
        return CLI_PROBE_OK;
    }

    (void) snprintf(result->text, sizeof(result->text), "%s",
                    rc == TG_OK ? answer->error : "out of memory");

    return rc == TG_OK && !answer->unusable ? CLI_PROBE_CRITICAL
                                            : CLI_PROBE_UNKNOWN;
}


static uint64_t
now_ms(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000;
}
