
/*
 * Copyright (C) The Tailgate authors
 *
 * authd.yaml: what a value becomes, and where a fault is.
 */

#include "authd/config.h"
#include "authd/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>


typedef struct {
    size_t  line;
    size_t  n;
    char    text[512];
} fault_t;


static void
report(const authd_fault_t *told, void *data)
{
    fault_t  *fault;

    fault = data;

    assert_string_equal(told->file, "test.yaml");
    assert_false(told->warning);

    if (fault->n++ == 0) {
        fault->line = told->line;
        (void) snprintf(fault->text, sizeof(fault->text), "%s", told->text);
    }
}


static authd_config_t *
parse(const char *text)
{
    fault_t          fault;
    authd_config_t  *conf;

    memset(&fault, 0, sizeof(fault));

    if (!authd_config_parse("test.yaml", text, strlen(text), &conf, report,
                            &fault))
    {
        fail_msg("line %zu: %s", fault.line, fault.text);
    }

    assert_int_equal(fault.n, 0);

    return conf;
}


static void
test_defaults(void **state)
{
    authd_config_t  *conf;

    (void) state;

    conf = parse("# nothing\n");

    assert_int_equal(conf->policy, AUTHD_POLICY_NONE);
    assert_int_equal(conf->gate.peers, TG_TRAIT_MEMBER);
    assert_int_equal(conf->gate.ntailnets, 0);
    assert_string_equal(conf->unix_path, "/run/tailgate/authd.sock");
    assert_int_equal(conf->unix_mode, 0660);
    assert_true(conf->unix_group == (gid_t) -1);
    assert_false(conf->has_tcp);
    assert_int_equal(conf->senders.ncidrs, 0);
    assert_int_equal(conf->senders.uids[0], 0);
    assert_string_equal(conf->localapi, "/var/run/tailscale/tailscaled.sock");
    assert_int_equal(conf->localapi_timeout, 2000);
    assert_int_equal(conf->log_level, AUTHD_LOG_INFO);
    assert_int_equal(conf->log_format, AUTHD_LOG_TEXT);
    assert_string_equal(conf->audit, "stderr");

    authd_config_free(&conf);
    assert_null(conf);
}


static void
test_values(void **state)
{
    authd_config_t  *conf;

    (void) state;

    conf = parse("policy: member\n"
                 "peers: [member, tagged]\n"
                 "tailnets: [Tail.Example., other.example]\n"
                 "services:\n"
                 "  svc:wiki: [100.100.1.1, \"fd7a:115c:a1e0::1\"]\n"
                 "  svc:db: 100.100.1.2\n"
                 "localapi: unix:/tmp/x.sock\n"
                 "localapi_timeout: 250ms\n"
                 "listen:\n"
                 "  unix: none\n"
                 "  mode: \"0600\"\n"
                 "  group: 33\n"
                 "  tcp: \"[::1]:8180\"\n"
                 "  hosts: [LocalHost:8180]\n"
                 "  senders: [root, 1234, \"@root\", 127.0.0.0/8, \"::1\"]\n"
                 "audit: none\n"
                 "log: { level: debug, format: json }\n"
                 "limits:\n"
                 "  connections: 12\n"
                 "  idle_timeout: 2m\n");

    assert_int_equal(conf->policy, AUTHD_POLICY_MEMBER);
    assert_int_equal(conf->gate.peers, TG_TRAIT_MEMBER|TG_TRAIT_TAGGED);
    assert_int_equal(conf->gate.ntailnets, 2);
    assert_int_equal(conf->gate.tailnets[0].len, strlen("Tail.Example"));
    assert_int_equal(conf->nservices, 3);
    assert_memory_equal(conf->services[1].name.data, "svc:wiki", 8);
    assert_int_equal(conf->services[1].addr.family, TG_ADDR_V6);
    assert_memory_equal(conf->services[2].name.data, "svc:db", 6);
    assert_string_equal(conf->localapi, "/tmp/x.sock");
    assert_int_equal(conf->localapi_timeout, 250);
    assert_null(conf->unix_path);
    assert_int_equal(conf->unix_mode, 0600);
    assert_int_equal(conf->unix_group, 33);
    assert_true(conf->has_tcp);
    assert_int_equal(conf->tcp_addr.port, 8180);
    assert_int_equal(conf->tcp_hosts.n, 1);
    assert_memory_equal(conf->tcp_hosts.items[0].data, "localhost:8180", 14);
    assert_int_equal(conf->senders.nuids, 2);
    assert_int_equal(conf->senders.uids[1], 1234);
    assert_int_equal(conf->senders.ngids, 1);
    assert_int_equal(conf->senders.ncidrs, 2);
    assert_null(conf->audit);
    assert_int_equal(conf->log_level, AUTHD_LOG_DEBUG);
    assert_int_equal(conf->log_format, AUTHD_LOG_JSON);
    assert_int_equal(conf->limits.connections, 12);
    assert_int_equal(conf->limits.idle_timeout, 120 * 1000);

    authd_config_free(&conf);
}


