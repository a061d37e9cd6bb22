
/*
 * Copyright (C) The Tailgate authors
 *
 * The database's file before SQLite opens it: who may read and write it.
 */

#ifndef AUTHD_STORE_SQLITE_FILE_H_INCLUDED_
#define AUTHD_STORE_SQLITE_FILE_H_INCLUDED_

#include <tailgate/base.h>


/* SQLite adds "-wal" and "-shm". */

#define AUTHD_SQLITE_PATH_MAX  256


/*
 * Writes the path that url ("sqlite:PATH" or an absolute path) names to path,
 * makes the file with mode 0640 if it is not there, and looks at it and its
 * folder.  SQLite gives its other files the mode of this one.  TG_OK,
 * TG_ERR_REFUSED: the path is relative or too long, it is no regular file,
 * others may read or write it, or write into its folder; TG_ERR_ABSENT: it
 * cannot be made or looked at.
 */

int authd_sqlite_file(char path[AUTHD_SQLITE_PATH_MAX], const char *url,
    tg_error_t *error);


#endif /* AUTHD_STORE_SQLITE_FILE_H_INCLUDED_ */
