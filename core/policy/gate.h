
/*
 * Copyright (C) The Tailgate authors
 *
 * What the built-in rule and the rules of a policy share: the classes of
 * peers.
 */

#ifndef TGI_GATE_H_INCLUDED_
#define TGI_GATE_H_INCLUDED_

#include <tailgate/gate.h>


/* But for case and a trailing dot; an empty one equals nothing. */

bool tgi_tailnet_equal(tg_str_t a, tg_str_t b);

/*
 * NULL if the peer is of one of the tailnets (of self's without any), or shared
 * in and none are named; else why not.  A person of a listed tailnet that is
 * not the own one is a member, though shared in: *has, which is the identity's
 * traits before, is changed so.
 */

const char *tgi_gate_tailnet(const tg_str_t *tailnets, size_t ntailnets,
    const tg_identity_t *identity, const tg_self_t *self, uint32_t *has);

/* Why no rule opens a peer that has these traits; NULL if one may. */

const char *tgi_gate_never(uint32_t has);


#endif /* TGI_GATE_H_INCLUDED_ */
