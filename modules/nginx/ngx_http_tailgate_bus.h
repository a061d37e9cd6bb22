
/*
 * Copyright (C) The Tailgate authors
 *
 * The follower of the node's event stream: one worker of the newest generation
 * hears what changes, and forgets the answers that it makes out of date.
 */

#ifndef NGX_HTTP_TAILGATE_BUS_H_INCLUDED_
#define NGX_HTTP_TAILGATE_BUS_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_tailgate_lookup.h"


typedef struct ngx_http_tailgate_bus_s  ngx_http_tailgate_bus_t;

/*
 * Begins to follow, for a worker process and its whole life.  generation is
 * the configuration's: the follower of an older one gives way once this one
 * is connected, so that nothing is missed.  NULL: out of memory.
 */

ngx_http_tailgate_bus_t *ngx_http_tailgate_bus_follow(
    ngx_http_tailgate_node_t *node, ngx_uint_t generation, ngx_pool_t *pool);
void ngx_http_tailgate_bus_exit(ngx_http_tailgate_bus_t *bus);


#endif /* NGX_HTTP_TAILGATE_BUS_H_INCLUDED_ */
