# Copyright (C) The Tailgate authors

"""What may differ from golink: the rows of docs/links/golink.md. Each row has
a name, says to which (link, request) it applies, and takes its difference away
from both answers. A pair is listed if the rows that apply make it equal."""

import collections
import re
from urllib.parse import quote_plus, unquote, unquote_plus

from generated import REFUSED

Url = collections.namedtuple("Url", "path query fragment")

# what Go escapes in a path, by which it also writes the rest of it anew
UNUSUAL = re.compile(r"%(?!2F|2B|41)|[^!-~]|[\"<>\\^`{|}]")


def is_refused(link):
    return link.long in [long for _, long in REFUSED]


def url(location):
    rest, mark, fragment = location.partition("#")
    path, mark_query, query = rest.partition("?")
    return Url(path, query if mark_query else None,
               fragment if mark else None)


def pairs(query):
    """As Go's url.ParseQuery has them: bad ones are left out."""

    found = []
    for pair in (query or "").split("&"):
        bad = re.search(r"%(?![0-9A-Fa-f]{2})", pair)
        if pair and ";" not in pair and not bad:
            key, _, value = pair.partition("=")
            found.append((unquote_plus(key), unquote_plus(value)))
    return found


def merged(own, asked):
    """What golink makes of the link's query and that of the request."""

    if not pairs(asked):
        return own
    both = sorted(pairs(own) + pairs(asked), key=lambda p: p[0].encode())
    return "&".join(f"{quote_plus(k, safe='~')}={quote_plus(v, safe='~')}"
                    for k, v in both)


def sent_on(asked):
    """The request's query as we send it on: no empty pairs."""

    return asked.replace("%zz", "%25zz").replace("&&", "&")


def own_query(ours, ask):
    """That of the link, in our answer: what stands before the request's."""

    asked = sent_on(ask.query[1:])
    if not asked or ours.query is None:
        return ours.query
    if ours.query == asked:
        return None
    return (ours.query[:-len(asked) - 1]
            if ours.query.endswith("&" + asked) else None)


def is_template(link):
    return "{{" in link.long


def path_of(link):
    return re.split(r"[?#]", link.long)[0]


# the rows

def behind_query(link, ask):
    """A path for a link that ends with a query: golink puts it there."""

    return (not is_template(link) and "?" in link.long and "#" not in link.long
            and len(ask.path) > 1)


def undo_behind_query(link, ask, theirs, ours):
    long = url(link.long)
    rest = unquote(ask.path[1:])
    slash = "" if long.path.endswith("/") else "/"
    own = own_query(ours, ask)
    head = unquote(theirs.path)
    if (unquote(ours.path) != head + slash + rest
            or unquote(own or "") != unquote(long.query)):
        return theirs, ours
    query = merged(f"{long.query}/{rest}", ask.query[1:])
    lost = "%3F" in ask.path                # what the path held was live then
    if not lost and theirs.query != query:
        return theirs, ours
    return ours, ours


def query_template(link, ask):
    return ask.path != "" and ("?q={{.Path}}" in link.long
                               or ("?q={{PathEscape" in link.long
                                   and "&" in ask.path))


def undo_query_template(link, ask, theirs, ours):
    own = own_query(ours, ask) or ""
    rest = unquote(ask.path[1:])
    value = own.removeprefix("q=")
    if unquote(value) != rest or re.search(r"[^!-~]|[&#\"<>]", value):
        return theirs, ours
    raw = f"q={rest}".partition("#")[0]
    if theirs.path == ours.path and theirs.query == merged(
            raw, ask.query[1:]):
        return ours, ours
    return theirs, ours


def encoded(link, ask):
    return "%3F" in ask.path and not query_template(link, ask)


def undo_encoded(_, ask, theirs, ours):
    """What was encoded is live at golink, in a path or a fragment."""

    whole = ours.path + "#" + (ours.fragment or "")
    found = re.search(r"%3F([xX])%23([yY])", whole)
    if found and theirs.path == ours.path.partition("%3F")[0]:
        return ours, ours
    if (found and ours.fragment and theirs.path == ours.path
            and theirs.fragment == ours.fragment.replace("%3F", "?")):
        return theirs._replace(fragment=ours.fragment), ours
    return theirs, ours


def slash(link, ask):
    return "%2F" in ask.path


def own_escapes(link, ask):
    return ("%2f" in path_of(link).lower() or "/%2f/" in link.long) and bool(
        UNUSUAL.search(ask.path + path_of(link).split("{{")[0]))


def undo_slashes(_, __, theirs, ours):
    def plain(text):
        return text and re.sub("%2f", "/", text, flags=re.I)
    return (theirs._replace(path=plain(theirs.path),
                            fragment=plain(theirs.fragment)),
            ours._replace(path=plain(ours.path),
                          fragment=plain(ours.fragment)))


def own_raw(link, _):
    """The link's own query has bytes that no header can have."""

    query = url(link.long).query or ""
    return not is_template(link) and re.search(r"[^!-~]", query) is not None


def undo_own_raw(_, ask, theirs, ours):
    if pairs(ask.query[1:]) or theirs.query is None:
        return theirs, ours
    return theirs._replace(query="".join(
        c if "!" <= c <= "~" else "".join(f"%{b:02X}" for b in c.encode())
        for c in theirs.query)), ours


def asked(link, ask):
    return len(ask.query) > 1


def undo_asked(_, ask, theirs, ours):
    """Pairs are sent on in their order, as they came."""

    own = own_query(ours, ask)
    query = merged(own, ask.query[1:])
    if (theirs.query or "") == (query or ""):
        return theirs._replace(query=ours.query), ours
    return theirs, ours


def no_host(link, ask):
    return (path_of(link) == "/" and ask.path.startswith("//"))


def undo_no_host(_, __, theirs, ours):
    return theirs, ours._replace(path=re.sub("^/%2F", "//", ours.path))


ROWS = [
    ("a path behind the path, not the query", behind_query,
     undo_behind_query),
    ("a path within a query is a value", query_template, undo_query_template),
    ("what was encoded is not live", encoded, undo_encoded),
    ("an encoded slash stays", slash, undo_slashes),
    ("the link's own escapes stay", own_escapes, undo_slashes),
    ("a header is ASCII", own_raw, undo_own_raw),
    ("the query as it was sent", asked, undo_asked),
    ("a path names no host", no_host, undo_no_host),
]


def failing(ask, theirs, ours):
    """Rows where one of the two answers with an error."""

    if "%FF" in ask.path and ours == (400, None):
        return "a path that is not UTF-8"
    if "%00" in ask.path and ours == (400, None):
        return "a path with a NUL"
    if ("%25" in ask.path and theirs == (500, None) and ours[0] == 302
            and "%25" in ours[1]):
        return "a percent sign is a character"
    return None


def name(link, ask, theirs, ours, refused):
    """The difference's name: "same" without one, None: it is not listed."""

    if theirs == ours:
        return "same"
    if refused:
        why = dict((long, why) for why, long in REFUSED).get(link.long)
        return (f"refused at save: {why}"
                if why and ours[0] in (404, 400) else None)

    title = failing(ask, theirs, ours)
    if title or theirs[0] != 302 or ours[0] != 302:
        return title

    # golink sends bytes as they are, clients read them as latin-1
    left = url(theirs[1].encode("latin-1").decode("utf-8"))
    right = url(ours[1])
    named = []
    for title, applies, undo in ROWS:
        if left != right and applies(link, ask):
            before = left, right
            left, right = undo(link, ask, left, right)
            if (left, right) != before:
                named.append(title)
    return named[0] if left == right else None
