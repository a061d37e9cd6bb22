
/*
 * Copyright (C) The Tailgate authors
 *
 * libcurl's multi interface on our loop: sockets and its one timer.
 */

#ifndef TGN_MULTI_H_INCLUDED_
#define TGN_MULTI_H_INCLUDED_

#include <net/loop/loop.h>

#include <curl/curl.h>


typedef struct tgn_multi_s  tgn_multi_t;

/*
 * A transfer has ended; easy is still in the multi handle, and it may be
 * removed, and others added, from here.  settled() is called once behind a
 * round of them.
 */

typedef void (*tgn_multi_done_pt)(CURL *easy, CURLcode rc, void *data);
typedef void (*tgn_multi_settled_pt)(void *data);


/*
 * tgn_multi_new() returns NULL when out of memory.  tgn_multi_free() closes
 * what is kept open; every handle has to have been removed.  Sets *multi to
 * NULL; a NULL *multi is fine.
 */

tgn_multi_t *tgn_multi_new(tgn_loop_t *loop, tgn_multi_done_pt done,
    tgn_multi_settled_pt settled, void *data);
void tgn_multi_free(tgn_multi_t **multi);

/*
 * How many connections may be open.  One that becomes idle while there are
 * more is closed, so this has to cover those that are in use.
 */

void tgn_multi_set_open(tgn_multi_t *multi, size_t n);

/* TG_OK or TG_ERR_NOMEM.  done() follows later, never from in here. */

int tgn_multi_add(tgn_multi_t *multi, CURL *easy);
void tgn_multi_remove(tgn_multi_t *multi, CURL *easy);


#endif /* TGN_MULTI_H_INCLUDED_ */
