
/*
 * Copyright (C) The Tailgate authors
 *
 * Go links: their names, what a link expands to, and the files that links
 * travel in.  A link is a URL, or a template in the language of Go's
 * text/template as tailscale/golink uses it, with a closed list of functions
 * and without loops.  docs/links/golink.md tells each difference to golink.
 *
 * All functions may be called from several threads at once; a compiled link is
 * never written to again.
 */

#ifndef TAILGATE_GOLINK_H_INCLUDED_
#define TAILGATE_GOLINK_H_INCLUDED_

#include <tailgate/base.h>


#define TG_LINK_NAME_MAX  200          /* bytes of a name, and of its id */
#define TG_LINK_URL_MAX   8192         /* bytes of a link as it is written */


/*
 * What can be wrong with a link, besides tg_err_t: disjoint from it, negative
 * and in tg_error_t.code as well.
 */

typedef enum {
    TG_LINK_NO_USER = -100,    /* .User is needed, and nobody is there: 401 */
    TG_LINK_STEPS = -101,      /* more work than steps_max */
    TG_LINK_OUTPUT = -102,     /* a text longer than output_max */
    TG_LINK_DEPTH = -103,      /* nested deeper than depth_max */
    TG_LINK_REGEX = -104,      /* Match ran into match_max or match_depth */
    TG_LINK_FAILED = -105,     /* the template failed: an index out of range */
    TG_LINK_EMPTY = -106,      /* it expands to nothing */
    TG_LINK_BAD_URL = -107,    /* what it expands to is no URL */
    TG_LINK_SCHEME = -108,     /* javascript: and whatever is not allowed */
    TG_LINK_HOST = -109,       /* the request would choose scheme or host */
    TG_LINK_BYTES = -110       /* the request has control characters, or bytes
                                  that are not UTF-8: 400 */
} tg_link_err_t;


/*
 * Bounds on what one link may cost.  Where a function takes limits, NULL means
 * tg_link_limits_default(), whose values are given here.
 */

typedef struct {
    size_t           url_max;       /* TG_LINK_URL_MAX: bytes as written */
    size_t           output_max;    /* 16384: bytes of any text on the way and
                                       of the URL itself */
    size_t           steps_max;     /* 20000: nodes run, and 64 bytes moved */
    size_t           depth_max;     /* 64: parentheses and blocks */
    size_t           pattern_max;   /* 512: bytes of a pattern of Match */
    uint32_t         match_max;     /* 10000: PCRE2's match limit */
    uint32_t         match_depth;   /* 500: PCRE2's depth limit */
    const tg_str_t  *schemes;       /* lower case: http, https, mailto */
    size_t           nschemes;
} tg_link_limits_t;

const tg_link_limits_t *tg_link_limits_default(void);


/* Names. */

/*
 * Whether a link may be called so: golink's rule ^\w[\w\-\.]*$ over ASCII, at
 * most TG_LINK_NAME_MAX bytes.  TG_OK, TG_ERR_MISSING for an empty name,
 * TG_ERR_LIMIT, or TG_ERR_SYNTAX; error, which may be NULL, says it for the
 * person who chose the name.
 */

int tg_link_name_check(tg_str_t name, tg_error_t *error);

/*
 * What a name is known by: lower case, without dashes (golink's Links.ID).
 * Foo-Bar, foobar and -FOO--BAR- are one link; dots and underscores count.
 * Writes at most TG_LINK_NAME_MAX bytes to id, which may be name.data, and
 * returns how many; 0 if no link can have that name: it is empty, all dashes,
 * too long, or holds a byte that a name cannot hold.
 */

size_t tg_link_id(tg_str_t name, char id[TG_LINK_NAME_MAX]);


/*
 * A request path, taken apart.
 *
 * name is the first segment of the decoded path ("%2F" ends it as "/" does),
 * without the "+" that asks for details; it may be empty or no valid name.
 * trimmed is name without the ".,()[]{}" that text around a pasted link leaves
 * behind: where name is unknown and trimmed is shorter, look that up, once.
 * rest is what follows the slash, as it was sent.
 */

typedef struct {
    tg_str_t  name;
    tg_str_t  trimmed;
    tg_str_t  rest;
    bool      details;         /* name ended in "+", which is taken off */
} tg_link_path_t;

/*
 * path is the raw path of the request target, percent-encoded as it was sent,
 * with its leading slash and without the query.  name and trimmed point into
 * buf, which has TG_LINK_NAME_MAX + 1 bytes, or into path; rest points into
 * path.
 *
 * TG_OK; TG_ERR_SYNTAX for a path that does not begin with "/" or has a "%"
 * without two hexadecimal digits behind it (400, as Go's server does);
 * TG_LINK_BYTES for a control character or bytes that are not UTF-8 in the
 * name (400); TG_ERR_LIMIT for a name longer than any link's (404).  A path
 * whose first segment begins with "." belongs to the app: ask before.
 */

