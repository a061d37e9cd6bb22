
/*
 * Copyright (C) The Tailgate authors
 *
 * Who may do what: one YAML file and the matching nginx directives, compiled
 * to one form, decided and explained by one function.  The language is in
 * docs/policy.md, the codes of messages in docs/policy-errors.md.
 *
 * A compiled policy is never written to again: any number of threads and, after
 * a fork, processes may read it at once.
 */

#ifndef TAILGATE_POLICY_H_INCLUDED_
#define TAILGATE_POLICY_H_INCLUDED_

#include <tailgate/addr.h>
#include <tailgate/base.h>
#include <tailgate/gate.h>
#include <tailgate/headers.h>
#include <tailgate/identity.h>


/* Bounds of a policy file; past them it is refused. */

#define TG_POLICY_SIZE_MAX     (8 * 1024 * 1024)
#define TG_POLICY_RULES_MAX    100000
#define TG_POLICY_ROUTES_MAX   20000
#define TG_POLICY_DIGEST_LEN   64        /* SHA-256, lower-case hexadecimal */
#define TG_HOST_MAX            255       /* RFC 1035 2.3.4, as text */

/* The request path that is judged; a longer one is refused. */

#define TG_PATH_MAX            8192


typedef struct tg_policy_s  tg_policy_t;   /* a file */
typedef struct tg_rule_s    tg_rule_t;     /* one inline rule */
typedef struct tg_inline_s  tg_inline_t;   /* the inline rules of a location */
typedef struct tg_caps_s    tg_caps_t;     /* capabilities, parsed */


/* One thing to tell about a policy; a file may have several. */

typedef enum {
    TG_POLICY_ERROR = 0,       /* the policy is refused */
    TG_POLICY_WARNING          /* it is loaded; somebody should look at it */
} tg_policy_severity_t;

#define TG_POLICY_TEXT_MAX  512

typedef struct {
    tg_policy_severity_t  severity;
    char                  code[5];      /* "P012" */
    size_t                line;         /* from 1; 0: the file as a whole */
    size_t                column;
    char                  text[TG_POLICY_TEXT_MAX]; /* one sentence with the
                                            offending text in it; UTF-8 without
                                            control characters */
} tg_policy_message_t;

/* Messages come in the order of their lines as far as that is known. */

typedef void (*tg_policy_report_pt)(void *ctx,
    const tg_policy_message_t *message);


/*
 * Compiles len bytes of YAML; data is not needed afterwards.  The result lives
 * in alloc.  report (may be NULL) is called for every error, of which there may
 * be several in one run, and for every warning.
 *
 * Returns TG_OK, also with warnings, TG_ERR_NOMEM, TG_ERR_CRYPTO, or
 * TG_ERR_LIMIT (too big), TG_ERR_SYNTAX or TG_ERR_REFUSED after at least one
 * error was reported.  *policy is set only on TG_OK.
 */

int tg_policy_compile(const char *data, size_t len, const tg_alloc_t *alloc,
    tg_policy_report_pt report, void *ctx, tg_policy_t **policy);

/* SHA-256 of the file's bytes, TG_POLICY_DIGEST_LEN characters. */

tg_str_t tg_policy_digest(const tg_policy_t *policy);

/*
 * How many routes there are, and the name of each ("routes[2]" without one);
 * how many rules of all of them and of "always".
 */

size_t tg_policy_nroutes(const tg_policy_t *policy);
tg_str_t tg_policy_route_name(const tg_policy_t *policy, size_t i);
size_t tg_policy_nrules(const tg_policy_t *policy);

/*
 * Every header name that a route of the policy sets: a client may send none of
 * them.  The list lives in the policy.
 */

const tg_list_t *tg_policy_header_names(const tg_policy_t *policy);


/* Inline rules: nginx directives. */

typedef enum {
    TG_RULE_ALLOW = 0,
    TG_RULE_DENY,
    TG_RULE_REQUIRE            /* must match, whatever allows */
} tg_rule_kind_t;

/*
 * One rule of words such as "user=*@example.com" and "method=GET": the keys of
 * the file's rules, also in the singular; a key that comes twice is any-of.
 * id ("tailgate_deny:/etc/nginx/nginx.conf:12") is what a decision and a log
 * call the rule.  All of it is copied to alloc.
 *
 * Groups are resolved by tg_inline_compile().  Errors, with the offending word
 * and the message's code in error->text: TG_ERR_REFUSED, TG_ERR_LIMIT,
 * TG_ERR_NOMEM.  With TG_OK a text that is not empty is a warning.
 */

int tg_rule_parse(tg_rule_kind_t kind, const tg_str_t *words, size_t nwords,
    tg_str_t id, const tg_alloc_t *alloc, tg_rule_t **rule,
    tg_error_t *error);

