
/*
 * Copyright (C) The Tailgate authors
 *
 * Typed reading of an answer of the LocalAPI: bounded, strict on what is
 * known, blind to the rest.
 */

#ifndef TGI_JSON_H_INCLUDED_
#define TGI_JSON_H_INCLUDED_

#include <tailgate/addr.h>
#include <tailgate/identity.h>

#include <jansson.h>


/* Arrays and objects inside each other: WhoIs needs 5. */

#define TGI_JSON_DEPTH_MAX  64


/*
 * Where the reader is and where results go.  The first fault is kept in rc
 * (and *error); after it every function does nothing, so that a caller reads
 * all of its fields and looks once.
 */

typedef struct {
    const tg_alloc_t  *alloc;
    tg_error_t        *error;  /* may be NULL */
    int                rc;
} tgi_reader_t;

/* What to make of a control character. */

typedef enum {
    TGI_TEXT_STRICT = 0,       /* it makes the answer nonsense */
    TGI_TEXT_LENIENT           /* for people only: it becomes a blank, and
                                  what is too long is cut */
} tgi_text_t;


/*
 * The root object of len bytes, a new reference, or NULL with reader->rc set.
 * Fields that occur twice, NUL, invalid UTF-8 and trailing bytes are refused.
 */

json_t *tgi_json_load(tgi_reader_t *reader, const char *json, size_t len);

/*
 * A field of object.  A missing or null one gives the empty value; one of
 * another type is TG_ERR_TYPE, with path ("Node.StableID") in the text.  key
 * is the last part of path.  What is returned is borrowed from object, but
 * for strings, which are copied.
 */

json_t *tgi_json_object(tgi_reader_t *reader, json_t *object,
    const char *path);
json_t *tgi_json_array(tgi_reader_t *reader, json_t *object,
    const char *path);
bool tgi_json_bool(tgi_reader_t *reader, json_t *object, const char *path);
int64_t tgi_json_int(tgi_reader_t *reader, json_t *object, const char *path);
tg_str_t tgi_json_string(tgi_reader_t *reader, json_t *object,
    const char *path, size_t max);
tg_list_t tgi_json_list(tgi_reader_t *reader, json_t *object,
    const char *path, size_t max, tgi_text_t text);

/* The text of an array's item, borrowed and of any content. */

tg_str_t tgi_json_item(tgi_reader_t *reader, json_t *array, size_t i,
    const char *path);

/* Sets reader->rc, once, to what tgi_error() returns. */

#define tgi_json_fail(reader, code, ...)                                      \
    ((reader)->rc != TG_OK                                                    \
     ? (void) 0                                                               \
     : (void) ((reader)->rc = tgi_error((reader)->error, code, __VA_ARGS__)))


#endif /* TGI_JSON_H_INCLUDED_ */
