
/*
 * Copyright (C) The Tailgate authors
 *
 * Reading a policy: from a tree of YAML to the model of policy.h.  A fault is
 * told and reading goes on, so that a run tells all of them; what was read is
 * used only if there was none.
 */

#ifndef TGI_POLICY_READ_H_INCLUDED_
#define TGI_POLICY_READ_H_INCLUDED_

#include "core/base/map.h"
#include "core/base/yaml.h"
#include "core/policy/messages.h"
#include "core/policy/policy.h"


typedef struct {
    const tg_alloc_t  *alloc;          /* of the policy */
    const tg_alloc_t  *scratch;        /* of what is needed while reading */
    tgi_messages_t     messages;
    tg_policy_t       *policy;         /* NULL: an inline rule */
    tgi_map_t          routes;         /* names to indices */
    tg_strip_t        *strip;          /* knows what may be a header */
    size_t             nrules;
} tgi_read_t;


/* A key of a mapping. */

typedef struct {
    const char  *name;
    const char  *other;                /* the same key in the plural */
    void       (*read)(tgi_read_t *rd, void *object, const tgi_yaml_t *node);
    bool         required;
} tgi_key_t;

/* All keys of one kind of mapping. */

typedef struct {
    const char       *what;            /* "a route" */
    const tgi_key_t  *keys;
    size_t            n;
} tgi_keys_t;

extern const tgi_keys_t  tgi_policy_keys;
extern const tgi_keys_t  tgi_always_keys;
extern const tgi_keys_t  tgi_grants_keys;
extern const tgi_keys_t  tgi_role_keys;
extern const tgi_keys_t  tgi_route_keys;
extern const tgi_keys_t  tgi_header_keys;
extern const tgi_keys_t  tgi_rule_keys;
extern const tgi_keys_t  tgi_where_keys;
extern const tgi_keys_t  tgi_test_keys;

/* A word that stands for a value. */

typedef struct {
    const char  *name;
    uint32_t     value;
} tgi_word_t;


/* node.c: what a value may be.  Each tells what is wrong. */

tgi_place_t tgi_place(const tgi_yaml_t *node);      /* of the key */
tgi_place_t tgi_value_place(const tgi_yaml_t *node);
void tgi_tell(tgi_read_t *rd, tgi_code_t code, const tgi_yaml_t *node,
    const char *a, const char *b, const char *c);

/* Of the result; when there is none, reading comes to nothing. */

void *tgi_new(tgi_read_t *rd, size_t n, size_t size);
bool tgi_copy(tgi_read_t *rd, tg_str_t text, tg_str_t *out);
bool tgi_copy_lower(tgi_read_t *rd, tg_str_t text, tg_str_t *out);

/* Reads the known keys in the order of the table. */

void tgi_read_keys(tgi_read_t *rd, const tgi_yaml_t *node, const char *name,
    const tgi_keys_t *keys, void *object);

/* "did you mean \"groups\"?", or what the words are. */

void tgi_nearest(char *out, size_t size, const char *word,
    const char *const *words, size_t n);

bool tgi_is_mapping(tgi_read_t *rd, const tgi_yaml_t *node, const char *name);
bool tgi_is_list(tgi_read_t *rd, const tgi_yaml_t *node, const char *name);

/*
 * A scalar that is not empty, without control characters and bounded.  name is
 * what a message calls it, NULL for its key.
 */

bool tgi_is_text(tgi_read_t *rd, const tgi_yaml_t *node, const char *name);

/*
 * A text or a list of texts: the number of them, 0 if that was told to be
 * wrong.  tgi_first() and tgi_next() go through them.
 */

size_t tgi_count(tgi_read_t *rd, const tgi_yaml_t *node);
const tgi_yaml_t *tgi_first(const tgi_yaml_t *node);
const tgi_yaml_t *tgi_next(const tgi_yaml_t *node, const tgi_yaml_t *item);

