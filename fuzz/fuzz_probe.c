
/*
 * Copyright (C) The Tailgate authors
 *
 * What tailgate probe makes of an answer: its first line is the header that
 * says the login, the rest is the body.
 */

#include <cli/probe.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                  rc;
    char                 text[CLI_PROBE_TEXT_MAX];
    tg_str_t             login, word;
    tg_alloc_t           alloc;
    tg_arena_t          *arena;
    cli_probe_t          probe;
    tgn_fetch_answer_t   answer;
    tgn_fetch_header_t   header = { TG_STR("X-Seen"), TG_NULL_STR };

    arena = tg_arena_new(1024 * 1024);

    if (arena == NULL) {
        return 0;
    }

    alloc = tg_arena_allocator(arena);

    memset(&probe, 0, sizeof(cli_probe_t));
    memset(&answer, 0, sizeof(tgn_fetch_answer_t));

    probe.status = 200;
    probe.login = "alice@example.com";
    probe.login_json = "user.login";
    probe.headers[0].name = "x-seen";
    probe.headers[0].value = "";

    answer.code = 200;
    answer.headers = &header;
    answer.nheaders = 1;
    answer.body.data = (const char *) data;
    answer.body.len = size;

    while (header.value.len < size && data[header.value.len] != '\n') {
        header.value.len++;
    }

    header.value.data = (const char *) data;
    answer.body.data += header.value.len;
    answer.body.len -= header.value.len;

    /* what is accepted as alice's says so */

    rc = cli_probe_check(&probe, &answer, &alloc, &login, text);
    word.data = probe.login;
    word.len = strlen(probe.login);

    if (rc == TG_OK && login.len != word.len) {
        abort();
    }

    probe.login_header = "X-SEEN";
    probe.nheaders = header.value.len == 0;

    rc = cli_probe_check(&probe, &answer, &alloc, &login, text);

    if (rc == TG_OK && !cli_probe_holds(&answer, word)) {
        abort();
    }

    tg_arena_free(&arena);

    return 0;
}
