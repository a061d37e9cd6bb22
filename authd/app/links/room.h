
/*
 * Copyright (C) The Tailgate authors
 *
 * Arrays that grow.
 */

#ifndef AUTHD_LINKS_ROOM_H_INCLUDED_
#define AUTHD_LINKS_ROOM_H_INCLUDED_

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>


/* Makes room for n items of that width; false when out of memory. */

static inline bool
authd_links_room(void **items, size_t *size, size_t n, size_t width)
{
    void    *p;
    size_t   more;

    if (n <= *size) {
        return true;
    }

    more = *size ? *size * 2 : 64;
    more = more < n ? n : more;
    p = reallocarray(*items, more, width);

    if (p == NULL) {
        return false;
    }

    *items = p;
    *size = more;

    return true;
}


#endif /* AUTHD_LINKS_ROOM_H_INCLUDED_ */