static void
test_faults(void **state)
{
    size_t           i;
    fault_t          fault;
    authd_config_t  *conf;

    static const struct {
        const char  *text;
        size_t       line;
        const char  *has;
    } rows[] = {
        { "polcy: member\n", 1, "is \"policy\" meant?" },
        { "\nunix: /x\n", 2, "is \"listen: unix\" meant?" },
        { "listen:\n  port: 3\n", 2, "unknown key \"port\" in \"listen\"" },
        { "listen: /run/x\n", 1, "key: value" },
        { "policy: member\npolicy: none\n", 2, "there twice" },
        { "listen:\n  mode: \"0600\"\n  mode: \"0660\"\n", 3, "there twice" },
        { "policy: open\n", 1, "one of none, member" },
        { "policy: [member]\n", 1, "one value" },
        { "policy:\n", 1, "one value" },
        { "peers: member\n", 1, "list" },
        { "peers: [everybody]\n", 1, "kind of peer" },
        { "peers: [[member]]\n", 1, "list of words" },
        { "tailnets: [\"a b\"]\n", 1, "DNS name" },
        { "tailnets: [\".\"]\n", 1, "DNS name" },
        { "services: [svc:x]\n", 1, "Service" },
        { "services: { wiki: 100.100.1.1 }\n", 1, "no Service" },
        { "services:\n  svc:x:\n    - nowhere\n", 3, "no address" },
        { "services: { svc:x: \"100.100.1.1:80\" }\n", 1, "no address" },
        { "services: { svc:x: 10.0.0.1 }\n", 1, "no address of a Service" },
        { "services: { svc:x: 100.100.1.1, svc:y: 100.100.1.1 }\n", 1,
          "of \"svc:x\" already" },
        { "secrets: { nosuch: /x }\n", 1, "does not exist" },
        { "secrets: { webauth: /x }\n", 1, "carries no secret" },
        { "secrets: { pgadmin: x }\n", 1, "absolute path" },
        { "secrets: { pgadmin: /nonexistent/x }\n", 1, "cannot be opened" },
        { "localapi: tailscaled.sock\n", 1, "absolute path" },
        { "localapi_timeout: 2\n", 1, "no time" },
        { "localapi_timeout: 2 s\n", 1, "no time" },
        { "localapi_timeout: 2d\n", 1, "no time" },
        { "localapi_timeout: -1s\n", 1, "no time" },
        { "localapi_timeout: 1ms\n", 1, "has to be from" },
        { "localapi_timeout: 2h\n", 1, "has to be from" },
        { "localapi_keepalive: 0\n", 1, "number from" },
        { "localapi_keepalive: 0x4\n", 1, "number from" },
        { "localapi_keepalive: 99999999999999999999\n", 1, "number from" },
        { "listen: { mode: 660 }\n", 1, "octal" },
        { "listen: { mode: \"0888\" }\n", 1, "octal" },
        { "listen: { mode: \"1777\" }\n", 1, "octal" },
        { "listen: { group: no-such-group }\n", 1, "no group" },
        { "listen: { unix: run/x }\n", 1, "absolute path" },
        { "listen: { tcp: \"0.0.0.0:80\" }\n", 1, "loopback" },
        { "listen: { tcp: \"100.64.0.1:80\" }\n", 1, "loopback" },
        { "listen: { tcp: 127.0.0.1 }\n", 1, "with a port" },
        { "listen: { hosts: [\"http://x\"] }\n", 1, "no value of Host" },
        { "listen: { senders: [no-such-user] }\n", 1, "no user" },
        { "listen: { senders: [\"@no-such-group\"] }\n", 1, "no group" },
        { "listen: { senders: [127.0.0.1/8] }\n", 1, "bits set" },
        { "listen: { senders: [127.0.0.1/99] }\n", 1, "no user, @group" },
        { "listen: { senders: [\"\"] }\n", 1, "list of words" },
        { "audit: log\n", 1, "absolute path" },
        { "log: { level: loud }\n", 1, "one of error" },
        { "limits: { headers: 101 }\n", 1, "number from 8 to 100" },
        { "a: &x 1\n", 1, "anchors" },
        { "peers: &x [member]\n", 1, "anchors" },
        { "peers: *x\n", 1, "alias" },
        { "policy: !!str member\n", 1, "tags" },
        { "policy: member\n---\npolicy: none\n", 2, "second document" },
        { "- policy\n", 1, "key: value" },
        { "policy\n", 1, "key: value" },
        { "? [a]\n: b\n", 1, "a key has to be a word" },
        { "a: [[[[[1]]]]]\n", 1, "nested deeper" },
        { "policy: member\n\tpeers: []\n", 2, "no valid YAML" },
        { "policy: \"member\n", 2, "no valid YAML" },
        { "policy: \"a\\0b\"\n", 1, "NUL" },
        { "\xff\n", 1, "no valid YAML" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&fault, 0, sizeof(fault));
        conf = NULL;

        if (authd_config_parse("test.yaml", rows[i].text,
                               strlen(rows[i].text), &conf, report, &fault))
        {
            fail_msg("%s passed", rows[i].text);
        }

        assert_null(conf);

        if (fault.line != rows[i].line
            || strstr(fault.text, rows[i].has) == NULL)
        {
            fail_msg("%s: line %zu: %s", rows[i].text, fault.line,
                     fault.text);
        }
    }
}


