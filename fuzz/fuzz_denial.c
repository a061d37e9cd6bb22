
/*
 * Copyright (C) The Tailgate authors
 *
 * Denials: whatever a request, a peer and a policy hold, there is an answer
 * within its bounds, no header of which can begin another, and the page and
 * the JSON have no markup but their own.
 */

#include <tailgate/denial.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>


#define ARENA_MAX  (4 * 1024 * 1024)

/* tags of the template and of all rows: values add none */

#define TAGS_MAX   64


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* Fields are lines, the last of which is all that is left. */

static tg_str_t
next(const uint8_t **data, size_t *size)
{
    tg_str_t        field;
    const uint8_t  *end;

    end = memchr(*data, '\n', *size);

    field.data = (const char *) *data;
    field.len = end ? (size_t) (end - *data) : *size;

    *data += field.len + (end != NULL);
    *size -= field.len + (end != NULL);

    return field;
}


static size_t
count(tg_str_t text, char c)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < text.len; i++) {
        n += text.data[i] == c;
    }

    return n;
}


static void
check_json(tg_str_t body)
{
    json_t  *root;

    root = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, NULL);

    if (root == NULL || count(body, '<') != 0) {
        abort();
    }

    json_decref(root);
}


static void
check(const tg_denial_answer_t *answer, tg_denial_form_t form)
{
    size_t    i, j;
    tg_str_t  value;

    if (answer->status == 200 && form != TG_DENIAL_GRPC) {
        abort();
    }

    if (answer->body.len > TG_DENIAL_BODY_MAX
        || answer->nheaders > TG_DENIAL_HEADERS_MAX)
    {
        abort();
    }

    for (i = 0; i < answer->nheaders; i++) {
        value = answer->headers[i].value;

        if (value.len > TG_DENIAL_VALUE_MAX) {
            abort();
        }

        for (j = 0; j < value.len; j++) {
            if (value.data[j] < ' ' || value.data[j] > '~') {
                abort();
            }
        }
    }

    if (form == TG_DENIAL_JSON) {
        check_json(answer->body);
    }
}


static void
check_page(tg_str_t body)
{
    size_t  n;

    n = count(body, '<');

    if (n != count(body, '>') || n > TAGS_MAX) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                  form;
    tg_str_t             tag;
    tg_peer_t            peer;
    tg_alloc_t           alloc;
    tg_arena_t          *arena;
    tg_denial_t          denial;
    tg_decision_t        decision;
    tg_identity_t        identity;
    tg_denial_answer_t   answer;
    tg_denial_request_t  request;

    if (size < 4) {
        return 0;
    }

    memset(&peer, 0, sizeof(peer));
    memset(&denial, 0, sizeof(denial));
    memset(&request, 0, sizeof(request));
    memset(&decision, 0, sizeof(decision));
    memset(&identity, 0, sizeof(identity));

    decision.verdict = data[0] & 1 ? TG_DENY : TG_UNAVAILABLE;
    decision.explain = (data[0] & 2) != 0;
    denial.forwarded = (data[0] & 4) != 0;
    request.origin = (data[0] & 8) != 0;
    request.request_method = (data[0] & 16) != 0;
    decision.reason = (tg_policy_reason_t) (data[1] % 14);
    decision.text = "a static text";
    peer.status = (tg_status_t) (data[2] % 11);
    peer.identity = data[0] & 32 ? &identity : NULL;

    data += 3;
    size -= 3;

    request.method = next(&data, &size);
    request.accept = next(&data, &size);
    request.content_type = next(&data, &size);
    identity.login = next(&data, &size);
    identity.name = next(&data, &size);
    tag = next(&data, &size);
    decision.rule = next(&data, &size);
    decision.contact = next(&data, &size);
    denial.id = next(&data, &size);

    /* its bound is identity.h's */

    tag.len = tag.len < TG_LIST_ITEM_MAX ? tag.len : TG_LIST_ITEM_MAX;

    identity.tags.items = &tag;
    identity.tags.n = 1;

    denial.decision = &decision;
    denial.peer = &peer;

    arena = tg_arena_new(ARENA_MAX);

    if (arena == NULL) {
        return 0;
    }

    alloc = tg_arena_allocator(arena);

    for (form = (int) tg_denial_form(&request); form <= TG_DENIAL_PREFLIGHT;
         form++)
    {
        denial.form = (tg_denial_form_t) form;

        if (tg_denial_render(&denial, &alloc, &answer) != TG_OK) {
            abort();
        }

        check(&answer, denial.form);

        if (denial.form == TG_DENIAL_HTML) {
            check_page(answer.body);
        }
    }

    tg_arena_free(&arena);

    return 0;
}
