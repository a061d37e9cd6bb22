
/*
 * Copyright (C) The Tailgate authors
 *
 * The flat record.  It never leaves the machine, so numbers are in host
 * order:
 *
 *     magic u32, length of all u32, traits u32, status u32, key_expiry i64,
 *     node_addr: family u8, bytes 16, port u16,
 *     strings, lists: as record_strings and record_lists order them,
 *
 * a string being its length u32 and its bytes, a list its length u32 and its
 * strings.
 */

#include "core/identity/identity.h"

#include "core/base/base.h"

#include <stddef.h>
#include <string.h>


/* To be changed with the layout. */

#define FLAT_MAGIC  0x74676901u


static const struct {
    size_t  offset;
    size_t  max;
} record_strings[] = {
    { offsetof(tg_identity_t, login), TG_LOGIN_MAX },
    { offsetof(tg_identity_t, user), TG_LOGIN_MAX },
    { offsetof(tg_identity_t, name), TG_NAME_MAX },
    { offsetof(tg_identity_t, picture), TG_URL_MAX },
    { offsetof(tg_identity_t, node), TG_NAME_MAX },
    { offsetof(tg_identity_t, computed_name), TG_NAME_MAX },
    { offsetof(tg_identity_t, node_id), TG_LIST_ITEM_MAX },
    { offsetof(tg_identity_t, tailnet), TG_NAME_MAX },
    { offsetof(tg_identity_t, os), TG_NAME_MAX },
    { offsetof(tg_identity_t, os_version), TG_NAME_MAX },
    { offsetof(tg_identity_t, client_version), TG_NAME_MAX },
    { offsetof(tg_identity_t, caps), TG_CAPS_MAX }
};

static const size_t  record_lists[] = {
    offsetof(tg_identity_t, groups),
    offsetof(tg_identity_t, tags)
};

#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    unsigned char  *buf;
    size_t          size;
    size_t          len;       /* goes on counting past size */
} writer_t;


static void
put(writer_t *writer, const void *data, size_t len)
{
    if (len > 0 && writer->len <= writer->size
        && len <= writer->size - writer->len)
    {
        memcpy(writer->buf + writer->len, data, len);
    }

    writer->len += len;
}


static void
put_u32(writer_t *writer, size_t value)
{
    uint32_t  n;

    n = (uint32_t) value;
    put(writer, &n, sizeof(n));
}


static void
put_string(writer_t *writer, const tg_str_t *s)
{
    put_u32(writer, s->len);
    put(writer, s->data, s->len);
}


int
tg_identity_pack(const tg_identity_t *identity, void *buf, size_t size,
    size_t *len)
{
    size_t            i, j;
    uint32_t          total;
    writer_t          writer = { buf, size, 0 };
    const char       *base;
    const tg_list_t  *list;

    base = (const char *) identity;

    put_u32(&writer, FLAT_MAGIC);
    put_u32(&writer, 0);
    put_u32(&writer, identity->traits);
    put_u32(&writer, identity->status);
    put(&writer, &identity->key_expiry, sizeof(identity->key_expiry));
    put(&writer, &identity->node_addr.family, 1);
    put(&writer, identity->node_addr.bytes, 16);
    put(&writer, &identity->node_addr.port, sizeof(uint16_t));

    for (i = 0; i < NELTS(record_strings); i++) {
        put_string(&writer,
                   (const tg_str_t *) (const void *)
                       (base + record_strings[i].offset));
    }

    for (i = 0; i < NELTS(record_lists); i++) {
        list = (const tg_list_t *) (const void *) (base + record_lists[i]);

        put_u32(&writer, list->n);

        for (j = 0; j < list->n; j++) {
            put_string(&writer, &list->items[j]);
        }
    }

    *len = writer.len;

    if (writer.len > size || writer.len > UINT32_MAX) {
        return TG_ERR_LIMIT;
    }

    total = (uint32_t) writer.len;
    memcpy(writer.buf + sizeof(uint32_t), &total, sizeof(total));

    return TG_OK;
}


typedef struct {
    const char        *p;
    const char        *end;
    const tg_alloc_t  *alloc;
    int                rc;
} reader_t;