/*
 * The rules in force at one place, in any order; they are borrowed.  file is
 * the policy file in force there, for its groups, or NULL.  raw_path allows
 * what is else refused (see tg_policy_decide()).  With n = 0 the result is one
 * that has no say.  Errors as for tg_rule_parse(); an unknown group is
 * TG_ERR_REFUSED.
 */

int tg_inline_compile(const tg_rule_t *const *rules, size_t n, bool raw_path,
    const tg_policy_t *file, const tg_alloc_t *alloc,
    tg_inline_t **inline_rules, tg_error_t *error);


/*
 * The capabilities of a peer (tg_identity_t.caps), parsed once when the peer
 * becomes known, so that a decision parses and allocates nothing.  The result
 * lives in alloc and does not refer to json.  A capability whose value is
 * neither an array nor null, which is an empty one, is left out.  TG_OK,
 * TG_ERR_SYNTAX or TG_ERR_LIMIT (no capability may then be believed),
 * TG_ERR_NOMEM.
 */

int tg_caps_parse(tg_str_t json, const tg_alloc_t *alloc, tg_caps_t **caps);


/* Who asks. */

typedef struct {
    tg_status_t            status;
    const tg_identity_t   *identity;   /* NULL unless MEMBER to UNSIGNED */
    const tg_self_t       *self;       /* NULL: not known */
    const tg_caps_t       *caps;       /* NULL: none */
} tg_peer_t;


typedef enum {
    TG_VIA_DIRECT = 0,
    TG_VIA_SERVICE,            /* the local address was a Service's */
    TG_VIA_FUNNEL
} tg_via_t;

/* What is asked for, as the client sent it, before anybody rewrote it. */

typedef struct {
    tg_str_t    method;
    tg_str_t    host;          /* may have a port or a trailing dot */
    tg_str_t    raw_path;      /* the target up to "?", as sent; empty for a
                                  subrequest, which has only a path */
    tg_str_t    path;          /* normalised (tg_path_normalize()) */
    tg_via_t    via;
    tg_str_t    service;       /* "svc:wiki" if via is SERVICE */
    bool        method_override; /* X-HTTP-Method-Override or one of its kin
                                    was sent */
    int64_t     now;           /* seconds since the epoch */
} tg_request_t;

/*
 * A request path as nginx has it in $uri with merge_slashes on: percent-decoded
 * once, "." and ".." resolved, slashes merged.  raw ends before "?".  The
 * result is raw itself if there is nothing to do, else it lives in alloc.
 * TG_OK; TG_ERR_SYNTAX where nginx answers 400 (bad escape, NUL, above the
 * root, no leading slash); TG_ERR_LIMIT past TG_PATH_MAX; TG_ERR_NOMEM.
 */

int tg_path_normalize(tg_str_t raw, const tg_alloc_t *alloc, tg_str_t *path);

/*
 * What makes a raw path read differently by different programs: an encoded
 * slash, any backslash, a dot segment, ";", NUL, "#", double encoding, raw or
 * percent-encoded.  NULL if nothing does, else a static text that names it.
 */

const char *tg_path_ambiguity(tg_str_t raw);

/*
 * Whether there is nothing to do or to say about a raw path: it can be judged,
 * tg_path_normalize() would give it back, and tg_path_ambiguity() NULL.  Says
 * no to some for which that is so.
 */

bool tg_path_is_plain(tg_str_t raw);

/*
 * The length of what is so at the beginning of a raw path; 0: nothing is.  All
 * of it is plain if that is its length, and so is what stands before a query
 * if '?' stands there.
 */

size_t tg_path_plain(tg_str_t raw);

/* Whether name is a header that overrides the method of a request. */

bool tg_is_method_override(const char *name, size_t len);

/* Adds what such headers look like. */

void tg_method_override_shapes(tg_shapes_t *shapes);


/* Why a decision is what it is. */

typedef enum {
    TG_POLICY_REASON_NONE = 0,
    TG_POLICY_REASON_ALLOWED,          /* an allow rule matched */
    TG_POLICY_REASON_BUILTIN,          /* no rules in force: the built-in one
                                          (text: tg_gate_decide()'s) */
    TG_POLICY_REASON_DENIED,           /* a deny rule matched */
    TG_POLICY_REASON_REQUIRED,         /* a require rule did not match */
    TG_POLICY_REASON_RAW_PATH,         /* text: tg_path_ambiguity()'s */
    TG_POLICY_REASON_METHOD_OVERRIDE,
    TG_POLICY_REASON_BAD_REQUEST,      /* host, path or method cannot
                                          be judged */
    TG_POLICY_REASON_NO_ROUTE,         /* no route has this host and path */
    TG_POLICY_REASON_NO_ALLOW,         /* no allow rule matched */
    TG_POLICY_REASON_PEER,             /* expired, unauthorised, unsigned,
                                          Funnel: no rule opens that */
    TG_POLICY_REASON_STRANGER,
    TG_POLICY_REASON_UNAVAILABLE
} tg_policy_reason_t;

