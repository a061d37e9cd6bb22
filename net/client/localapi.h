
/*
 * Copyright (C) The Tailgate authors
 *
 * Questions to tailscaled's LocalAPI over its Unix socket: a small pool of
 * kept-alive connections, a deadline and a bound on every answer.  It carries
 * bytes; what they mean is tailgate/identity.h's.
 */

#ifndef TGN_LOCALAPI_H_INCLUDED_
#define TGN_LOCALAPI_H_INCLUDED_

#include <tailgate/addr.h>
#include <tailgate/base.h>
#include <tailgate/identity.h>

#include <net/loop/loop.h>


typedef struct tgn_localapi_s       tgn_localapi_t;
typedef struct tgn_localapi_call_s  tgn_localapi_call_t;


/* Why there is no answer. */

typedef enum {
    TGN_LOCALAPI_OK = 0,       /* there is one: see code */
    TGN_LOCALAPI_DENIED,       /* EACCES or EPERM on the socket */
    TGN_LOCALAPI_ABSENT,       /* no such socket */
    TGN_LOCALAPI_REFUSED,      /* nobody listens, or its queue is full */
    TGN_LOCALAPI_TIMEOUT,
    TGN_LOCALAPI_BROKEN,       /* it closed, or did not speak HTTP */
    TGN_LOCALAPI_TOO_LARGE,
    TGN_LOCALAPI_FAILED        /* out of memory, descriptors, anything else */
} tgn_localapi_status_t;


typedef struct {
    const char  *socket;       /* path; NULL: TG_LOCALAPI_SOCKET */
    uint64_t     timeout;      /* ms for a whole call; 0: 2000 */
    size_t       keepalive;    /* idle connections kept, besides those of
                                  recent bursts; 0: 4 */
    size_t       connections;  /* at once; further calls wait, and the wait
                                  counts towards their timeout; 0: 64 */
    size_t       body_max;     /* 0: TG_WHOIS_BODY_MAX */
} tgn_localapi_conf_t;


/* Valid inside of the callback only. */

typedef struct {
    tgn_localapi_status_t  status;
    int                    code;    /* of HTTP; 0 unless status is OK */
    const char            *body;    /* with a NUL behind it that len does not
                                       count; never NULL */
    size_t                 len;
    const char            *error;   /* a sentence that names the socket, the
                                       cause and what to do; "" if OK */
} tgn_localapi_answer_t;

typedef void (*tgn_localapi_pt)(const tgn_localapi_answer_t *answer,
    void *data);


/*
 * tgn_localapi_new() returns NULL when out of memory; conf is copied.  The
 * socket is opened by the first call.
 *
 * tgn_localapi_free() gives up calls that are under way, without calling
 * back, and sets *api to NULL; a NULL *api is fine.  Not to be called from a
 * callback of its own.
 */

tgn_localapi_t *tgn_localapi_new(tgn_loop_t *loop,
    const tgn_localapi_conf_t *conf);
void tgn_localapi_free(tgn_localapi_t **api);

/*
 * Ask.  cb is called once, later, never before these return, unless the call
 * was cancelled; the call is gone when cb returns.  target is as
 * tg_whois_target() writes it; a kept-alive connection that had died is
 * replaced once.  NULL when out of memory, or, for whois, when addr or service
 * cannot be asked about: then cb is not called.
 */

tgn_localapi_call_t *tgn_localapi_get(tgn_localapi_t *api, const char *target,
    tgn_localapi_pt cb, void *data);
tgn_localapi_call_t *tgn_localapi_whois(tgn_localapi_t *api,
    const tg_addr_t *addr, bool with_port, tg_str_t service,
    const tg_addr_t *dst, tgn_localapi_pt cb, void *data);
tgn_localapi_call_t *tgn_localapi_status(tgn_localapi_t *api,
    tgn_localapi_pt cb, void *data);

/* cb will not be called.  Sets *call to NULL; a NULL *call is fine. */

void tgn_localapi_cancel(tgn_localapi_call_t **call);


/*
 * The same for the command line: asks, waits, and calls cb before it returns.
 * Returns TG_OK if cb was called, else TG_ERR_NOMEM.
 */

int tgn_localapi_get_wait(const tgn_localapi_conf_t *conf, const char *target,
    tgn_localapi_pt cb, void *data);


#endif /* TGN_LOCALAPI_H_INCLUDED_ */