static void
get(reader_t *reader, void *data, size_t len)
{
    if (reader->rc != TG_OK || len > (size_t) (reader->end - reader->p)) {
        reader->rc = reader->rc != TG_OK ? reader->rc : TG_ERR_SYNTAX;
        memset(data, 0, len);
        return;
    }

    memcpy(data, reader->p, len);
    reader->p += len;
}


static uint32_t
get_u32(reader_t *reader)
{
    uint32_t  value;

    get(reader, &value, sizeof(value));

    return value;
}


static void
get_string(reader_t *reader, tg_str_t *s, size_t max)
{
    size_t  len;

    len = get_u32(reader);

    if (reader->rc != TG_OK || len == 0) {
        return;
    }

    if (len > max || len > (size_t) (reader->end - reader->p)
        || tgi_text_check(reader->p, len) != TG_OK)
    {
        reader->rc = TG_ERR_SYNTAX;
        return;
    }

    s->data = reader->p;
    s->len = len;
    reader->p += len;
}


static void
get_list(reader_t *reader, tg_list_t *list)
{
    size_t  i, n;

    n = get_u32(reader);

    if (reader->rc != TG_OK || n == 0) {
        return;
    }

    if (n > TG_LIST_MAX) {
        reader->rc = TG_ERR_SYNTAX;
        return;
    }

    list->items = tgi_alloc(reader->alloc, n, sizeof(tg_str_t));
    if (list->items == NULL) {
        reader->rc = TG_ERR_NOMEM;
        return;
    }

    memset(list->items, 0, n * sizeof(tg_str_t));
    list->n = n;

    for (i = 0; i < n; i++) {
        get_string(reader, &list->items[i], TG_LIST_ITEM_MAX);
    }
}


static void
get_addr(reader_t *reader, tg_addr_t *addr)
{
    size_t  i, n;

    get(reader, &addr->family, 1);
    get(reader, addr->bytes, sizeof(addr->bytes));
    get(reader, &addr->port, sizeof(addr->port));

    switch (addr->family) {

    case TG_ADDR_NONE:
        n = 0;
        break;

    case TG_ADDR_V4:
        n = 4;
        break;

    case TG_ADDR_V6:
        n = 16;
        break;

    default:
        reader->rc = TG_ERR_SYNTAX;
        return;
    }

    for (i = n; i < sizeof(addr->bytes); i++) {
        if (addr->bytes[i] != 0) {
            reader->rc = TG_ERR_SYNTAX;
        }
    }
}


int
tg_identity_unpack(const void *buf, size_t len, const tg_alloc_t *alloc,
    tg_identity_t *identity)
{
    char      *base;
    size_t     i;
    uint32_t   magic, total, status;
    reader_t   reader = { buf, (const char *) buf + len, alloc, TG_OK };

    base = (char *) identity;
    memset(identity, 0, sizeof(tg_identity_t));

    magic = get_u32(&reader);
    total = get_u32(&reader);

    if (magic != FLAT_MAGIC || total != len) {
        return TG_ERR_SYNTAX;
    }

    identity->traits = get_u32(&reader);
    status = get_u32(&reader);
    get(&reader, &identity->key_expiry, sizeof(identity->key_expiry));
    get_addr(&reader, &identity->node_addr);

    for (i = 0; i < NELTS(record_strings); i++) {
        get_string(&reader,
                   (tg_str_t *) (void *) (base + record_strings[i].offset),
                   record_strings[i].max);
    }

    for (i = 0; i < NELTS(record_lists); i++) {
        get_list(&reader, (tg_list_t *) (void *) (base + record_lists[i]));
    }

    identity->status = tgi_traits_status(identity->traits);

    if (reader.rc == TG_OK
        && (reader.p != reader.end
            || (identity->traits & ~TGI_TRAITS_ALL) != 0
            || status != (uint32_t) identity->status))
    {
        reader.rc = TG_ERR_SYNTAX;
    }

    if (reader.rc != TG_OK) {
        memset(identity, 0, sizeof(tg_identity_t));
    }

    return reader.rc;
}
