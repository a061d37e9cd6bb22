
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy apply: a new policy into its place and into force.
 */

#include <cli/apply.h>
#include <cli/cli.h>

#include <getopt.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define ARENA_MAX  ((size_t) 1 << 30)


static bool options(cli_apply_t *self, int argc, char **argv, int *code);
static int apply(cli_apply_t *self);
static int check(cli_apply_t *self);
static bool is_of(const tg_policy_t *policy, tg_str_t bytes);
static int run_tests(cli_apply_t *self);
static int take(cli_apply_t *self);
static int place(cli_apply_t *self);
static int dry_run(cli_apply_t *self);


static const char  usage[] =
    "usage: tailgate policy apply FILE [--to PATH] [--dry-run]\n"
    "\n"
    "Checks the policy in FILE, runs its tests, installs it, has nginx test\n"
    "its configuration, reloads nginx and tailgate-authd, and says which\n"
    "policy runs. With any fault the old policy stays, or comes back.\n"
    "\n"
    "  --to PATH            install as PATH (" CLI_POLICY_FILE ")\n"
    "  --dry-run            check and test, and say what would be done\n"
    "  --nginx PROGRAM      nginx, to test and reload (nginx)\n"
    "  --nginx-conf PATH    its configuration, if not its own default\n"
    "  --nginx-status SOCKET\n"
    "                       where it tells its policy, if\n"
    "                       tailgate-status.conf is included\n"
    "                       (" CLI_NGINX_SOCKET ")\n"
    "  --no-nginx           leave nginx alone\n"
    "  --authd SOCKET       tailgate-authd's socket\n"
    "                       (" CLI_AUTHD_SOCKET ", if it is there)\n"
    "  --no-authd           leave tailgate-authd alone\n"
    "  --help               print this message\n"
    "\n"
    "Exit status: 0 in force, 1 the policy or a program refused it, 2 the\n"
    "command line is wrong or a file cannot be read or written.\n";


int
cli_policy_apply(int argc, char **argv)
{
    int       code;
    cli_apply_t  *self;

    self = calloc(1, sizeof(cli_apply_t));

    if (self == NULL) {
        cli_error("policy apply", "out of memory");
        return CLI_USAGE;
    }

    self->install.dir = -1;

    if (options(self, argc, argv, &code)) {
        code = apply(self);
    }

    cli_install_close(&self->install);
    tg_arena_free(&self->policy.arena);
    free(self);

    return code;
}


