
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of core/golink share.
 */

#ifndef TGI_GOLINK_H_INCLUDED_
#define TGI_GOLINK_H_INCLUDED_

#include <tailgate/golink.h>


/* The value of a hexadecimal digit, or -1. */

int tgi_link_hex(char c);

/* The byte that the "%" at i and two digits stand for, or -1. */

int tgi_link_escape(tg_str_t text, size_t i);


#endif /* TGI_GOLINK_H_INCLUDED_ */
