
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy what: between what asks and what prints.
 */

#ifndef CLI_POLICY_WHAT_H_INCLUDED_
#define CLI_POLICY_WHAT_H_INCLUDED_

#include <cli/policy.h>


/* What one rule allows, or denies, at one host and path. */

typedef struct {
    const tg_policy_place_t  *place;
    tg_str_t                  route;
    tg_str_t                  rule;
    bool                     *methods;     /* of cli_rows_t, by index */
} cli_row_t;

typedef struct {
    cli_row_t  *items;
    size_t      n;
    size_t      max;
    tg_list_t   methods;
} cli_rows_t;

/* All of one host and path: rows first to end, none if nothing is allowed. */

typedef struct {
    const tg_policy_place_t  *place;
    size_t                    route;
    size_t                    first;
    size_t                    end;
    bool                      elsewhere;   /* other routes decide */
    tg_str_t                  rule;        /* that denies */
} cli_spot_t;

typedef struct {
    cli_spot_t  *items;
    size_t       n;
    cli_rows_t   asked;        /* of all spots */
    cli_rows_t   told;         /* what is worth telling */
} cli_spots_t;


/*
 * policy_spots.c.  Asks for everything that route i tells apart, or with i the
 * number of routes for what grants open where none is; then chooses what
 * is worth telling.  Both return CLI_OK, or CLI_USAGE after a message.
 */

int cli_spots_ask(cli_policy_t *self, const cli_peer_t *peer, size_t i,
    cli_spots_t *spots);
int cli_spots_tell(cli_policy_t *self, cli_spots_t *spots);


#endif /* CLI_POLICY_WHAT_H_INCLUDED_ */