/* Several faults are told in one run. */

static void
test_all_faults(void **state)
{
    fault_t          fault;
    authd_config_t  *conf;

    static const char  text[] = "polcy: member\npeers: [x]\naudit: y\n";

    (void) state;

    memset(&fault, 0, sizeof(fault));

    assert_false(authd_config_parse("test.yaml", text, strlen(text), &conf,
                                    report, &fault));
    assert_int_equal(fault.n, 3);
}


static void
test_bounds(void **state)
{
    char            *text;
    size_t           i;
    fault_t          fault;
    authd_config_t  *conf;

    (void) state;

    text = malloc(300 * 1024);
    assert_non_null(text);

    memset(text, '#', 300 * 1024);
    memset(&fault, 0, sizeof(fault));

    assert_false(authd_config_parse("test.yaml", text, 300 * 1024, &conf,
                                    report, &fault));
    assert_non_null(strstr(fault.text, "longer than"));

    memcpy(text, "peers: [", 8);
    for (i = 0; i < 10000; i++) {
        memcpy(text + 8 + i * 2, "a,", 2);
    }

    memcpy(text + 8 + i * 2, "a]", 3);
    memset(&fault, 0, sizeof(fault));

    assert_false(authd_config_parse("test.yaml", text, strlen(text), &conf,
                                    report, &fault));
    assert_non_null(strstr(fault.text, "more than"));

    memset(&fault, 0, sizeof(fault));
    assert_false(authd_config_parse("test.yaml", "a\0b", 3, &conf, report,
                                    &fault));
    assert_non_null(strstr(fault.text, "NUL"));

    free(text);
}


static void
write_secret(const char *path, const char *text, mode_t mode)
{
    FILE  *file;

    (void) unlink(path);

    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}