/*
 * One word for a log and a variable: "allowed", "builtin", "denied",
 * "required", "raw-path", "method-override", "bad-request", "no-route",
 * "no-allow", "peer", "stranger", "unavailable"; "-" for NONE and what is no
 * reason.
 */

const char *tg_policy_reason_name(tg_policy_reason_t reason);

/* A sentence without what only the decision knows; static, never NULL. */

const char *tg_policy_reason_text(tg_policy_reason_t reason);

/*
 * Whether the request was refused by a rule, and not for want of one: then
 * "tailgate optional" does not let it pass either.
 */

#define tg_policy_reason_is_refusal(reason)                                   \
    ((reason) >= TG_POLICY_REASON_DENIED                                      \
     && (reason) <= TG_POLICY_REASON_BAD_REQUEST)


typedef struct {
    tg_verdict_t         verdict;
    tg_policy_reason_t   reason;
    const char          *text;         /* static; never NULL */
    tg_str_t             route;        /* its name; empty without one */
    size_t               route_index;  /* in the file; SIZE_MAX without one */
    tg_str_t             rule;         /* "grafana.allow[1]",
                                          "always.deny[0]", "grants", the id of
                                          an inline one; empty: none did */
    bool                 rules;        /* a file or inline rules had a say */
    bool                 explain;      /* explain_denials: self */
    tg_str_t             contact;      /* whom to ask; may be empty */
    size_t               bad_grants;   /* grants that could not be read */
} tg_decision_t;

/*
 * Decides.  file and inline_rules may be NULL; gate is the built-in rule, which
 * holds where there is neither a file nor an inline allow, and may be NULL only
 * if a file is given.  Nothing is allocated.
 *
 * With a file and inline rules the request needs both.  Never fails: what
 * cannot be judged is a denial; TG_UNAVAILABLE only for a peer that could not
 * be identified.  (It comes before all else: a request that a rule would
 * refuse is still 503 then.)
 */

void tg_policy_decide(const tg_policy_t *file,
    const tg_inline_t *inline_rules, const tg_gate_rules_t *gate,
    const tg_peer_t *peer, const tg_request_t *request,
    tg_decision_t *decision);


/*
 * What of a request tg_policy_decide() looks at, with that file and those
 * inline rules.  For one peer, and by the same gate, two requests that are
 * alike in what is named here are decided alike, so that a decision can be kept
 * with the peer.
 */

#define TG_DEPENDS_REQUEST  0x1u     /* method, method_override, host, via,
                                        service; and both paths, where
                                        tg_path_is_plain() says no */
#define TG_DEPENDS_PATH     0x2u     /* any path */
#define TG_DEPENDS_TIME     0x4u     /* now */

uint32_t tg_policy_depends(const tg_policy_t *file,
    const tg_inline_t *inline_rules);


/*
 * What a route adds to an allowed request: header i of route route_index.  The
 * value for a peer is tg_policy_header_value()'s, which returns as
 * tg_header_value() does.
 */

typedef struct tg_policy_header_s  tg_policy_header_t;

size_t tg_policy_nheaders(const tg_policy_t *policy, size_t route_index);
const tg_policy_header_t *tg_policy_header(const tg_policy_t *policy,
    size_t route_index, size_t i);
tg_str_t tg_policy_header_name(const tg_policy_header_t *header);
int tg_policy_header_value(const tg_policy_t *policy,
    const tg_policy_header_t *header, const tg_peer_t *peer,
    const tg_request_t *request, const tg_alloc_t *alloc, tg_str_t *value);

/*
 * $tailgate_cap_NAME: the highest role that the peer holds of what the file's
 * "capabilities" calls name.  TG_OK, TG_ERR_ABSENT (no such name, or no such
 * role), TG_ERR_NOMEM.
 */

int tg_policy_capability(const tg_policy_t *policy, tg_str_t name,
    const tg_peer_t *peer, const tg_alloc_t *alloc, tg_str_t *value);


/* Explaining: what every rule of the route came to, and why. */

typedef struct {
    tg_str_t    condition;     /* "os_version: < 15.3" */
    bool        holds;
    tg_str_t    why;           /* "15.1 is below 15.3"; about this peer and
                                  request only */
} tg_explained_condition_t;

typedef struct {
    tg_str_t                   rule;       /* as in tg_decision_t */
    tg_rule_kind_t             kind;
    size_t                     line;       /* in the file; 0: an inline one */
    bool                       matches;
    bool                       decides;
    tg_explained_condition_t  *conditions;
    size_t                     nconditions;
} tg_explained_rule_t;

