
/*
 * Copyright (C) The Tailgate authors
 *
 * A hash table from borrowed strings to numbers.
 */

#ifndef TGI_MAP_H_INCLUDED_
#define TGI_MAP_H_INCLUDED_

#include <tailgate/base.h>


typedef struct {
    tg_str_t   key;
    uint32_t   value;
    uint32_t   hash;
} tgi_map_slot_t;

typedef struct {
    tgi_map_slot_t    *slots;  /* key.data NULL: empty */
    size_t             mask;
    size_t             n;
    const tg_alloc_t  *alloc;  /* NULL: malloc() */
} tgi_map_t;

#define TGI_MAP_NONE  UINT32_MAX


/*
 * Room for n keys or more: a map grows.  With an alloc the map lives there,
 * with NULL tgi_map_done() has to free it.  TG_OK or TG_ERR_NOMEM.
 */

int tgi_map_init(tgi_map_t *map, size_t n, const tg_alloc_t *alloc);
void tgi_map_done(tgi_map_t *map);

/* TG_OK, TG_ERR_REFUSED: there is such a key, TG_ERR_NOMEM. */

int tgi_map_add(tgi_map_t *map, tg_str_t key, uint32_t value);

/* The value, or TGI_MAP_NONE. */

uint32_t tgi_map_get(const tgi_map_t *map, tg_str_t key);


#endif /* TGI_MAP_H_INCLUDED_ */
