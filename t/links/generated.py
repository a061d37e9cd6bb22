# Copyright (C) The Tailgate authors

"""Links and requests, made up from a seed: what people write, and what they
should not."""

import collections
import random

# path and query are what follows the name, however that is spelled
Link = collections.namedtuple("Link", "name long")
Ask = collections.namedtuple("Ask", "spelling path query")

HOSTS = ["h.com", "www.example.com", "wiki.corp:8080", "192.0.2.7",
         "[2001:db8::1]:81", "Host.COM"]
SCHEMES = ["http://", "https://", "https://", "HTTP://"]
FOLDERS = ["", "", "/", "/a", "/a/", "/a/b", "/a-b_c.d/", "/Foo%20Bar",
           "/foo%2fbar", "/foo%2Fbar/", "/caf%C3%A9", "/café", "/a+b/",
           "/~me", "/a;b=1", "/a:b@c", "/(x)!*'", "/Foo Bar", "/x$y,z"]
QUERIES = ["", "", "", "", "?q=1", "?b=2&a=1", "?q=", "?x=%20y", "?x=y z",
           "?a;b", "?x=é", "?a", "?q=a+b"]
FRAGMENTS = ["", "", "", "", "", "#top", "#/app"]

TEMPLATES = [
    "{{.Path}}",
    "{{with .Path}}p/{{.}}{{end}}",
    "{{with .Path}}p/{{.}}{{else}}none{{end}}",
    "{{if .Path}}{{.Path}}/view{{else}}list{{end}}",
    '{{if eq .Path "a"}}one{{else if eq .Path "b"}}two{{else}}more{{end}}',
    '{{if Match "^[0-9]+$" .Path}}id/{{.Path}}{{else}}find{{end}}',
    '{{if and .Path (Match "a" .Path)}}has{{else}}hasnt{{end}}',
    '{{if or (eq .Path "a") (not .Path)}}x{{else}}y{{end}}',
    "{{PathEscape .Path}}", "{{QueryEscape .Path}}",
    "x?q={{QueryEscape .Path}}", "x?q={{.Path}}",
    "x?q={{urlquery .Path}}&r=1", "x?q={{PathEscape .Path}}#f",
    '{{TrimPrefix .Path "BUG-"}}', '{{TrimSuffix .Path "/"}}',
    "{{ToLower .Path}}", "{{ToUpper .Path}}", "{{.Path | ToUpper}}",
    "{{.User}}", "u/{{.User}}/{{.Path}}", "u?me={{QueryEscape .User}}",
    '{{.Now.Format "2006"}}/{{.Path}}', "{{.Now.Year}}",
    "{{len .Path}}", "{{if gt (len .Path) 3}}long{{else}}short{{end}}",
    '{{printf "%s-%d" .Path (len .Path)}}', '{{printf "%q" .User}}',
    '{{printf "%v" 12}}', '{{print .User "!" 1 2}}',
    "{{$p := .Path}}{{$p}}/{{$p}}", "{{/* why */}}{{.Path}}",
    "a {{- .Path -}} b", "{{`raw`}}/{{.Path}}", "{{.Path}}/%2f/x",
    "{{if .Path}}{{slice .User 0 3}}{{end}}", "{{index .User 0}}",
    '{{ne .Path "a"}}/{{lt 1 2}}/{{le 2 2}}/{{ge 1 2}}',
    "#{{.Path}}", "{{.Path}}?z=1&y=2",
]

