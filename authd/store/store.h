
/*
 * Copyright (C) The Tailgate authors
 *
 * Where links are kept: SQLite in a file, or PostgreSQL for several nodes.
 *
 * The store has one thread of its own, which alone talks to the database.
 * What is asked of it is answered by a callback on the loop; a change is
 * answered when it is durable and not before: behind the fdatasync() of
 * SQLite's log, behind PostgreSQL's answer to COMMIT.  Requests that wait
 * together are committed together, each in a savepoint of its own.
 *
 * An app keeps an index of all links, and changes it in one place, the
 * changed() callback: it tells of all links at the start, then of each
 * change, whoever made it, on this node or on another.
 *
 * All functions are called from the loop's thread, all callbacks run in it.
 * They may call the store, but for authd_store_close().
 */

#ifndef AUTHD_STORE_STORE_H_INCLUDED_
#define AUTHD_STORE_STORE_H_INCLUDED_

#include "authd/store/link.h"

#include <net/loop/loop.h>


typedef struct authd_store_s  authd_store_t;


/*
 * A link as it is now; record is NULL when it is gone.  The receiver takes
 * authd_record_hold() of a record that it keeps.  clicks is the total of all
 * days, which is told at the start, of a change made elsewhere and of a link
 * brought back; else has_clicks is false: keep what the index has for the uid.
 */

typedef struct {
    tg_str_t         id;
    authd_record_t  *record;
    uint64_t         clicks;
    bool             has_clicks;   /* clicks is known */
} authd_store_news_t;

/*
 * changed() gets what one commit changed, in order: news of the same id may
 * be repeated, the last one counts.  It is called before the answer to the
 * request that made the change.  A long list comes in several calls.
 *
 * reset(): forget all links; what changed() tells from here on is all there
 * are.  It is called when the database was replaced by an older one (a backup
 * brought back), after the node had lost it.
 *
 * state() tells when the store ceases to work and when it works again; text
 * is for a log: what happened, without passwords.  It may be NULL.
 */

typedef struct {
    void   (*changed)(void *data, const authd_store_news_t *news, size_t n);
    void   (*reset)(void *data);
    void   (*state)(void *data, bool works, const char *text);
    void    *data;
} authd_store_handler_t;


/*
 * Opening has three steps, all of which block.
 *
 * authd_store_open() opens or makes the database at url and brings its tables
 * up to date.  url is the path of a SQLite file, or postgresql://... (libpq's
 * URI; a password belongs into ~/.pgpass or PGPASSFILE).  The file is made
 * with mode 0640; one that others may read or write, or in a folder that
 * others may write, is refused.
 *
 * authd_store_secret() reads 32 secret bytes by name ([a-z-]+), making them
 * when there are none: all nodes that share a database share them.  Before
 * authd_store_start() only.
 *
 * authd_store_start() calls changed() for every link, then starts the thread.
 *
 * They return TG_OK, or set *error to a text for the administrator:
 * TG_ERR_NOMEM; TG_ERR_REFUSED: the url is for an engine that is not built
 * in, the file's mode, a database of a newer Tailgate; TG_ERR_ABSENT: the
 * database cannot be opened or reached, the text says why.
 *
 * A database that can be read and not written (a read-only file) is no error
 * if its tables are up to date: links are served, changes are answered with
 * AUTHD_STORE_UNAVAILABLE.
 *
 * authd_store_close() does what is still queued (with a server that hangs that
 * may take some twenty seconds), answers what it could not do with
 * AUTHD_STORE_UNAVAILABLE, frees and sets *store to NULL; a NULL *store is
 * fine.  The callbacks of what was queued run within it.
 */

int authd_store_open(authd_store_t **store, const char *url,
    tgn_loop_t *loop, const authd_store_handler_t *handler,
    tg_error_t *error);
int authd_store_secret(authd_store_t *store, const char *name,
    uint8_t secret[32], tg_error_t *error);
int authd_store_start(authd_store_t *store, tg_error_t *error);
void authd_store_close(authd_store_t **store);


/* Changes. */

typedef enum {
    AUTHD_STORE_PUT = 0,       /* make or replace a link */
    AUTHD_STORE_DELETE,
    AUTHD_STORE_RENAME,        /* the same link under another id */
    AUTHD_STORE_RESTORE        /* what history says it was */
} authd_store_op_t;

typedef enum {
    AUTHD_STORE_ANY = 0,       /* whatever is there */
    AUTHD_STORE_NEW,           /* no link of this id may exist (a PUT) */
    AUTHD_STORE_VERSION        /* the link must have this version */
} authd_store_expect_t;

/*
 * One change; strings and *link are copied.
 *
 * PUT stores *link.  An existing link keeps its uid and its created, edited
 * becomes at.  keep_times stores link->created and link->edited where they are
 * not 0 (an import).
 *
 * DELETE takes the link id away, but not its history and its clicks, so that
 * RESTORE brings all of it back.  Aliases of it stay, and lead nowhere until
 * there is a link of that id again.
 *
 * RENAME moves the link id to the id to, which must not exist (CONFLICT with
 * what is there), spelled name.  With keep_alias the former id stays, as an
 * alias of the new one.  Aliases of id become aliases of to; changed() tells of
 * each.  Where to is an alias of id itself, it is taken over.
 *
 * RESTORE makes the link id what the history entry seq says it was after that
 * change, or before it if the change was a DELETE.  A link that exists keeps
 * its id and name.  ABSENT: there is no such entry of this link.
 */