static void
test_secret(void **state)
{
    char             dir[] = "/tmp/tailgate-test-XXXXXX";
    char             path[64], text[128];
    size_t           i;
    fault_t          fault;
    authd_config_t  *conf;

    static const struct {
        const char  *secret;
        mode_t       mode;
        const char  *has;
    } rows[] = {
        { "s3cret\n", 0644, "open to others" },
        { "s3cret\n", 0660, "open to others" },
        { "", 0600, "one line" },
        { "\n", 0600, "one line" },
        { "two\nlines\n", 0600, "control" },
        { "a b\n", 0600, "blank" },
        { "s\xc3\xa4\n", 0600, "ASCII" }
    };

    (void) state;

    assert_non_null(mkdtemp(dir));
    (void) snprintf(path, sizeof(path), "%s/secret", dir);
    (void) snprintf(text, sizeof(text), "secrets: { pgadmin: %s }\n", path);

    write_secret(path, "s3cret\n", 0640);

    conf = parse(text);
    assert_int_equal(conf->nsecrets, 1);
    assert_string_equal(conf->secrets[0].profile->name, "pgadmin");
    assert_int_equal(conf->secrets[0].value.len, 6);
    assert_memory_equal(conf->secrets[0].value.data, "s3cret", 6);
    authd_config_free(&conf);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_secret(path, rows[i].secret, rows[i].mode);
        memset(&fault, 0, sizeof(fault));

        assert_false(authd_config_parse("test.yaml", text, strlen(text),
                                        &conf, report, &fault));

        if (strstr(fault.text, rows[i].has) == NULL) {
            fail_msg("%s: %s", rows[i].has, fault.text);
        }

        /* a message is no place for a secret */

        assert_null(strstr(fault.text, "s3cret"));
    }

    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}


/* The path of a policy file is kept; the file itself is not looked at. */

static void
test_policy(void **state)
{
    size_t           i;
    fault_t          fault;
    authd_config_t  *conf;

    static const char *const  wrong[] = {
        "policy: policy.yaml\n", "policy: ~/policy.yaml\n",
        "policy: members\n", "policy: Member\n", "policy: [member]\n",
        "policy: \"\"\n"
    };

    (void) state;

    conf = parse("policy: /etc/tailgate/policy.yaml\n");
    assert_int_equal(conf->policy, AUTHD_POLICY_FILE);
    assert_string_equal(conf->policy_file, "/etc/tailgate/policy.yaml");
    assert_null(conf->rules);
    authd_config_free(&conf);

    conf = parse("policy: none\n");
    assert_int_equal(conf->policy, AUTHD_POLICY_NONE);
    assert_null(conf->policy_file);
    authd_config_free(&conf);

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memset(&fault, 0, sizeof(fault));
        assert_false(authd_config_parse("test.yaml", wrong[i],
                                        strlen(wrong[i]), &conf, report,
                                        &fault));
        assert_int_equal(fault.line, 1);
    }
}


static void
test_fault(void **state)
{
    char    buf[32];
    size_t  i;

    static const struct {
        authd_fault_t   fault;
        const char     *text;
    } rows[] = {
        { { "f", 0, 0, false, "t", NULL }, "f: t" },
        { { "f", 3, 0, false, "t", NULL }, "f:3: t" },
        { { "f", 3, 14, true, "t", NULL }, "f:3:14: t" },
        { { "f", 0, 0, false, "a\nb\xff", NULL }, "f: a?b?" },
        { { "f", 0, 0, false, "0123456789012345678901234567\xc3\xa9", NULL },
          "f: 0123456789012345678901234567" },
        { { "f", 0, 0, false, "012345678901234567890123456\xc3\xa9", NULL },
          "f: 012345678901234567890123456?" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        authd_fault_format(&rows[i].fault, buf, sizeof(buf));
        assert_string_equal(buf, rows[i].text);
    }
}


/* A reload cannot change what is bound. */

static void
test_fixed(void **state)
{
    size_t           i;
    authd_config_t  *a, *b;

    static const struct {
        const char  *text;
        const char  *key;
    } rows[] = {
        { "policy: member\nlog: { level: debug }\n", NULL },
        { "listen: { unix: /x }\n", "listen.unix" },
        { "listen: { unix: none }\n", "listen.unix" },
        { "listen: { mode: \"0600\" }\n", "listen.mode" },
        { "listen: { group: 0 }\n", "listen.group" },
        { "listen: { tcp: 127.0.0.1:8180 }\n", "listen.tcp" }
    };

    (void) state;

    a = parse("");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        b = parse(rows[i].text);

        if (rows[i].key == NULL) {
            assert_null(authd_config_fixed(a, b));

        } else {
            assert_string_equal(authd_config_fixed(a, b), rows[i].key);
            assert_string_equal(authd_config_fixed(b, a), rows[i].key);
        }

        authd_config_free(&b);
    }

    authd_config_free(&a);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_all_faults),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_fault),
        cmocka_unit_test(test_fixed)
    };

    return cmocka_run_group_tests_name("authd_config", tests, NULL, NULL);
}