/* The texts as they are, each of which check, if not NULL, has to accept. */

void tgi_read_list(tgi_read_t *rd, const tgi_yaml_t *node,
    bool (*check)(tgi_read_t *rd, const tgi_yaml_t *item), tg_list_t *list);

/* The value of the word, or UINT32_MAX. */

uint32_t tgi_read_word(tgi_read_t *rd, const tgi_yaml_t *node,
    const tgi_word_t *words, size_t n);


/* words.c, words_*.c: the conditions of a rule. */

tg_rule_t *tgi_read_rule(tgi_read_t *rd, const tgi_yaml_t *node,
    tg_rule_kind_t kind, tg_str_t id);

/*
 * Finds the groups that a rule names: TG_OK, TG_ERR_NOMEM, or TG_ERR_REFUSED
 * with the place of the one that the policy has not.
 */

int tgi_resolve_groups(tg_rule_t *rule, const tg_policy_t *policy,
    const tg_alloc_t *alloc, size_t *missing);

/* "check: PERIOD", which is refused. */

void tgi_read_check(tgi_read_t *rd, void *object, const tgi_yaml_t *node);

void tgi_read_user(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_group(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_tag(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_node(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_tailnet(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_autogroup(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_capability(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_where(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_os(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_os_version(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_client_version(tgi_read_t *rd, void *rule,
    const tgi_yaml_t *node);
void tgi_read_key_expires_in(tgi_read_t *rd, void *rule,
    const tgi_yaml_t *node);
void tgi_read_via(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_from(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_until(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_host(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_path(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);
void tgi_read_method(tgi_read_t *rd, void *rule, const tgi_yaml_t *node);

bool tgi_check_login(tgi_read_t *rd, const tgi_yaml_t *item);
void tgi_read_tailnets(tgi_read_t *rd, const tgi_yaml_t *node, tg_list_t *list);
bool tgi_check_capability(tgi_read_t *rd, const tgi_yaml_t *item);
bool tgi_check_time(tgi_read_t *rd, const tgi_yaml_t *item, int64_t *time);
bool tgi_is_service(tg_str_t name);

/* The operator that text begins with, TGI_OP_EQ without one; its length. */

size_t tgi_op_parse(const char *text, tgi_op_t *op);

/* "7d", "1d12h"; false if it is none. */

bool tgi_duration_parse(const char *text, size_t len, int64_t *seconds);

void tgi_read_hosts(tgi_read_t *rd, const tgi_yaml_t *node,
    tgi_host_t **hosts, size_t *n);
void tgi_read_paths(tgi_read_t *rd, const tgi_yaml_t *node,
    tgi_path_t **paths, size_t *n);


/* read_route.c, read_header.c, read_test.c: parts of a file. */

void tgi_read_rules(tgi_read_t *rd, const tgi_yaml_t *node,
    tg_rule_kind_t kind, tg_str_t of, tgi_rules_t *rules);
void tgi_read_routes(tgi_read_t *rd, void *policy, const tgi_yaml_t *node);
void tgi_read_headers(tgi_read_t *rd, void *route, const tgi_yaml_t *node);
void tgi_read_roles(tgi_read_t *rd, void *policy, const tgi_yaml_t *node);
void tgi_collect_headers(tgi_read_t *rd);
void tgi_read_tests(tgi_read_t *rd, void *policy, const tgi_yaml_t *node);

void tgi_read_explain(tgi_read_t *rd, const tgi_yaml_t *node, bool *explain);
void tgi_read_contact(tgi_read_t *rd, const tgi_yaml_t *node,
    tg_str_t *contact);

/* A name of letters, digits, "-", "_" and ".". */

bool tgi_is_name(tg_str_t name);


/* check.c: what is well-formed and still not meant. */

void tgi_check_policy(tgi_read_t *rd);


#endif /* TGI_POLICY_READ_H_INCLUDED_ */
