
/*
 * Copyright (C) The Tailgate authors
 *
 * Reads the database of tailscale/golink (tables Links and Stats), opened
 * read-only: nothing is written to it, and golink may go on using it.
 */

#ifndef AUTHD_STORE_GOLINK_DB_H_INCLUDED_
#define AUTHD_STORE_GOLINK_DB_H_INCLUDED_

#include <tailgate/base.h>


/*
 * A row of Links.  Strings are what the file has, whatever bytes these are:
 * the receiver checks them.  Times are Unix seconds; a text that is a date
 * (an older golink's) is read as one, and is 0 if it is none.
 */

typedef struct {
    tg_str_t  name;            /* Short */
    tg_str_t  url;             /* Long */
    tg_str_t  owner;
    int64_t   created;
    int64_t   edited;          /* LastEdit */
} authd_golink_link_t;

/* The clicks of a link on a day (since 1970-01-01, UTC), all rows added. */

typedef struct {
    tg_str_t  id;              /* as in Stats: folded by the receiver */
    int32_t   day;
    uint64_t  n;
} authd_golink_clicks_t;


/*
 * The callbacks return TG_OK to go on; anything else ends the reading and is
 * returned.  clicks may be NULL.  First come all links, by name, then all
 * clicks, by id and day: golink's Stats has ids in several spellings, so that
 * one link may have several entries of a day.
 */

typedef struct {
    int    (*link)(void *data, const authd_golink_link_t *link);
    int    (*clicks)(void *data, const authd_golink_clicks_t *clicks);
    void    *data;
} authd_golink_reader_t;

/*
 * TG_OK, TG_ERR_ABSENT (it cannot be opened or read), TG_ERR_SYNTAX (it is no
 * SQLite database), TG_ERR_TYPE (it has no table Links like golink's), what a
 * callback returned.  *error, which may be NULL, gets a text but for the last.
 */

int authd_golink_read(const char *path, const authd_golink_reader_t *reader,
    tg_error_t *error);

/* Whether the file begins as a SQLite database does. */

bool authd_golink_is_sqlite(const char *data, size_t len);


#endif /* AUTHD_STORE_GOLINK_DB_H_INCLUDED_ */