int tg_link_split(tg_str_t path, char buf[TG_LINK_NAME_MAX + 1],
    tg_link_path_t *parts);


/*
 * Did you mean?  Give it each id that there is, and it keeps the nearest, by
 * edit distance (insert, delete, replace, swap neighbours), then by id.  At
 * most one edit for ids shorter than 5 bytes, else two; then, an id that
 * begins with what was asked for, if that has three bytes or more.  About 100
 * instructions for an id that is nowhere near.
 */

#define TG_LINK_NEAR_MAX  5

typedef struct {
    tg_str_t     id;           /* as given to tg_link_near_add() */
    const void  *data;
    unsigned     distance;
} tg_link_near_item_t;

typedef struct {
    tg_link_near_item_t  items[TG_LINK_NEAR_MAX];    /* nearest first */
    size_t               nitems;

    /* private */
    char                 id[TG_LINK_NAME_MAX];
    size_t               len;
    uint64_t             letters;
    unsigned             bound;
} tg_link_near_t;

/* id is what tg_link_id() made of an unknown name; of nothing, nothing is
 * near.  Ids that are added are borrowed, data is given back untouched. */

void tg_link_near_init(tg_link_near_t *near, tg_str_t id);
void tg_link_near_add(tg_link_near_t *near, tg_str_t id, const void *data);

/* The edit distance of two ids of at most TG_LINK_NAME_MAX bytes, or max + 1
 * as soon as it is known to be more than max. */

unsigned tg_link_distance(tg_str_t a, tg_str_t b, unsigned max);


/*
 * A link that was compiled.  One without "{{" is a plain link: there is nothing
 * to compile, and NULL stands for it everywhere.
 */

typedef struct tg_link_s  tg_link_t;

#define TG_LINK_NEEDS_USER   0x01   /* it mentions .User: ask who that is */
#define TG_LINK_NEEDS_NOW    0x02   /* it mentions .Now */
#define TG_LINK_NEEDS_QUERY  0x04   /* it mentions .Query */

/* 0 for NULL. */

unsigned tg_link_flags(const tg_link_t *link);

/* Bytes that were taken from the allocator; 0 for NULL. */

size_t tg_link_size(const tg_link_t *link);

/*
 * At save and at import: is url a link, and what does it need?
 *
 * A plain link gives *link = NULL.  A template is compiled into a single
 * allocation from alloc (so free() is enough where alloc is malloc()), which
 * borrows nothing from url.  Patterns of Match that are written out are
 * compiled, too.  alloc may be NULL to check only; *link is then NULL.
 *
 * The link is also expanded for a handful of made-up visitors.  It is refused
 * if one of them would be sent to a scheme that is not allowed, or could choose
 * the scheme or the host, or if it gives no URL for any of them.
 *
 * TG_OK, or with *link NULL: TG_ERR_MISSING (empty), TG_ERR_LIMIT (longer than
 * url_max, or a pattern than pattern_max), TG_ERR_SYNTAX (not a template),
 * TG_ERR_REFUSED (a function, field, action or format that is not accepted; the
 * text names it), TG_ERR_TYPE (a wrong number or type of arguments),
 * TG_LINK_DEPTH, TG_LINK_OUTPUT, TG_LINK_STEPS, TG_LINK_BYTES (url itself is
 * not UTF-8 or has control characters), TG_LINK_BAD_URL, TG_LINK_SCHEME,
 * TG_LINK_HOST, TG_LINK_EMPTY, TG_ERR_NOMEM.  error, which may be NULL, has the
 * reason, and for a template the line and the column (in bytes) where it is.
 */

int tg_link_compile(tg_str_t url, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_link_t **link, tg_error_t *error);


/* What a visitor sent, and who it is. */

typedef struct {
    tg_str_t  rest;            /* of tg_link_split(): as sent */
    tg_str_t  query;           /* behind the "?", as sent; empty: none */
    tg_str_t  user;            /* the login; empty if no person is known */
    int64_t   now;             /* seconds since the epoch, years 1 to 9999 */
    uint32_t  now_nsec;        /* and nanoseconds, for {{.Now}} as it is */
} tg_link_request_t;

/*
 * Where a visitor goes: the value of Location.
 *
 * link is what tg_link_compile() made of url (NULL for a plain link), which
 * has to be given as well.  The result lives in alloc; so does what a
 * template needs on the way, a few times output_max at most.
 *
 * The path of the request is added behind the link's own path, or behind its
 * fragment where it has one; a template takes it by .Path.  What was encoded
 * stays data: it never becomes a "?", "#", "&" or "/" of the URL.  The query
 * of the request goes behind the link's own, byte for byte but for what a URL
 * cannot hold, without the pairs that the template took by .Query "name".
 *
 * The result is printable ASCII without a space, of an allowed scheme or
 * relative, and its scheme and host are the link's author's.
 *
 * TG_OK, or with *location empty: TG_LINK_NO_USER, TG_LINK_STEPS,
 * TG_LINK_OUTPUT, TG_LINK_REGEX, TG_LINK_FAILED, TG_LINK_EMPTY,
 * TG_LINK_BAD_URL, TG_LINK_SCHEME, TG_LINK_HOST, TG_LINK_BYTES, TG_ERR_NOMEM.
 * error may be NULL.
 */

