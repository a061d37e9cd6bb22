
/*
 * Copyright (C) The Tailgate authors
 *
 * From a source that a proxy stated to who that is: the rules are
 * tailgate/gate.h's, the questions go to tailscaled.  Lookups of one tailnet
 * address that are under way are one, and their answers are kept (cache.h).
 */

#ifndef AUTHD_IDENTIFY_H_INCLUDED_
#define AUTHD_IDENTIFY_H_INCLUDED_

#include "authd/config.h"
#include "authd/log.h"
#include "authd/metrics.h"

#include <tailgate/gate.h>
#include <tailgate/identity.h>
#include <tailgate/policy.h>

#include <net/loop/loop.h>


typedef struct authd_identify_s  authd_identify_t;
typedef struct authd_lookup_s    authd_lookup_t;


/* Where an answer about a source comes from. */

typedef enum {
    AUTHD_ANSWER_NONE = 0,         /* nobody had to be asked */
    AUTHD_ANSWER_HIT,              /* it was kept */
    AUTHD_ANSWER_MISS,             /* tailscaled was asked, also by somebody
                                      else at the same time */
    AUTHD_ANSWER_STALE             /* it was kept, past its end */
} authd_answer_t;

/* "hit", "miss", "stale"; NULL for none. */

const char *authd_answer_name(authd_answer_t answer);

/* Valid inside of the callback only. */

typedef struct {
    tg_peer_t        peer;         /* its capabilities are parsed if there is a
                                      policy file that may want them */
    const char      *detail;       /* for the log alone; "" if there is nothing
                                      to add */
    authd_answer_t   answer;
} authd_identified_t;

typedef void (*authd_identified_pt)(const authd_identified_t *identified,
    void *data);


/*
 * authd_identify_new() returns NULL when out of memory.  log and metrics are
 * borrowed; *conf is, until authd_identify_configure() gives another one,
 * which also moves what is under way to the tailscaled it names.
 *
 * authd_identify_free() gives up what is under way without calling back; a
 * NULL *identify is fine.
 */

authd_identify_t *authd_identify_new(tgn_loop_t *loop,
    const authd_config_t *conf, const authd_log_t *log,
    authd_metrics_t *metrics);
bool authd_identify_configure(authd_identify_t *identify,
    const authd_config_t *conf);
void authd_identify_free(authd_identify_t **identify);

/*
 * Identifies source, which a proxy that is listed stated, with its port or
 * port 0; local is the address that it came to, or NULL if that was not
 * stated.  cb is called once, perhaps before this returns.  Returns the lookup
 * while it is under way, else NULL.
 */

authd_lookup_t *authd_identify(authd_identify_t *identify,
    const tg_addr_t *source, const tg_addr_t *local, authd_identified_pt cb,
    void *data);

/* cb will not be called.  Sets *lookup to NULL; a NULL *lookup is fine. */

void authd_lookup_cancel(authd_lookup_t **lookup);


#endif /* AUTHD_IDENTIFY_H_INCLUDED_ */