static bool
options(cli_apply_t *self, int argc, char **argv, int *code)
{
    int  c;

    static const struct option  table[] = {
        { "to", required_argument, NULL, 't' },
        { "dry-run", no_argument, NULL, 'd' },
        { "nginx", required_argument, NULL, 'n' },
        { "nginx-conf", required_argument, NULL, 'c' },
        { "nginx-status", required_argument, NULL, 's' },
        { "no-nginx", no_argument, NULL, 'N' },
        { "authd", required_argument, NULL, 'a' },
        { "no-authd", no_argument, NULL, 'A' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    *code = CLI_USAGE;

    self->policy.name = "policy apply";
    self->target = CLI_POLICY_FILE;
    self->nginx = "nginx";
    self->nginx_status = CLI_NGINX_SOCKET;
    self->authd = CLI_AUTHD_SOCKET;

    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {

        switch (c) {

        case 't':
            self->target = optarg;
            break;

        case 'd':
            self->dry_run = true;
            break;

        case 'n':
            self->nginx = optarg;
            break;

        case 'c':
            self->nginx_conf = optarg;
            break;

        case 's':
            self->nginx_status = optarg;
            break;

        case 'N':
            self->nginx = NULL;
            break;

        case 'a':
            self->authd = optarg;
            self->authd_named = true;
            break;

        case 'A':
            self->authd = NULL;
            break;

        case 'h':
            fputs(usage, stdout);
            *code = CLI_OK;
            return false;

        default:
            cli_usage(self->policy.name,
                      "the command line was not understood");
            return false;
        }
    }

    if (argc - optind != 1) {
        cli_usage(self->policy.name, "one FILE is applied at a time");
        return false;
    }

    self->policy.policy = argv[optind];

    if (strcmp(self->policy.policy, "-") == 0) {
        cli_usage(self->policy.name, "a file is applied, and no standard"
                  " input");
        return false;
    }

    return true;
}


static int
apply(cli_apply_t *self)
{
    int       code;
    sigset_t  hold, old;

    self->policy.arena = tg_arena_new(ARENA_MAX);

    if (self->policy.arena == NULL) {
        cli_error(self->policy.name, "out of memory");
        return CLI_USAGE;
    }

    self->policy.alloc = tg_arena_allocator(self->policy.arena);
    self->policy.now = (int64_t) time(NULL);

    code = check(self);

    if (code != CLI_OK) {
        return code;
    }

    if (self->dry_run) {
        return dry_run(self);
    }

    /* a terminal that goes away is no reason to stop half-way */

    (void) sigemptyset(&hold);
    (void) sigaddset(&hold, SIGHUP);
    (void) sigaddset(&hold, SIGINT);
    (void) sigaddset(&hold, SIGPIPE);
    (void) sigaddset(&hold, SIGTERM);

    (void) sigprocmask(SIG_BLOCK, &hold, &old);

    code = take(self);

    (void) fflush(stdout);
    (void) sigprocmask(SIG_SETMASK, &old, NULL);

    return code;
}


static int
take(cli_apply_t *self)
{
    int   code, rc;
    bool  back;

    code = place(self);

    if (code != CLI_OK) {
        return code;
    }

    back = false;
    code = cli_apply_nginx(self, &back);

    if (back) {
        return code;
    }

    rc = cli_apply_authd(self);

    return code != CLI_OK ? code : rc;
}


/* All that can be known without a change. */

static int
check(cli_apply_t *self)
{
    int  code;

    code = cli_policy_read(&self->policy, self->policy.policy,
                           TG_POLICY_SIZE_MAX, &self->bytes);

    if (code == CLI_OK) {
        code = cli_policy_compile(&self->policy, self->policy.policy, false,
                                  NULL, &self->policy.file);
    }

    if (code != CLI_OK) {
        return code;
    }

    if (!is_of(self->policy.file, self->bytes)) {
        cli_error(self->policy.name, "%s changes while it is read",
                  self->policy.policy);
        return CLI_USAGE;
    }

    code = run_tests(self);

    if (code != CLI_OK) {
        return code;
    }

    if (!cli_install_open(&self->install, self->target)
        || (self->install.exists
            && !cli_install_read(&self->install, TG_POLICY_SIZE_MAX,
                                 &self->policy.alloc, &self->old)))
    {
        (void) cli_apply_failed(self, self->target, self->install.error);
        return CLI_USAGE;
    }

    return CLI_OK;
}


/* Whether these are the bytes that were judged. */

static bool
is_of(const tg_policy_t *policy, tg_str_t bytes)
{
    char           text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned       i, len;
    unsigned char  hash[EVP_MAX_MD_SIZE];

    if (EVP_Digest(bytes.data, bytes.len, hash, &len, EVP_sha256(), NULL)
        != 1)
    {
        return false;
    }

    for (i = 0; i < len; i++) {
        (void) snprintf(text + 2 * i, 3, "%02x", hash[i]);
    }

    return tg_policy_digest(policy).len == 2 * (size_t) len
           && memcmp(tg_policy_digest(policy).data, text, 2 * (size_t) len)
              == 0;
}


static int
run_tests(cli_apply_t *self)
{
    size_t            i, n, wrong;
    tg_policy_test_t  result;

    n = tg_policy_ntests(self->policy.file);
    wrong = 0;

    for (i = 0; i < n; i++) {

        if (tg_policy_test(self->policy.file, i, self->policy.now,
                           &self->policy.alloc, &result)
            != TG_OK)
        {
            cli_error(self->policy.name, "out of memory");
            return CLI_USAGE;
        }

        if (result.passed) {
            continue;
        }

        wrong++;

        (void) fprintf(stderr, "%s:%zu: ", self->policy.policy, result.line);
        cli_print(stderr, result.name);
        (void) fprintf(stderr, ": ");
        cli_print(stderr, result.why);
        (void) fputc('\n', stderr);
    }

    if (wrong != 0) {
        cli_error(self->policy.name, "%zu of %zu tests fail: nothing was"
                  " changed", wrong, n);
        return CLI_BAD;
    }

    (void) printf("%s: accepted, %zu of %zu tests pass\n",
                  self->policy.policy, n, n);

    return CLI_OK;
}


static int
place(cli_apply_t *self)
{
    tg_str_t  digest;

    if (!cli_install_write(&self->install, self->bytes)) {
        (void) cli_apply_failed(self, self->target, self->install.error);
        return CLI_USAGE;
    }

    digest = tg_policy_digest(self->policy.file);

    (void) printf("%s: installed, digest %.*s\n", self->target,
                  (int) digest.len, digest.data);

    return CLI_OK;
}


static int
dry_run(cli_apply_t *self)
{
    tg_str_t     digest;
    cli_authd_t  authd;

    digest = tg_policy_digest(self->policy.file);

    (void) printf("%s: would be %s, digest %.*s\n", self->target,
                  self->install.exists ? "replaced" : "installed",
                  (int) digest.len, digest.data);

    if (self->nginx != NULL) {
        (void) printf("nginx: would be tested and reloaded\n");
    }

    if (self->authd == NULL) {
        return CLI_OK;
    }

    if (cli_authd_ask(self->authd, &self->policy.alloc, &authd) != TG_OK) {
        cli_error(self->policy.name, "out of memory");
        return CLI_USAGE;
    }

    if (authd.state != CLI_DAEMON_ANSWERS) {
        (void) printf("tailgate-authd: %s\n", authd.error);

    } else if (cli_apply_reads(self, &authd)) {
        (void) printf("tailgate-authd: process %ld would be reloaded\n",
                      (long) authd.pid);

    } else {
        (void) printf("tailgate-authd: runs by \"policy: %.*s\", and would be"
                      " left alone\n", (int) authd.policy.len,
                      authd.policy.data);
    }

    return CLI_OK;
}