int tg_link_expand(const tg_link_t *link, tg_str_t url,
    const tg_link_request_t *request, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_str_t *location, tg_error_t *error);


/*
 * Where a link leads to another link: what tg_link_split() and
 * tg_link_expand() take next, pointing into the location.
 */

typedef struct {
    tg_str_t  path;            /* "/name/rest", raw */
    tg_str_t  query;           /* without "?" */
    tg_str_t  fragment;        /* without "#"; a browser adds it to what a
                                  redirect leads to, if that has none */
} tg_link_hop_t;

/*
 * Whether location, a result of tg_link_expand(), is a link of ours: "/name",
 * "//host/name", or http(s)://host/name, with a host of hosts (compared without
 * case and final dot; an entry without a port is meant on the scheme's own
 * port, one with a port on that).  "/" and "/.anything" are no links.
 *
 * TG_OK, or TG_ERR_ABSENT with *hop empty.  The caller bounds the number of
 * hops and refuses loops.
 */

int tg_link_hop(tg_str_t location, const tg_str_t *hosts, size_t nhosts,
    tg_link_hop_t *hop);


/* Files. */

/* golink's "0001-01-01T00:00:00Z": the time is not known. */

#define TG_LINK_NO_TIME  INT64_C(-62135596800)

/* A link as golink keeps it. */

typedef struct {
    tg_str_t  name;            /* Short */
    tg_str_t  url;             /* Long */
    tg_str_t  owner;           /* Owner, may be empty */
    int64_t   created;         /* seconds since the epoch */
    int64_t   edited;          /* LastEdit */
} tg_link_record_t;

typedef enum {
    TG_LINK_JSONL = 0,         /* golink's export: an object a line */
    TG_LINK_CSV                /* name,url (RFC 4180); a first row that says
                                  so is skipped */
} tg_link_format_t;

typedef struct {
    tg_str_t          rest;    /* what has not been read yet */
    size_t            line;    /* the line that rest begins with, from 1 */
    size_t            record;  /* the one that the last record began with */
    tg_link_format_t  format;
} tg_link_reader_t;

/* text is a whole file, and stays the caller's.  A byte order mark is
 * skipped. */

void tg_link_reader_init(tg_link_reader_t *reader, tg_link_format_t format,
    tg_str_t text);

/*
 * The next record.  Its strings live in alloc, or point into the text.
 *
 * TG_OK; TG_ERR_ABSENT at the end; or an error of this record alone, after
 * which the next call goes on behind it: TG_ERR_SYNTAX (no JSON, no CSV),
 * TG_ERR_TYPE (a field of the wrong type), TG_ERR_MISSING (no name or no URL),
 * TG_ERR_LIMIT (name, URL or line too long), TG_ERR_RANGE (a time that does not
 * exist), TG_ERR_REFUSED (a field is given twice), and what
 * tg_link_name_check() gives; TG_ERR_NOMEM.  error has the line.  The URL is
 * not looked at: tg_link_compile() does.
 *
 * As golink reads it: names of fields without regard to case, unknown ones
 * ignored, a time in any zone, cut to the second, or none.  Unlike golink, an
 * empty line is skipped, and a long or a bad one does not end the file.
 */

int tg_link_read(tg_link_reader_t *reader, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_link_record_t *record, tg_error_t *error);

/*
 * A line of the format, its line feed included.  JSONL is byte for byte what
 * golink exports.  TG_OK, TG_ERR_NOMEM, or TG_ERR_RANGE for a time outside of
 * the years 1 to 9999.  The first line of a CSV file is tg_link_csv_head().
 */

int tg_link_write(tg_link_format_t format, const tg_link_record_t *record,
    const tg_alloc_t *alloc, tg_str_t *line);

tg_str_t tg_link_csv_head(void);


/*
 * Text whose case does not count, for searches: each character is compared as
 * its lower case is of its upper case, by Unicode's simple mappings, so that
 * one stays one.  A byte that is no UTF-8 is only equal to itself.
 *
 * tg_link_fold() writes the characters of text, of which there are text.len at
 * most, and returns how many.
 *
 * tg_link_holds() is whether they occur in a text, tg_link_begins() whether it
 * begins with them.  None do in any.
 */

size_t tg_link_fold(tg_str_t text, uint32_t *chars);
bool tg_link_holds(tg_str_t text, const uint32_t *chars, size_t n);
bool tg_link_begins(tg_str_t text, const uint32_t *chars, size_t n);


#endif /* TAILGATE_GOLINK_H_INCLUDED_ */
