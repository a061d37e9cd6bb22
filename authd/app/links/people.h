
/*
 * Copyright (C) The Tailgate authors
 *
 * The people who are on the tailnet now, as the node's tailscaled lists them: a
 * link whose owner is none of them may be taken over, and nobody else can be
 * made an owner.
 */

#ifndef AUTHD_LINKS_PEOPLE_H_INCLUDED_
#define AUTHD_LINKS_PEOPLE_H_INCLUDED_

#include "authd/config.h"

#include <net/loop/loop.h>


typedef struct authd_links_people_s  authd_links_people_t;
typedef struct authd_links_asked_s   authd_links_asked_t;


/*
 * authd_links_people_new() returns NULL when out of memory.
 * authd_links_people_free() tells who still waits that there is no list.
 */

authd_links_people_t *authd_links_people_new(tgn_loop_t *loop,
    const authd_config_t *conf);
void authd_links_people_free(authd_links_people_t **people);

/* Another tailscaled from now on; false when out of memory. */

bool authd_links_people_configure(authd_links_people_t *people,
    const authd_config_t *conf);

/*
 * Calls cb when there is a list that is at most some seconds old, perhaps
 * before it returns, or with ok false if tailscaled does not give one.  cb is
 * always called, once.
 */

typedef void (*authd_links_people_pt)(bool ok, void *data);

void authd_links_people_ask(authd_links_people_t *people,
    authd_links_people_pt cb, void *data);

/*
 * False while there is no list: none was asked for, the last answer was none,
 * or tailscaled is another one by now.
 */

bool authd_links_people_known(const authd_links_people_t *people);

/* Whether somebody of that login is on a list that is known. */

bool authd_links_people_has(const authd_links_people_t *people,
    tg_str_t login);


#endif /* AUTHD_LINKS_PEOPLE_H_INCLUDED_ */
