
/*
 * Copyright (C) The Tailgate authors
 *
 * The statements, the same for both engines wherever that is possible.
 *
 * Sequence numbers are given under a lock that is held until COMMIT (SQLite
 * has one writer; in PostgreSQL the row of "store" is locked): whoever sees a
 * number sees all smaller ones, so that a node that was cut off asks for what
 * is greater than the last one that it knows, and misses nothing.
 */

#include "authd/store/engine.h"


#define LINK_COLUMNS                                                          \
    "l.id, l.name, l.url, l.owner, l.owners, l.description, l.tags, "         \
    "l.origin, l.alias, l.created, l.edited, l.expires, l.uid, l.version, "   \
    "l.anyone, COALESCE(t.n, 0)"

#define LINK_TABLES  "links l LEFT JOIN totals t ON t.uid = l.uid"

#define INSERT_LINK                                                           \
    "INSERT INTO links (id, name, url, owner, owners, description, tags, "    \
    "origin, alias, created, edited, expires, uid, version, anyone) "

#define UPDATE_LINK                                                           \
    "ON CONFLICT (id) DO UPDATE SET name = excluded.name, "                   \
    "url = excluded.url, owner = excluded.owner, owners = excluded.owners, "  \
    "description = excluded.description, tags = excluded.tags, "              \
    "origin = excluded.origin, alias = excluded.alias, "                      \
    "created = excluded.created, edited = excluded.edited, "                  \
    "expires = excluded.expires, uid = excluded.uid, "                        \
    "version = excluded.version, anyone = excluded.anyone"

#define INSERT_HISTORY                                                        \
    "INSERT INTO history (seq, uid, id, former, at, who, action, old_link, "  \
    "new_link) "


const authd_statement_t  authd_statements[AUTHD_SQL_MAX] = {

    [AUTHD_SQL_BEGIN] = { NULL, "BEGIN IMMEDIATE", "BEGIN", NULL },
    [AUTHD_SQL_COMMIT] = { "COMMIT", NULL, NULL, NULL },
    [AUTHD_SQL_SAVEPOINT] = { "SAVEPOINT request", NULL, NULL, NULL },
    [AUTHD_SQL_RELEASE] = { "RELEASE SAVEPOINT request", NULL, NULL, NULL },
    [AUTHD_SQL_UNDO] = { "ROLLBACK TO SAVEPOINT request", NULL, NULL, NULL },

    [AUTHD_SQL_SEQ] = { "SELECT seq FROM store", NULL, NULL, NULL },
    [AUTHD_SQL_SEQ_LOCK] = {
        NULL,
        "SELECT seq FROM store",
        "SELECT seq FROM store FOR UPDATE",
        NULL
    },
    [AUTHD_SQL_SEQ_SET] = { "UPDATE store SET seq = $1", NULL, NULL, NULL },
    [AUTHD_SQL_NOTIFY] = {
        NULL, NULL, "SELECT pg_notify('tailgate_links', '')", NULL
    },

    [AUTHD_SQL_LINKS] = {
        "SELECT " LINK_COLUMNS " FROM " LINK_TABLES, NULL, NULL, NULL
    },
    [AUTHD_SQL_LINK] = {
        "SELECT " LINK_COLUMNS " FROM " LINK_TABLES " WHERE l.id = $1",
        NULL, NULL,
        "SELECT " LINK_COLUMNS " FROM " LINK_TABLES
        " WHERE l.id = ANY ($1::text[])"
    },
    [AUTHD_SQL_LINK_PUT] = {
        INSERT_LINK
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
        "$15) " UPDATE_LINK,
        NULL, NULL,
        INSERT_LINK
        "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], "
        "$5::text[], $6::text[], $7::text[], $8::text[], $9::text[], "
        "$10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], "
        "$14::bigint[], $15::bigint[]) " UPDATE_LINK
    },
    [AUTHD_SQL_LINK_DELETE] = {
        "DELETE FROM links WHERE id = $1", NULL, NULL, NULL
    },
    [AUTHD_SQL_LINK_OF_UID] = {
        "SELECT id FROM links WHERE uid = $1", NULL, NULL, NULL
    },
    [AUTHD_SQL_ALIASES] = {
        "SELECT " LINK_COLUMNS " FROM " LINK_TABLES
        " WHERE l.alias = $1 AND l.alias <> ''",
        NULL, NULL, NULL
    },

    [AUTHD_SQL_HISTORY_ADD] = {
        INSERT_HISTORY "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        NULL, NULL,
        INSERT_HISTORY
        "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], "
        "$4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], "
        "$9::text[])"
    },
    [AUTHD_SQL_HISTORY] = {
        "SELECT seq, at, who, action, old_link, new_link FROM history "
        "WHERE (id = $1 OR uid = (SELECT uid FROM history WHERE id = $1 "
        "ORDER BY seq DESC LIMIT 1)) AND seq < $2 ORDER BY seq DESC LIMIT $3",
        NULL, NULL, NULL
    },
    [AUTHD_SQL_HISTORY_ONE] = {
        "SELECT uid, id, former, old_link, new_link FROM history "
        "WHERE seq = $1",
        NULL, NULL, NULL
    },
    [AUTHD_SQL_NEWS] = {
        "SELECT h.seq, h.id, h.former, " LINK_COLUMNS " FROM history h "
        "LEFT JOIN links l ON l.id = h.id LEFT JOIN totals t ON t.uid = l.uid "
        "WHERE h.seq > $1 ORDER BY h.seq LIMIT $2",
        NULL, NULL, NULL
    },

    [AUTHD_SQL_CLICKS_ADD] = {
        "INSERT INTO clicks (uid, day, n) VALUES ($1, $2, $3) "
        "ON CONFLICT (uid, day) DO UPDATE SET n = clicks.n + excluded.n",
        NULL, NULL, NULL
    },
    [AUTHD_SQL_CLICKS_LEAST] = {
        "INSERT INTO clicks (uid, day, n) VALUES ($1, $2, $3) "
        "ON CONFLICT (uid, day) DO UPDATE SET n = excluded.n "
        "WHERE clicks.n < excluded.n",
        NULL, NULL, NULL
    },
    [AUTHD_SQL_TOTAL_ADD] = {
        "INSERT INTO totals (uid, n) VALUES ($1, $2) "
        "ON CONFLICT (uid) DO UPDATE SET n = totals.n + excluded.n",
        NULL, NULL, NULL
    },
    [AUTHD_SQL_TOTAL_SUM] = {
        "INSERT INTO totals (uid, n) SELECT uid, CAST(SUM(n) AS BIGINT) "
        "FROM clicks WHERE uid = $1 GROUP BY uid "
        "ON CONFLICT (uid) DO UPDATE SET n = excluded.n",
        NULL, NULL, NULL
    },
    [AUTHD_SQL_CLICKS] = {
        "SELECT uid, day, n FROM clicks WHERE uid = $1 AND day >= $2 "
        "AND day <= $3 ORDER BY day",
        NULL, NULL, NULL
    },
    [AUTHD_SQL_CLICKS_ALL] = {
        "SELECT uid, day, n FROM clicks WHERE day >= $1 AND day <= $2 "
        "ORDER BY day, uid",
        NULL, NULL, NULL
    },
    [AUTHD_SQL_TOTALS] = { "SELECT uid, 0, n FROM totals", NULL, NULL, NULL },

    [AUTHD_SQL_SECRET_ADD] = {
        "INSERT INTO secrets (name, value) VALUES ($1, $2) "
        "ON CONFLICT (name) DO NOTHING",
        NULL, NULL, NULL
    },
    [AUTHD_SQL_SECRET] = {
        "SELECT value FROM secrets WHERE name = $1", NULL, NULL, NULL
    }
};


