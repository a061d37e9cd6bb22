
/*
 * Copyright (C) The Tailgate authors
 *
 * Reading of nginx configurations: words, directives, blocks, includes.
 */

#include <cli/nginx_conf.h>

#include <core/base/base.h>

#include <string.h>


typedef struct {
    cli_conf_find_pt    find;
    void               *ctx;
    const tg_alloc_t   *alloc;
    size_t              count;     /* of directives */
    tg_str_t            where;
    tg_error_t         *error;
    tg_str_t            words[CLI_CONF_WORDS_MAX];  /* of one directive */
    size_t              nwords;
} reader_t;

/* A place in one file. */

typedef struct {
    tg_str_t            name;
    const char         *pos;
    const char         *end;
    size_t              line;
} cursor_t;

typedef enum {
    STOP_SEMICOLON = 0,
    STOP_BLOCK,
    STOP_CLOSE,
    STOP_END
} stop_t;


static int read_file(reader_t *r, const cli_conf_file_t *file,
    cli_conf_t *parent, size_t depth);
static int read_block(reader_t *r, cursor_t *c, cli_conf_t *parent,
    size_t depth, bool top);
static int read_include(reader_t *r, cursor_t *c, const cli_conf_t *conf,
    cli_conf_t *parent, size_t depth);
static int read_directive(reader_t *r, cursor_t *c, stop_t *stop);
static int read_word(reader_t *r, cursor_t *c, tg_str_t *word);
static const char *word_end(const cursor_t *c, char quote, size_t *lines);
static int unquote(reader_t *r, const char *data, size_t len, tg_str_t *word);
static int skip_code(reader_t *r, cursor_t *c);
static void skip_blanks(cursor_t *c);
static cli_conf_t *add(reader_t *r, cli_conf_t *parent, const cursor_t *c,
    size_t line);
static bool is_lua(tg_str_t name);
static int fail(reader_t *r, const cursor_t *c, const char *text);


static const char  dump_mark[] = "# configuration file ";


