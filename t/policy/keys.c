
/*
 * Copyright (C) The Tailgate authors
 *
 * Prints the keys that the reader of policies knows, one in a line: what they
 * are of, the key, its other spelling, and whether it has to be there.
 */

#include "core/policy/read.h"

#include <stdio.h>


int
main(void)
{
    size_t            i, j;
    const tgi_key_t  *key;

    static const tgi_keys_t *const  tables[] = {
        &tgi_policy_keys,
        &tgi_always_keys,
        &tgi_grants_keys,
        &tgi_role_keys,
        &tgi_route_keys,
        &tgi_header_keys,
        &tgi_rule_keys,
        &tgi_where_keys,
        &tgi_test_keys
    };

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (j = 0; j < tables[i]->n; j++) {
            key = &tables[i]->keys[j];
            printf("%s\t%s\t%s\t%d\n", tables[i]->what, key->name,
                   key->other != NULL ? key->other : "", key->required);
        }
    }

    return 0;
}
