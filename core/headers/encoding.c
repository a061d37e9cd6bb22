
/*
 * Copyright (C) The Tailgate authors
 *
 * How text becomes the bytes of a header's value.
 */

#include "core/headers/headers.h"

#include "core/base/base.h"

#include <string.h>


/* RFC 2047 2: an encoded-word has 75 characters at most. */

#define WORD_OPEN         "=?utf-8?q?"
#define WORD_CLOSE        "?="
#define WORD_CONTENT_MAX                                                      \
    (75 - (sizeof(WORD_OPEN) - 1) - (sizeof(WORD_CLOSE) - 1))


/* Counts while data is NULL, then writes: the size is known beforehand. */

typedef struct {
    char    *data;
    size_t   len;
} writer_t;

typedef void (*encode_pt)(writer_t *writer, tg_str_t in);


static void encode_utf8(writer_t *writer, tg_str_t in);
static void encode_latin1(writer_t *writer, tg_str_t in);
static void encode_ascii(writer_t *writer, tg_str_t in);
static void encode_percent(writer_t *writer, tg_str_t in);
static void encode_quoted_printable(writer_t *writer, tg_str_t in);
static void encode_rfc2047(writer_t *writer, tg_str_t in);


static const struct {
    tg_str_t   name;
    encode_pt  encode;
} encodings[] = {

    [TG_ENCODING_UTF8] = { TG_STR("utf8"), encode_utf8 },
    [TG_ENCODING_LATIN1] = { TG_STR("latin1"), encode_latin1 },
    [TG_ENCODING_ASCII] = { TG_STR("ascii"), encode_ascii },
    [TG_ENCODING_PERCENT] = { TG_STR("percent"), encode_percent },

    [TG_ENCODING_QUOTED_PRINTABLE] = { TG_STR("quoted-printable"),
                                       encode_quoted_printable },

    [TG_ENCODING_RFC2047] = { TG_STR("rfc2047"), encode_rfc2047 }
};

#define ENCODINGS  (sizeof(encodings) / sizeof(encodings[0]))


bool
tgi_is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9')
           || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z');
}


bool
tgi_is_token(unsigned char c)
{
    return tgi_is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}


int
tg_encoding_parse(const char *word, size_t len, tg_encoding_t *encoding)
{
    size_t    i;
    tg_str_t  name;

    name.data = word;
    name.len = len;

    for (i = 0; i < ENCODINGS; i++) {
        if (tgi_str_equal(name, encodings[i].name)) {
            *encoding = (tg_encoding_t) i;
            return TG_OK;
        }
    }

    return TG_ERR_RANGE;
}


int
tg_encode(tg_encoding_t encoding, tg_str_t in, size_t max,
    const tg_alloc_t *alloc, tg_str_t *out)
{
    int       rc;
    size_t    len;
    writer_t  writer;

    if ((size_t) encoding >= ENCODINGS) {
        return TG_ERR_RANGE;
    }

    rc = tgi_text_check(in.data, in.len);
    if (rc != TG_OK) {
        return rc;
    }

    writer.data = NULL;
    writer.len = 0;

    encodings[encoding].encode(&writer, in);

    len = writer.len;

    if (len > max) {
        return TG_ERR_LIMIT;
    }

    if (len == 0) {
        *out = (tg_str_t) TG_NULL_STR;
        return TG_OK;
    }

    writer.data = tgi_alloc(alloc, len, 1);
    if (writer.data == NULL) {
        return TG_ERR_NOMEM;
    }

    writer.len = 0;

    encodings[encoding].encode(&writer, in);

    out->data = writer.data;
    out->len = len;

    return TG_OK;
}


bool
tgi_encode_exact(tg_encoding_t encoding, tg_str_t text)
{
    size_t    i, n;
    uint32_t  c, last;

    switch (encoding) {

    case TG_ENCODING_LATIN1:
        last = 0xff;
        break;

    case TG_ENCODING_ASCII:
        last = 0x7f;
        break;

    default:
        last = 0x10ffff;
        break;
    }

    for (i = 0; i < text.len; i += n) {
        n = tgi_utf8_char(text.data + i, text.len - i, &c);

        if (n == 0 || c > last) {
            return false;
        }
    }

    return true;
}


static void
put(writer_t *writer, const char *data, size_t len)
{
    if (writer->data != NULL && len != 0) {
        memcpy(writer->data + writer->len, data, len);
    }

    writer->len += len;
}


