
/*
 * Copyright (C) The Tailgate authors
 *
 * The closed list of what a template may call.
 */

#include "core/golink/program.h"


/* in the order of link_func_t */

const link_call_t  tgi_link_funcs[] = {
    { "and", "vv*" },
    { "or", "vv*" },
    { "not", "v" },
    { "eq", "vvv*" },
    { "ne", "vv" },
    { "lt", "vv" },
    { "le", "vv" },
    { "gt", "vv" },
    { "ge", "vv" },
    { "len", "v" },
    { "index", "vv*" },
    { "slice", "vv*" },
    { "print", "v*" },
    { "printf", "sv*" },
    { "urlquery", "v*" },
    { "PathEscape", "s" },
    { "QueryEscape", "s" },
    { "TrimPrefix", "ss" },
    { "TrimSuffix", "ss" },
    { "ToLower", "s" },
    { "ToUpper", "s" },
    { "Match", "ss" }
};

/* in the order of link_field_t */

const link_call_t  tgi_link_fields[] = {
    { "Path", "" },
    { "User", "" },
    { "Now", "" },
    { "Segment", "i" },
    { "Query", "s" },
    { "Format", "s" },
    { "Year", "" },
    { "Month", "" },
    { "Day", "" },
    { "Hour", "" },
    { "Minute", "" },
    { "Weekday", "" },
    { "Unix", "" },
    { "AddDate", "iii" }
};
