
/*
 * Copyright (C) The Tailgate authors
 *
 * Links without a template.
 */

#include "core/golink/golink.h"

#include "core/base/base.h"


unsigned
tg_link_flags(const tg_link_t *link)
{
    (void) link;
    return 0;
}


size_t
tg_link_size(const tg_link_t *link)
{
    (void) link;
    return 0;
}


const tg_link_limits_t *
tg_link_limits_default(void)
{
    static const tg_link_limits_t  limits = { 0 };

    return &limits;
}


int
tg_link_compile(tg_str_t url, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_link_t **link, tg_error_t *error)
{
    (void) url;
    (void) limits;
    (void) alloc;
    *link = NULL;
    return tgi_error(error, TG_ERR_REFUSED, "this build expands no links");
}


int
tg_link_expand(const tg_link_t *link, tg_str_t url,
    const tg_link_request_t *request, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_str_t *location, tg_error_t *error)
{
    (void) link;
    (void) url;
    (void) request;
    (void) limits;
    (void) alloc;
    *location = (tg_str_t) TG_NULL_STR;
    return tgi_error(error, TG_LINK_FAILED, "this build expands no links");
}


int
tg_link_hop(tg_str_t location, const tg_str_t *hosts, size_t nhosts,
    tg_link_hop_t *hop)
{
    (void) location;
    (void) hosts;
    (void) nhosts;
    *hop = (tg_link_hop_t) { .path = TG_NULL_STR };
    return TG_ERR_ABSENT;
}


void
tg_link_reader_init(tg_link_reader_t *reader, tg_link_format_t format,
    tg_str_t text)
{
    reader->rest = text;
    reader->line = 1;
    reader->format = format;
}


int
tg_link_read(tg_link_reader_t *reader, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_link_record_t *record, tg_error_t *error)
{
    (void) limits;
    (void) alloc;
    (void) record;
    reader->rest = (tg_str_t) TG_NULL_STR;
    return tgi_error(error, TG_ERR_REFUSED, "this build reads no links");
}


int
tg_link_write(tg_link_format_t format, const tg_link_record_t *record,
    const tg_alloc_t *alloc, tg_str_t *line)
{
    (void) format;
    (void) record;
    (void) alloc;
    *line = (tg_str_t) TG_NULL_STR;
    return TG_ERR_REFUSED;
}


tg_str_t
tg_link_csv_head(void)
{
    return (tg_str_t) TG_STR("name,url\n");
}