/*
 * Version 1.  Times are Unix seconds, days are days since 1970-01-01,
 * booleans are 0 or 1, links in history are JSON.  A collation other than that
 * of bytes would only make PostgreSQL slower.
 */

#define TABLES(number, small, text)                                           \
    "CREATE TABLE store ("                                                    \
    "one " small " PRIMARY KEY CHECK (one = 1), "                             \
    "seq " number " NOT NULL);\n"                                             \
    "INSERT INTO store (one, seq) VALUES (1, 0);\n"                           \
    "CREATE TABLE links ("                                                    \
    "id " text " PRIMARY KEY, "                                               \
    "name " text " NOT NULL, "                                                \
    "url " text " NOT NULL, "                                                 \
    "owner " text " NOT NULL, "                                               \
    "owners " text " NOT NULL, "                                              \
    "description " text " NOT NULL, "                                         \
    "tags " text " NOT NULL, "                                                \
    "origin " text " NOT NULL, "                                              \
    "alias " text " NOT NULL, "                                               \
    "created " number " NOT NULL, "                                           \
    "edited " number " NOT NULL, "                                            \
    "expires " number " NOT NULL, "                                           \
    "uid " number " NOT NULL UNIQUE, "                                        \
    "version " number " NOT NULL, "                                           \
    "anyone " small " NOT NULL);\n"                                           \
    "CREATE INDEX links_alias ON links (alias) WHERE alias <> '';\n"          \
    "CREATE TABLE history ("                                                  \
    "seq " number " PRIMARY KEY, "                                            \
    "uid " number " NOT NULL, "                                               \
    "id " text " NOT NULL, "                                                  \
    "former " text " NOT NULL, "                                              \
    "at " number " NOT NULL, "                                                \
    "who " text " NOT NULL, "                                                 \
    "action " text " NOT NULL, "                                              \
    "old_link " text ", "                                                     \
    "new_link " text ");\n"                                                   \
    "CREATE INDEX history_uid ON history (uid);\n"                            \
    "CREATE INDEX history_id ON history (id);\n"                              \
    "CREATE TABLE clicks ("                                                   \
    "uid " number " NOT NULL, "                                               \
    "day " small " NOT NULL, "                                                \
    "n " number " NOT NULL, "                                                 \
    "PRIMARY KEY (uid, day));\n"                                              \
    "CREATE TABLE totals ("                                                   \
    "uid " number " PRIMARY KEY, "                                            \
    "n " number " NOT NULL);\n"                                               \
    "CREATE TABLE secrets ("                                                  \
    "name " text " PRIMARY KEY, "                                             \
    "value " text " NOT NULL);\n"


const char *const  authd_migrations_sqlite[AUTHD_STORE_SCHEMA] = {
    TABLES("INTEGER", "INTEGER", "TEXT")
};


const char *const  authd_migrations_postgresql[AUTHD_STORE_SCHEMA] = {
    TABLES("BIGINT", "INTEGER", "TEXT COLLATE \"C\"")
    "ALTER TABLE store ADD COLUMN schema INTEGER NOT NULL DEFAULT 0;\n"
};