int
cli_conf_read(const cli_conf_file_t *file, cli_conf_find_pt find, void *ctx,
    const tg_alloc_t *alloc, cli_conf_t **root, tg_str_t *where,
    tg_error_t *error)
{
    int          rc;
    reader_t     r = { 0 };
    cli_conf_t  *top;

    r.find = find;
    r.ctx = ctx;
    r.alloc = alloc;
    r.where = file->name;
    r.error = error;

    top = tgi_alloc(alloc, 1, sizeof(cli_conf_t));

    if (top == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    memset(top, 0, sizeof(cli_conf_t));
    top->file = file->name;

    rc = read_file(&r, file, top, 0);

    *where = r.where;

    if (rc == TG_OK) {
        *root = top;
    }

    return rc;
}


static int
read_file(reader_t *r, const cli_conf_file_t *file, cli_conf_t *parent,
    size_t depth)
{
    cursor_t  c;

    c.name = file->name;
    c.pos = file->text.data;
    c.end = file->text.data + file->text.len;
    c.line = 1;

    if (file->text.len > CLI_CONF_SIZE_MAX) {
        (void) fail(r, &c, "the file is too big");
        return TG_ERR_LIMIT;
    }

    return read_block(r, &c, parent, depth, true);
}


/* Up to the "}" of parent, or to the end of a file. */

static int
read_block(reader_t *r, cursor_t *c, cli_conf_t *parent, size_t depth,
    bool top)
{
    int          rc;
    size_t       line;
    stop_t       stop;
    cli_conf_t  *conf;

    if (depth > CLI_CONF_DEPTH_MAX) {
        (void) fail(r, c, "blocks or includes are nested too deeply");
        return TG_ERR_LIMIT;
    }

    for ( ;; ) {
        skip_blanks(c);
        line = c->line;

        rc = read_directive(r, c, &stop);

        if (rc != TG_OK) {
            return rc;
        }

        if (stop == STOP_CLOSE || stop == STOP_END) {

            if (r->nwords > 0) {
                return fail(r, c, "a directive does not end with \";\"");
            }

            if ((stop == STOP_END) != top) {
                return fail(r, c, top ? "unexpected \"}\""
                                      : "a block is not closed by \"}\"");
            }

            return TG_OK;
        }

        if (r->nwords == 0) {
            return fail(r, c, "a directive has no name");
        }

        conf = add(r, parent, c, line);

        if (conf == NULL) {
            return fail(r, c, "out of memory, or too many directives");
        }

        if (stop == STOP_SEMICOLON) {
            rc = cli_conf_is(conf, 0, "include")
                 ? read_include(r, c, conf, parent, depth) : TG_OK;

        } else if (is_lua(conf->words[0])) {
            rc = skip_code(r, c);

        } else {
            rc = read_block(r, c, conf, depth + 1, false);
        }

        if (rc != TG_OK) {
            return rc;
        }
    }
}


/* Directives of an included file stand where the "include" does. */

static int
read_include(reader_t *r, cursor_t *c, const cli_conf_t *conf,
    cli_conf_t *parent, size_t depth)
{
    int               rc;
    size_t            i, n;
    cli_conf_file_t  *files;

    if (conf->nwords != 2) {
        return fail(r, c, "\"include\" takes one file or pattern");
    }

    rc = r->find(r->ctx, conf->words[1], r->alloc, &files, &n, r->error);

    if (rc != TG_OK) {
        r->where = c->name;
        r->error->line = conf->line;
        return rc;
    }

    for (i = 0; i < n; i++) {
        rc = read_file(r, &files[i], parent, depth + 1);

        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


static int
read_directive(reader_t *r, cursor_t *c, stop_t *stop)
{
    int  rc;

    r->nwords = 0;

    for ( ;; ) {
        skip_blanks(c);

        if (c->pos == c->end) {
            *stop = STOP_END;
            return TG_OK;
        }

        switch (*c->pos) {
        case ';':
            *stop = STOP_SEMICOLON;
            c->pos++;
            return TG_OK;

        case '{':
            *stop = STOP_BLOCK;
            c->pos++;
            return TG_OK;

        case '}':
            *stop = STOP_CLOSE;
            c->pos++;
            return TG_OK;
        }

        if (r->nwords == CLI_CONF_WORDS_MAX) {
            (void) fail(r, c, "a directive has too many words");
            return TG_ERR_LIMIT;
        }

        rc = read_word(r, c, &r->words[r->nwords]);

        if (rc != TG_OK) {
            return rc;
        }

        r->nwords++;
    }
}


static int
read_word(reader_t *r, cursor_t *c, tg_str_t *word)
{
    int          rc;
    char         quote;
    size_t       lines;
    const char  *start, *end;

    quote = (*c->pos == '"' || *c->pos == '\'') ? *c->pos : '\0';

    if (quote != '\0') {
        c->pos++;
    }

    start = c->pos;
    end = word_end(c, quote, &lines);

    if (quote != '\0' && end == c->end) {
        return fail(r, c, "a quotation mark is not closed");
    }

    rc = unquote(r, start, (size_t) (end - start), word);

    if (rc != TG_OK) {
        return fail(r, c, "out of memory");
    }

    c->line += lines;
    c->pos = end;

    if (quote == '\0') {
        return TG_OK;
    }

    c->pos++;

    if (c->pos < c->end && strchr(" \t\r\n;{)", *c->pos) == NULL) {
        return fail(r, c, "a blank is missing behind a quotation mark");
    }

    /* as in if ("$a" = "b") */

    if (c->pos < c->end && *c->pos == ')') {
        c->pos++;
    }

    return TG_OK;
}


/* Of what begins at c->pos: the quote, or what cannot be in a word. */

static const char *
word_end(const cursor_t *c, char quote, size_t *lines)
{
    bool         variable;
    const char  *p;

    *lines = 0;
    variable = false;

    for (p = c->pos; p < c->end; p++) {

        if (*p == '\n') {
            (*lines)++;
        }

        if (*p == '\\' && p + 1 < c->end) {
            p++;

            if (*p == '\n') {
                (*lines)++;
            }

            continue;
        }

        if (quote != '\0') {
            if (*p == quote) {
                return p;
            }

            continue;
        }

        /* "${name}" is no block */

        if (*p == '{' && variable) {
            variable = false;
            continue;
        }

        variable = (*p == '$');

        if (*p == '\n') {
            (*lines)--;
            return p;
        }

        if (*p == ' ' || *p == '\t' || *p == '\r' || *p == ';' || *p == '{') {
            return p;
        }
    }

    return p;
}


/* Takes the backslashes away that nginx does. */

static int
unquote(reader_t *r, const char *data, size_t len, tg_str_t *word)
{
    char    *out;
    size_t   i, n;

    static const char  plain[] = "\"'\\trn";
    static const char  means[] = "\"'\\\t\r\n";

    word->data = data;
    word->len = len;

    if (len == 0 || memchr(data, '\\', len) == NULL) {
        return TG_OK;
    }

    out = tgi_alloc(r->alloc, len, 1);

    if (out == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0, n = 0; i < len; i++, n++) {
        const char  *known;

        out[n] = data[i];

        if (data[i] != '\\' || i + 1 == len || data[i + 1] == '\0') {
            continue;
        }

        known = strchr(plain, data[i + 1]);

        if (known != NULL) {
            out[n] = means[known - plain];
            i++;
        }
    }

    word->data = out;
    word->len = n;

    return TG_OK;
}


/* "content_by_lua_block" and its kin */

static bool
is_lua(tg_str_t name)
{
    static const tg_str_t  suffix = TG_STR("_by_lua_block");

    return name.len > suffix.len
           && memcmp(name.data + name.len - suffix.len, suffix.data,
                     suffix.len) == 0;
}


/* A block of Lua, of which only the braces and strings are understood. */

static int
skip_code(reader_t *r, cursor_t *c)
{
    char    quote;
    size_t  depth;

    quote = '\0';

    for (depth = 1; c->pos < c->end; c->pos++) {

        if (*c->pos == '\n') {
            c->line++;
            quote = '\0';
        }

        if (quote != '\0') {
            if (*c->pos == '\\' && c->pos + 1 < c->end && c->pos[1] != '\n') {
                c->pos++;

            } else if (*c->pos == quote) {
                quote = '\0';
            }

            continue;
        }

        switch (*c->pos) {
        case '"':
        case '\'':
            quote = *c->pos;
            break;

        case '-':
            if (c->pos + 1 < c->end && c->pos[1] == '-') {
                while (c->pos + 1 < c->end && c->pos[1] != '\n') {
                    c->pos++;
                }
            }

            break;

        case '{':
            depth++;
            break;

        case '}':
            if (--depth == 0) {
                c->pos++;
                return TG_OK;
            }

            break;
        }
    }

    return fail(r, c, "a block of Lua is not closed by \"}\"");
}


static void
skip_blanks(cursor_t *c)
{
    bool  comment;

    for (comment = false; c->pos < c->end; c->pos++) {

        if (*c->pos == '\n') {
            c->line++;
            comment = false;

        } else if (*c->pos == '#') {
            comment = true;

        } else if (!comment && *c->pos != ' ' && *c->pos != '\t'
                   && *c->pos != '\r')
        {
            return;
        }
    }
}


static cli_conf_t *
add(reader_t *r, cli_conf_t *parent, const cursor_t *c, size_t line)
{
    cli_conf_t  *conf;

    if (r->count++ == CLI_CONF_COUNT_MAX) {
        return NULL;
    }

    conf = tgi_alloc(r->alloc, 1, sizeof(cli_conf_t));

    if (conf == NULL) {
        return NULL;
    }

    memset(conf, 0, sizeof(cli_conf_t));

    conf->words = tgi_alloc(r->alloc, r->nwords, sizeof(tg_str_t));

    if (conf->words == NULL) {
        return NULL;
    }

    memcpy(conf->words, r->words, r->nwords * sizeof(tg_str_t));
    conf->nwords = r->nwords;
    conf->file = c->name;
    conf->line = line;
    conf->parent = parent;

    if (parent->last != NULL) {
        parent->last->next = conf;

    } else {
        parent->first = conf;
    }

    parent->last = conf;

    return conf;
}


static int
fail(reader_t *r, const cursor_t *c, const char *text)
{
    r->where = c->name;
    (void) tgi_error(r->error, TG_ERR_SYNTAX, "%s", text);
    r->error->line = c->line;

    return TG_ERR_SYNTAX;
}


bool
cli_conf_is_dump(tg_str_t text)
{
    return text.len >= sizeof(dump_mark) - 1
           && memcmp(text.data, dump_mark, sizeof(dump_mark) - 1) == 0;
}


/* The next line of text at or behind *pos that begins a file. */

static bool
next_mark(tg_str_t text, size_t *pos, tg_str_t *name, size_t *start)
{
    size_t       end;
    tg_str_t     line;
    const char  *p;

    for ( /* void */ ; *pos < text.len; *pos = end + 1) {
        p = memchr(text.data + *pos, '\n', text.len - *pos);
        end = p != NULL ? (size_t) (p - text.data) : text.len;

        line.data = text.data + *pos;
        line.len = end - *pos;

        if (cli_conf_is_dump(line) && line.len > sizeof(dump_mark)
            && line.data[line.len - 1] == ':')
        {
            name->data = line.data + sizeof(dump_mark) - 1;
            name->len = line.len - sizeof(dump_mark);
            *start = end < text.len ? end + 1 : end;
            return true;
        }
    }

    return false;
}


int
cli_conf_dump(tg_str_t text, const tg_alloc_t *alloc, cli_conf_file_t **files,
    size_t *n)
{
    size_t            i, pos, start, end;
    tg_str_t          name;
    cli_conf_file_t  *list;

    *n = 0;

    for (pos = 0; next_mark(text, &pos, &name, &start); pos = start) {
        (*n)++;
    }

    if (*n == 0) {
        return TG_ERR_SYNTAX;
    }

    list = tgi_alloc(alloc, *n, sizeof(cli_conf_file_t));

    if (list == NULL) {
        return TG_ERR_NOMEM;
    }

    pos = 0;

    for (i = 0; i < *n && next_mark(text, &pos, &name, &start); i++) {
        tg_str_t  ignored;

        pos = start;

        if (!next_mark(text, &pos, &ignored, &end)) {
            pos = text.len;
        }

        list[i].name = name;
        list[i].text.data = text.data + start;
        list[i].text.len = pos - start;
    }

    *files = list;

    return TG_OK;
}


bool
cli_conf_is(const cli_conf_t *conf, size_t i, const char *text)
{
    tg_str_t  wanted = { text, strlen(text) };

    /* nginx takes "ON" for "on", but no "SATISFY" */

    return i < conf->nwords
           && (i == 0 ? tgi_str_equal(conf->words[i], wanted)
                      : tgi_str_equal_nocase(conf->words[i], wanted));
}


cli_conf_t *
cli_conf_own(const cli_conf_t *block, const char *name)
{
    cli_conf_t  *conf, *found;

    found = NULL;

    for (conf = block->first; conf; conf = conf->next) {
        if (cli_conf_is(conf, 0, name)) {
            found = conf;
        }
    }

    return found;
}


cli_conf_t *
cli_conf_inherited(const cli_conf_t *block, const char *name)
{
    cli_conf_t  *conf;

    for ( /* void */ ; block; block = block->parent) {
        conf = cli_conf_own(block, name);

        if (conf != NULL) {
            return conf;
        }
    }

    return NULL;
}
