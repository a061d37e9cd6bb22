
/*
 * Copyright (C) The Tailgate authors
 *
 * Answers of the LocalAPI.  Each input is read as a WhoIs and as a status
 * answer; what is taken for an identity has to pack, unpack and be decided.
 */

#include <tailgate/gate.h>
#include <tailgate/identity.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define MEMORY_MAX  (16 * 1024 * 1024)
#define NOW         1795348800


static const tg_self_t  self = {
    .running = true, .tailnet = TG_STR("tail.example")
};


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


/* unpack refuses what is too long, no UTF-8, or has control characters. */

static void
check_record(const tg_identity_t *identity, const tg_alloc_t *alloc)
{
    char           *buf;
    size_t          len, size;
    tg_identity_t   copy;

    require(tg_identity_pack(identity, NULL, 0, &size) == TG_ERR_LIMIT);

    buf = malloc(size);
    require(buf != NULL);

    require(tg_identity_pack(identity, buf, size, &len) == TG_OK);
    require(tg_identity_unpack(buf, len, alloc, &copy) == TG_OK);
    require(copy.status == identity->status);

    free(buf);
}


static void
check_identity(const tg_identity_t *identity, tg_status_t status,
    const tg_alloc_t *alloc)
{
    int              attr;
    tg_str_t         value;
    tg_verdict_t     verdict;
    tg_gate_rules_t  rules = { TG_TRAIT_MEMBER, NULL, 0 };

    static const char *const  order[] = { "viewer", "admin" };

    check_record(identity, alloc);

    for (attr = TG_ATTR_LOGIN; attr <= TG_ATTR_MAX; attr++) {
        (void) tg_identity_attr(identity, (tg_attr_t) attr, alloc, &value);
    }

    (void) tg_identity_role(identity, "a", "role", order, 2, &value);

    verdict = tg_gate_decide(&rules, status, identity, &self, NULL);

    require(verdict != TG_UNAVAILABLE);
    require(verdict != TG_ALLOW
            || (identity->traits == TG_TRAIT_MEMBER
                && identity->login.len > 0 && identity->tags.n == 0));
    require((identity->login.len == 0) == (identity->tags.n > 0));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tg_self_t       own;
    tg_alloc_t      alloc;
    tg_arena_t     *arena;
    tg_error_t      error;
    tg_status_t     status;
    tg_identity_t   identity;

    arena = tg_arena_new(MEMORY_MAX);
    require(arena != NULL);
    alloc = tg_arena_allocator(arena);

    status = tg_whois_status(200, (const char *) data, size, &self, NOW,
                             &alloc, &identity, &error);

    if (status == TG_STATUS_UNAVAILABLE) {
        require(error.code != TG_OK && error.text[0] != '\0');
        require(error.code != TG_ERR_NOMEM);
        require(memchr(error.text, '\0', sizeof(error.text)) != NULL);

    } else {
        check_identity(&identity, status, &alloc);
    }

    (void) tg_status_parse((const char *) data, size, &alloc, &own, &error);

    tg_arena_free(&arena);

    return 0;
}
