
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy: nginx directives on the command line, so that a location
 * with rules of its own can be explained.
 */

#include <cli/cli.h>
#include <cli/policy.h>

#include <string.h>


#define WORDS_MAX  64


typedef struct {
    const tg_rule_t  *rules[CLI_POLICY_INLINE_MAX];
    size_t            nrules;
    bool              raw_path;
    tg_str_t          tailnets[CLI_POLICY_INLINE_MAX];
    size_t            ntailnets;
} inlines_t;


static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


/*
 * The words of a directive as nginx splits them: quotes around a whole word,
 * and a backslash before a character that would end it.  False for a quote
 * that does not end, or too many words.
 */

static bool
split(cli_policy_t *self, const char *text, tg_str_t *words, size_t *n)
{
    char  *out, quote;

    *n = 0;

    while (*text != '\0') {

        if (is_blank(*text) || *text == ';') {
            text++;
            continue;
        }

        out = self->alloc.alloc(self->alloc.ctx, strlen(text) + 1);

        if (out == NULL || *n == WORDS_MAX) {
            return false;
        }

        words[*n] = (tg_str_t) { out, 0 };
        quote = *text == '"' || *text == '\'' ? *text++ : '\0';

        while (*text != '\0' && *text != quote
               && (quote != '\0' || (!is_blank(*text) && *text != ';')))
        {
            text += *text == '\\' && text[1] != '\0';
            out[words[*n].len++] = *text++;
        }

        if (quote != '\0' && *text++ != quote) {
            return false;
        }

        (*n)++;
    }

    return *n > 0;
}


static bool
is_word(tg_str_t word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.data, text, word.len) == 0;
}


static int
take_rule(cli_policy_t *self, inlines_t *in, tg_rule_kind_t kind,
    const tg_str_t *words, size_t n, const char *text)
{
    int          len;
    char        *id;
    tg_rule_t   *rule;
    tg_error_t   error;

    static const size_t  size = 64;

    id = self->alloc.alloc(self->alloc.ctx, size);

    if (id == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    len = snprintf(id, size, "%.*s:inline:%zu", (int) words[0].len,
                   words[0].data, in->nrules + 1);

    if (tg_rule_parse(kind, words + 1, n - 1,
                      (tg_str_t) { id, (size_t) len }, &self->alloc, &rule,
                      &error) != TG_OK)
    {
        cli_error(self->name, "--inline \"%s\": %s", text, error.text);
        return CLI_USAGE;
    }

    in->rules[in->nrules++] = rule;

    return CLI_OK;
}


/* tailgate_peers, as the module reads it. */

static int
take_peers(cli_policy_t *self, const tg_str_t *words, size_t n,
    const char *text)
{
    size_t    i;
    uint32_t  trait;

    self->gate.peers = 0;

    for (i = 1; i < n; i++) {
        trait = tg_trait_parse(words[i].data, words[i].len);

        if (trait == 0) {
            cli_error(self->name, "--inline \"%s\": \"%.*s\" is none of"
                      " member, tagged, shared, routed", text,
                      (int) words[i].len, words[i].data);
            return CLI_USAGE;
        }

        self->gate.peers |= trait;
    }

    return CLI_OK;
}


static int
take(cli_policy_t *self, inlines_t *in, const char *text)
{
    size_t    i, n;
    tg_str_t  words[WORDS_MAX];

    static const struct {
        const char      *name;
        tg_rule_kind_t   kind;
    } kinds[] = {
        { "tailgate_allow", TG_RULE_ALLOW },
        { "tailgate_deny", TG_RULE_DENY },
        { "tailgate_require", TG_RULE_REQUIRE }
    };

    if (!split(self, text, words, &n) || n < 2) {
        cli_error(self->name, "--inline \"%s\": this is no directive with its"
                  " words", text);
        return CLI_USAGE;
    }

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (is_word(words[0], kinds[i].name)) {
            return take_rule(self, in, kinds[i].kind, words, n, text);
        }
    }

    if (is_word(words[0], "tailgate_peers")) {
        return take_peers(self, words, n, text);
    }

    if (is_word(words[0], "tailgate_tailnet")) {
        for (i = 1; i < n && in->ntailnets < CLI_POLICY_INLINE_MAX; i++) {
            in->tailnets[in->ntailnets++] = words[i];
        }

        return CLI_OK;
    }

    if (is_word(words[0], "tailgate_raw_path") && n == 2
        && (is_word(words[1], "allow") || is_word(words[1], "refuse")))
    {
        in->raw_path = is_word(words[1], "allow");
        return CLI_OK;
    }

    cli_error(self->name, "--inline \"%s\": use tailgate_allow,"
              " tailgate_deny, tailgate_require, tailgate_raw_path,"
              " tailgate_peers or tailgate_tailnet", text);

    return CLI_USAGE;
}


int
cli_policy_inline(cli_policy_t *self)
{
    int          code;
    size_t       i;
    tg_str_t    *tailnets;
    inlines_t    in = { .nrules = 0 };
    tg_error_t   error;

    self->gate.peers = TG_TRAIT_MEMBER;

    for (i = 0; i < self->ninlines; i++) {
        code = take(self, &in, self->inlines[i]);
        if (code != CLI_OK) {
            return code;
        }
    }

    if (in.ntailnets > 0) {
        tailnets = self->alloc.alloc(self->alloc.ctx, sizeof(in.tailnets));

        if (tailnets == NULL) {
            cli_error(self->name, "out of memory");
            return CLI_USAGE;
        }

        memcpy(tailnets, in.tailnets, sizeof(in.tailnets));
        self->gate.tailnets = tailnets;
        self->gate.ntailnets = in.ntailnets;
    }

    if (tg_inline_compile(in.rules, in.nrules, in.raw_path, self->file,
                          &self->alloc, &self->inline_rules, &error) != TG_OK)
    {
        cli_error(self->name, "--inline: %s", error.text);
        return CLI_USAGE;
    }

    return CLI_OK;
}