static void
put_char(writer_t *writer, char c)
{
    put(writer, &c, 1);
}


static void
put_hex(writer_t *writer, char mark, unsigned char c)
{
    static const char  hex[] = "0123456789ABCDEF";

    put_char(writer, mark);
    put_char(writer, hex[c >> 4]);
    put_char(writer, hex[c & 0xf]);
}


static void
encode_utf8(writer_t *writer, tg_str_t in)
{
    put(writer, in.data, in.len);
}


/*
 * last is the last character that the encoding can hold.  A character that
 * came in parts (a letter and a combining mark, as macOS writes file names and
 * some directories write people's) is put together first; a mark that makes no
 * character of the encoding is dropped, as its letter tells enough.
 */

static void
encode_single(writer_t *writer, tg_str_t in, uint32_t last)
{
    size_t    i, n;
    tg_str_t  text;
    uint32_t  c, mark, composed;

    for (i = 0; i < in.len; i += n) {
        n = tgi_utf8_char(in.data + i, in.len - i, &c);

        if (tgi_is_mark(c) && i != 0) {
            continue;
        }

        if (i + n < in.len) {
            (void) tgi_utf8_char(in.data + i + n, in.len - i - n, &mark);

            composed = tgi_compose(c, mark);

            if (composed != 0) {
                c = composed;
            }
        }

        if (c <= last) {
            put_char(writer, (char) (unsigned char) c);
            continue;
        }

        text = tgi_transliterate(c);
        put(writer, text.data, text.len);
    }
}


static void
encode_latin1(writer_t *writer, tg_str_t in)
{
    encode_single(writer, in, 0xff);
}


static void
encode_ascii(writer_t *writer, tg_str_t in)
{
    encode_single(writer, in, 0x7f);
}


static void
encode_percent(writer_t *writer, tg_str_t in)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < in.len; i++) {
        c = (unsigned char) in.data[i];

        if (tgi_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
            put_char(writer, (char) c);

        } else {
            put_hex(writer, '%', c);
        }
    }
}


/*
 * As Go's mime/quotedprintable writes it, without line breaks.  It encodes a
 * blank at the end; so do we one at the beginning, as HTTP trims both.
 */

static void
encode_quoted_printable(writer_t *writer, tg_str_t in)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < in.len; i++) {
        c = (unsigned char) in.data[i];

        if (c < ' ' || c > '~' || c == '='
            || (c == ' ' && (i == 0 || i == in.len - 1)))
        {
            put_hex(writer, '=', c);

        } else {
            put_char(writer, (char) c);
        }
    }
}


/*
 * Go's mime.QEncoding leaves all ASCII as it is.  We do not so with what looks
 * like an encoded-word itself, or a name could be decoded into another one.
 */

static bool
needs_word(tg_str_t in)
{
    size_t  i;

    for (i = 0; i < in.len; i++) {
        if ((unsigned char) in.data[i] > '~') {
            return true;
        }

        if (in.data[i] == '=' && i + 1 < in.len && in.data[i + 1] == '?') {
            return true;
        }
    }

    return false;
}


static void
encode_rfc2047(writer_t *writer, tg_str_t in)
{
    bool           literal;
    size_t         i, j, n, len, content;
    uint32_t       code;
    unsigned char  c;

    if (!needs_word(in)) {
        put(writer, in.data, in.len);
        return;
    }

    put(writer, WORD_OPEN, sizeof(WORD_OPEN) - 1);

    content = 0;

    for (i = 0; i < in.len; i += n) {
        c = (unsigned char) in.data[i];
        n = tgi_utf8_char(in.data + i, in.len - i, &code);

        literal = c >= ' ' && c <= '~' && c != '=' && c != '?' && c != '_';
        len = literal ? 1 : 3 * n;

        /* RFC 2047 5: a character is never split between two words */

        if (content + len > WORD_CONTENT_MAX) {
            put(writer, WORD_CLOSE " " WORD_OPEN,
                sizeof(WORD_CLOSE " " WORD_OPEN) - 1);
            content = 0;
        }

        content += len;

        if (literal) {
            put_char(writer, c == ' ' ? '_' : (char) c);
            continue;
        }

        for (j = 0; j < n; j++) {
            put_hex(writer, '=', (unsigned char) in.data[i + j]);
        }
    }

    put(writer, WORD_CLOSE, sizeof(WORD_CLOSE) - 1);
}