typedef struct {
    authd_store_op_t      op;
    authd_store_expect_t  expect;
    uint64_t              version;     /* for AUTHD_STORE_VERSION */
    tg_str_t              id;          /* but for PUT */
    const authd_link_t   *link;        /* PUT */
    tg_str_t              to;          /* RENAME */
    tg_str_t              name;        /* RENAME */
    uint64_t              seq;         /* RESTORE */
    bool                  keep_alias;  /* RENAME */
    bool                  keep_times;  /* PUT */
} authd_store_change_t;

typedef enum {
    AUTHD_STORE_OK = 0,
    AUTHD_STORE_CONFLICT,      /* not what was expected */
    AUTHD_STORE_ABSENT,        /* there is no such link, or history entry */
    AUTHD_STORE_REFUSED,       /* the database does not take this link */
    AUTHD_STORE_SKIPPED,       /* not stored because another of a batch that is
                                  all or nothing was not */
    AUTHD_STORE_UNAVAILABLE    /* the database does not work now: disk full,
                                  read-only, locked, server lost */
} authd_store_status_t;

/*
 * record is lent for the time of the callback.  OK: the link as it is stored,
 * NULL behind a DELETE; for RENAME the one with the new id.  CONFLICT: the
 * link that is there, NULL if none is.
 */

typedef struct {
    authd_store_status_t   status;
    authd_record_t        *record;
    uint64_t               seq;        /* OK: of the history entry */
} authd_store_result_t;

/*
 * The answer to a submit.  status is OK (then look at each result), REFUSED or
 * UNAVAILABLE, which then all results are.  results has one element per
 * change.  text says why a change is REFUSED or UNAVAILABLE, is "" otherwise
 * and holds no secret.  retry is seconds for Retry-After, 0 where asking again
 * is of no use.
 */

typedef struct {
    authd_store_status_t         status;
    const authd_store_result_t  *results;
    size_t                       n;
    const char                  *text;
    unsigned                     retry;
} authd_store_answer_t;

typedef void (*authd_store_done_pt)(void *data,
    const authd_store_answer_t *answer);

/*
 * authd_store_submit() queues n changes as one request: all are committed at
 * once.  A change that is not OK does not keep the others from being stored,
 * unless whole is true: then all are, or none (SKIPPED).  UNAVAILABLE is
 * always the answer to all of a request; then nothing was stored, except that
 * a PostgreSQL server lost in the middle of COMMIT may have done it: the text
 * says so, and changed() tells when the server is back.
 *
 * who (a login, or what else the app shows) and at (Unix seconds) are for
 * history.  done is called once, later, if TG_OK is returned.  TG_ERR_NOMEM;
 * TG_ERR_LIMIT: too much is queued, answer as if UNAVAILABLE; what
 * authd_link_check() says of a link to put, error (which may be NULL) telling
 * of which: nothing was queued.
 */

int authd_store_submit(authd_store_t *store,
    const authd_store_change_t *changes, size_t n, bool whole, tg_str_t who,
    int64_t at, authd_store_done_pt done, void *data, tg_error_t *error);


/*
 * History of the link that has the id, or had it last; through all its names,
 * newest first, at most limit entries that are older than before (0: from the
 * newest on).  before and after are lent for the time of the callback; before
 * is NULL where the link was made, after where it was deleted.
 */

typedef struct {
    uint64_t         seq;
    int64_t          at;
    tg_str_t         who;
    tg_str_t         action;   /* "create" "edit" "delete" "rename" "restore"
                                  "alias" */
    authd_record_t  *before;
    authd_record_t  *after;
} authd_store_entry_t;

/* status is OK, or UNAVAILABLE with n 0 and a text. */

typedef struct {
    authd_store_status_t        status;
    const authd_store_entry_t  *entries;
    size_t                      n;
    const char                 *text;
    unsigned                    retry;
} authd_store_history_t;

typedef void (*authd_store_history_pt)(void *data,
    const authd_store_history_t *history);

int authd_store_history(authd_store_t *store, tg_str_t id, uint64_t before,
    size_t limit, authd_store_history_pt done, void *data);


/*
 * Clicks, per link and day (days since 1970-01-01, UTC).
 *
 * authd_store_add_clicks() adds n to each; at_least (an import) makes the
 * day's count at least n instead, so that importing twice counts once.  A uid
 * and day may occur more than once.  done may be NULL; UNAVAILABLE: nothing
 * was added, the caller keeps the counts and adds them again later.  Its
 * answer has no results.
 *
 * authd_store_clicks() reads the counts of one link, or of all with uid 0,
 * from one day to another, both included, ordered by day and uid; with totals
 * it reads one count per uid, of all days (from and to are ignored, day is
 * 0).  Links that are deleted have theirs still.
 */

typedef struct {
    uint64_t  uid;
    int32_t   day;
    uint64_t  n;
} authd_store_clicks_t;

typedef struct {
    authd_store_status_t         status;
    const authd_store_clicks_t  *clicks;
    size_t                       n;
    const char                  *text;
    unsigned                     retry;
} authd_store_counts_t;

typedef void (*authd_store_counts_pt)(void *data,
    const authd_store_counts_t *counts);

int authd_store_add_clicks(authd_store_t *store,
    const authd_store_clicks_t *clicks, size_t n, bool at_least,
    authd_store_done_pt done, void *data);
int authd_store_clicks(authd_store_t *store, uint64_t uid, int32_t from,
    int32_t to, bool totals, authd_store_counts_pt done, void *data);


/*
 * Whether the store worked when it was last used (it looks every few seconds
 * if nobody else does); *text, which may be NULL, gets why not: it is valid
 * until the loop's next turn.
 */

bool authd_store_works(const authd_store_t *store, const char **text);

/* "sqlite" or "postgresql". */

const char *authd_store_engine(const authd_store_t *store);


#endif /* AUTHD_STORE_STORE_H_INCLUDED_ */