typedef struct {
    tg_decision_t              decision;
    tg_explained_rule_t       *rules;      /* always, the route's, inline */
    size_t                     nrules;
    tg_str_t                  *needed;     /* what would have to be true for an
                                              allow; sentences */
    size_t                     nneeded;
} tg_explanation_t;

/* As tg_policy_decide(), and the same decision.  TG_OK or TG_ERR_NOMEM. */

int tg_policy_explain(const tg_policy_t *file,
    const tg_inline_t *inline_rules, const tg_gate_rules_t *gate,
    const tg_peer_t *peer, const tg_request_t *request,
    const tg_alloc_t *alloc, tg_explanation_t *explanation);


/*
 * A made-up peer: the "as" and "from" of a policy's tests and of "tailgate
 * policy explain".  as is a login, "tag:NAME", "node:NAME", "stranger" or
 * "unavailable"; the words of from are "os=iOS", "os_version=18.2",
 * "client_version=", "node=", "node_id=", "tailnet=", "group=" (any number),
 * "tag=" (any number), "key_expires_in=", "shared=yes", "routed=yes",
 * "expired=yes", "unauthorized=yes", "unsigned=yes", "capability=NAME" and
 * "capability=NAME:JSON" (an object or array).  Everything lives in alloc.
 * "node:NAME" is a tagged machine, whatever its tags; who is of another tailnet
 * than its own is shared in; "key_expires_in=" also takes "never".
 *
 * policy (may be NULL) gives the tailnet where from names none.  Errors:
 * TG_ERR_SYNTAX, TG_ERR_REFUSED, TG_ERR_NOMEM.
 */

int tg_persona(const tg_policy_t *policy, tg_str_t as, const tg_str_t *from,
    size_t nfrom, int64_t now, const tg_alloc_t *alloc, tg_peer_t *peer,
    tg_error_t *error);

/*
 * "DELETE https://grafana/api/x" to a request: method, host, raw_path, path.
 * A method alone may be left out (GET).  Living in alloc.  TG_OK,
 * TG_ERR_SYNTAX, TG_ERR_LIMIT, TG_ERR_NOMEM.
 */

int tg_request_parse(tg_str_t text, const tg_alloc_t *alloc,
    tg_request_t *request, tg_error_t *error);


/*
 * What a policy tells apart, to ask it about each: every host with every path
 * that a route, a rule of it or of "always" names, each with one that it
 * matches and, as far as that can be, no narrower pattern does.  Another route
 * may decide some of them.
 */

#define TG_POLICY_PLACES_MAX  100000

typedef struct {
    tg_str_t    host;          /* as written; "*" for any */
    tg_str_t    path;          /* "/api", "= /api", or a glob */
    tg_str_t    sample_host;
    tg_str_t    sample_path;
    const void *host_pattern;  /* for tg_policy_place_covers() */
    const void *path_pattern;
} tg_policy_place_t;

/*
 * Of route i, or with i = tg_policy_nroutes() of what grants open where no
 * route is.  With caps, which may be NULL, the hosts and paths of these grants
 * are among them.  TG_OK, TG_ERR_LIMIT (too many), TG_ERR_NOMEM.
 */

int tg_policy_places(const tg_policy_t *policy, size_t i,
    const tg_caps_t *caps, const tg_alloc_t *alloc,
    tg_policy_place_t **places, size_t *n);

/*
 * Whether all of b is part of a, and a is more: "/" covers "/api", "*.corp"
 * covers "grafana.corp".  A glob covers single paths only.
 */

bool tg_policy_place_covers(const tg_policy_place_t *a,
    const tg_policy_place_t *b);

/*
 * The usual methods, all that a rule names, and last one that none does.
 * TG_OK or TG_ERR_NOMEM.
 */

int tg_policy_methods(const tg_policy_t *policy, const tg_alloc_t *alloc,
    tg_list_t *methods);


/* The policy's own tests. */

typedef struct {
    tg_str_t        name;      /* "tests[3]", or its own */
    size_t          line;
    bool            passed;
    tg_verdict_t    expected;
    tg_str_t        expected_rule;   /* empty: any */
    tg_decision_t   decision;
    tg_str_t        why;       /* a sentence; empty if it passed */
} tg_policy_test_t;

size_t tg_policy_ntests(const tg_policy_t *policy);

/* Runs test i; now is for those that say no time.  TG_OK, TG_ERR_NOMEM. */

int tg_policy_test(const tg_policy_t *policy, size_t i, int64_t now,
    const tg_alloc_t *alloc, tg_policy_test_t *result);


#endif /* TAILGATE_POLICY_H_INCLUDED_ */