# (what it is, the link): docs/links/golink.md, what is refused at save
REFUSED = [
    ("scheme", "javascript:alert(1)"), ("scheme", "data:text/html,x"),
    ("scheme", "ftp://h.com/"), ("no URL", "http://h.com/%zz"),
    ("no URL", ":foo"), ("no URL", " http://x.com"),
    ("no URL", "http://h.com:port/"), ("no URL", "http:///x"),
    ("no URL", "http:x"), ("control", "http://h.com/\x01"),
    ("host by path", "{{.Path}}"),
    ("host by path", "https://{{.Path}}.example.com/"),
    ("all of it", "http://h.com/{{.}}"), ("all of it", "http://h.com/{{$}}"),
    ("no field", "http://h.com/{{.Foo}}"),
    ("dot of with", "http://h.com/{{with .User}}{{.Path}}{{end}}"),
    ("arguments", "http://h.com/{{len}}"),
    ("arguments", "http://h.com/{{ToUpper 1}}"),
    ("comparison", 'http://h.com/{{if eq .Path 1}}x{{end}}'),
    ("pattern", 'http://h.com/{{if Match "(" .Path}}x{{else}}y{{end}}'),
    ("language", "http://h.com/{{range 3}}x{{end}}"),
    ("language", 'http://h.com/{{define "a"}}{{end}}'),
    ("language", "http://h.com/{{html .Path}}"),
    ("language", "http://h.com/{{println 1}}"),
    ("language", "http://h.com/{{.Now.Nanosecond}}"),
    ("language", 'http://h.com/{{printf "%x" .Path}}'),
]

PATHS = [*[""] * 6, "/p", "/a", "/a/b", "/123", "/", "/p", "/a", "/b",
         "/a/b", "/a/b/", "/BUG-123",
         "/123", "/abcdef", "/caf%C3%A9", "/a%20b", "/a+b", "/a%2Bb", "//x",
         "/a//b", "/x/../y", "/./x", "/a:b@c", "/a=b,c;d!$'()*~", "/%25",
         "/100%25x", "/a%2Fb", "/%3Fx%23y", "/a%22b", "/a%3Cb%3E",
         "/%7Bx%7D", "/a%7Cb", "/a%5Eb", "/a%60b", "/a%5Cb", "/a&b", "/%41b",
         "/%E4%B8%AD", "/%FF", "/%00", "/http://host/x"]
ASKED = [*[""] * 15, "?q=1", "?", "?q=1", "?c=3", "?a=1&b=2", "?b=2&a=1",
         "?a=2&a=1", "?a", "?a=&b", "?a=%20b", "?a=b+c", "?a=%2Fx", "?a=/x:y",
         "?a=1;b=2", "?%zz=1", "?a=caf%C3%A9", "?a=%c3%a9", "?=v", "?a==b",
         "?a=1&&b=2", "?a=%26", "?a=~*'()!", "?%61=1"]


def name_of(rng, n):
    """A name that no other n has: dashes and case do not count."""

    first = rng.choice("abcxyzABC019_")
    rest = "".join(rng.choice("abcdeXYZ012-._")
                   for _ in range(rng.randint(0, 8)))
    return f"{first}{rest}n{n}"


def long_of(rng):
    if rng.random() < 0.07:
        return rng.choice(REFUSED)[1]
    base = rng.choice(SCHEMES) + rng.choice(HOSTS)
    if rng.random() < 0.06:
        base = rng.choice(["", "/rel"])
        return (base or "/") + rng.choice(["", "/x", "?a=1"])
    if rng.random() < 0.35:
        return base + rng.choice(["/", "/t/", "/t/"]) + rng.choice(TEMPLATES)
    if rng.random() < 0.5:
        return base + rng.choice(["", "/", "/a", "/a/b", "/a/"])
    return (base + rng.choice(FOLDERS) + rng.choice(QUERIES)
            + rng.choice(FRAGMENTS))


def spelling_of(rng, name):
    kind = rng.random()
    if kind < 0.5:
        return name
    if kind < 0.65:
        return name.upper() if rng.random() < 0.5 else name.lower()
    if kind < 0.8:
        at = rng.randint(0, len(name))
        return name[:at] + "-" * rng.randint(1, 2) + name[at:]
    if kind < 0.93:
        return name + "".join(rng.choice(".,()") for _ in range(
            rng.randint(1, 3)))
    if kind < 0.97:
        return name + rng.choice(["!", ";", ":", "%20", "%5D", "%7D"])
    return name + "+"


def links(count, seed=20261122):
    """count links, each with requests."""

    rng = random.Random(seed)
    for n in range(count):
        link = Link(name_of(rng, n), long_of(rng))
        asks = [Ask(link.name, "", "")]
        for _ in range(5):
            asks.append(Ask(spelling_of(rng, link.name), rng.choice(PATHS),
                            rng.choice(ASKED)))
        yield link, asks
