
/*
 * Copyright (C) The Tailgate authors
 *
 * Text of others on a terminal.
 */

#ifndef CLI_PRINT_H_INCLUDED_
#define CLI_PRINT_H_INCLUDED_

#include <tailgate/base.h>

#include <stdio.h>


/*
 * Each control character, each character that changes the direction of text,
 * and what is no UTF-8 becomes "?".
 */

void cli_print(FILE *out, tg_str_t text);

/* The same, with blanks behind it up to width characters. */

void cli_print_padded(FILE *out, tg_str_t text, size_t width);

/* How many characters it is. */

size_t cli_print_width(tg_str_t text);


#endif /* CLI_PRINT_H_INCLUDED_ */
