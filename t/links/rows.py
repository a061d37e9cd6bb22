# Copyright (C) The Tailgate authors

"""golink's behaviour where it is a request and an answer, by number: A is what
is followed, B what links expand to. docs/links/golink.md tells where ours is
meant to differ."""

# row, request -> Location, of links who=http://who/ and me=/who/{{.User}}
REDIRECTS = [
    ("A1", "/who", "http://who/"),
    ("A2.1", "/who/p", "http://who/p"),
    ("A2.2", "/who?q=1", "http://who/?q=1"),
    ("A2.3", "/who/p?q=1", "http://who/p?q=1"),
    ("A3", "/who/http://host", "http://who/http://host"),
    ("A4.1", "/who.", "http://who/"),
    ("A4.2", "/who,", "http://who/"),
    ("A4.3", "/who)", "http://who/"),
    ("A5", "/who,/p", "http://who/p"),
    ("A6", "/me", "/who/foo@example.com"),
    ("A10.1", "/WHO", "http://who/"),
    ("A10.2", "/w-ho", "http://who/"),
    ("A10.3", "/-who-", "http://who/"),
    ("A11.1", "/who.,)%5D%7D", "http://who/"),
    ("A11.2", "/who./p", "http://who/p"),
    ("A13", "/who%2Fx", "http://who/x"),
    ("A14.1", "/who/caf%C3%A9", "http://who/caf%C3%A9"),
    ("A14.2", "/who/a+b", "http://who/a+b"),
    ("A14.3", "/who/", "http://who/"),
    ("A14.4", "/who?", "http://who/"),
    ("A16.1", "/who+", "/.detail/who"),
    ("A16.2", "/who+/x", "/.detail/who"),
    ("A16.3", "/w-ho+", "/.detail/w-ho"),
]

UNKNOWN = ["/who!", "/who;", "/who:", "/who%20", "//who", "//", "/%2fwho"]

CALENDAR = ("https://calendar.google.com/{{with .Path}}calendar/embed?mode="
            "week&src={{.}}@tailscale.com{{end}}")
MATCH = ('http://host.com/{{if Match "\\\\d+" .Path}}id/{{.Path}}'
         "{{else}}search/{{.Path}}{{end}}")

# row, link, what is asked of it, where it leads
EXPANSIONS = [
    ("B1", "http://host.com/foo%2f/bar", "", "http://host.com/foo%2f/bar"),
    ("B2", "http://host.com/foo%2f/bar", "/extra",
     "http://host.com/foo%2f/bar/extra"),
    ("B3.1", "http://host.com/foo", "/extra", "http://host.com/foo/extra"),
    ("B3.2", "http://host.com/foo/", "/extra", "http://host.com/foo/extra"),
    ("B5", "http://host.com/{{.User}}", "",
     "http://host.com/foo@example.com"),
    ("B8", CALENDAR, "", "https://calendar.google.com/"),
    ("B9", CALENDAR, "/amelie", "https://calendar.google.com/calendar/embed"
     "?mode=week&src=amelie@tailscale.com"),
    ("B10", "http://host.com/{{PathEscape .Path}}", "/a/b+c",
     "http://host.com/a%2Fb+c"),
    ("B11", "http://host.com/{{QueryEscape .Path}}", "/a/b+c",
     "http://host.com/a%2Fb%2Bc"),
    ("B12", 'http://host.com/{{TrimPrefix .Path "BUG-"}}', "/BUG-123",
     "http://host.com/123"),
    ("B13", 'http://host.com/{{TrimSuffix .Path "/"}}', "/a/",
     "http://host.com/a"),
    ("B14", "http://host.com/{{ToLower .Path}}", "/BUG-123",
     "http://host.com/bug-123"),
    ("B15", "http://host.com/{{ToUpper .Path}}", "/bug-123",
     "http://host.com/BUG-123"),
    ("B16.1", MATCH, "/123", "http://host.com/id/123"),
    ("B16.2", MATCH, "/query", "http://host.com/search/query"),
    ("B17", "/rel", "/a", "/rel/a"),
    ("B18", "/rel", "?a=b", "/rel?a=b"),
    ("B19", "/rel", "/path?a=b", "/rel/path?a=b"),
    ("B20", "/rel?a=1", "?a=2&b=2", "/rel?a=1&a=2&b=2"),
    ("B21", "/rel{{with .Path}}/{{.}}{{end}}?a=1", "/path?b=2",
     "/rel/path?a=1&b=2"),
    # W is what golink gets wrong
    ("B22W", "http://h.com/x", "/%25", "http://h.com/x/%25"),
    ("B22W.2", "http://h.com/%41", "/%25", "http://h.com/%41/%25"),
    ("B23W", "http://h.com/x", "/%3Fx%23y", "http://h.com/x/%3Fx%23y"),
    ("B24W", "http://h.com/x", "/a%2Fb", "http://h.com/x/a%2Fb"),
    ("B25W", "http://h.com/foo%2f/bar", "/a%20b",
     "http://h.com/foo%2f/bar/a%20b"),
    ("B25W.2", "http://h.com/foo%2f/bar", "/%22%3C%3E%7B%7C%7D%5E%60%5C",
     "http://h.com/foo%2f/bar/%22%3C%3E%7B%7C%7D%5E%60%5C"),
    ("B26W", "http://h.com/s?q=", "/a%20b", "http://h.com/s/a%20b?q="),
    ("B27W", "http://h.com/?x={{.Path}}", "/a%20b&c",
     "http://h.com/?x=a%20b%26c"),
    ("B28W", "http://h.com/s?q=1", "/p", "http://h.com/s/p?q=1"),
    ("B29W", "http://h.com/s?q=1", "/p?z=2", "http://h.com/s/p?q=1&z=2"),
    ("B30.1", "http://h.com/#frag", "/p", "http://h.com/#frag/p"),
    ("B30.2", "http://h.com/#frag", "?a=1", "http://h.com/?a=1#frag"),
    ("B31.1", "http://h.com", "/", "http://h.com"),
    ("B31.2", "http://h.com", "?q=1", "http://h.com?q=1"),
    ("B31.3", "http://h.com", "//x", "http://h.com//x"),
    ("B32W.1", "http://h.com/?b=2&a=1", "?c=3", "http://h.com/?b=2&a=1&c=3"),
    ("B32W.2", "http://h.com/?b=2&a=1", "", "http://h.com/?b=2&a=1"),
    ("B33W", "http://h.com/?a;b", "?a=1", "http://h.com/?a;b&a=1"),
    ("B34", "http://h.com/", "?a&b=&c=1&a=2",
     "http://h.com/?a&b=&c=1&a=2"),
    ("B35W.1", "http://h.com/", "?a=1;b=2", "http://h.com/?a=1;b=2"),
    ("B35W.2", "http://h.com/", "?%zz=1", "http://h.com/?%25zz=1"),
    ("B37", "HTTP://Host.COM:80/Foo Bar", "",
     "http://Host.COM:80/Foo%20Bar"),
    ("B40.1", "http://h.com/{x}", "/p", "http://h.com/%7Bx%7D/p"),
    ("B40.2", "http://h.com/}}", "/p", "http://h.com/%7D%7D/p"),
    ("B42", "http://who/", "//b/../c", "http://who//b/../c"),
]

TEMPLATE = "long contains an invalid template: "
NO_URL = "long is no URL to send people to: "
BAD_NAME = "short may only contain letters, numbers, dash, and period"

# row, fields, what a save of them is told
REFUSED = [
    ("A9", {"short": "x", "long": "/who/{{.Invalid}}"}, TEMPLATE),
    ("B7", {"short": "x", "long": "http://host.com/{{.Foo}}"}, TEMPLATE),
    ("B36W", {"short": "x", "long": "{{.Path}}"}, ""),
    ("B39W", {"short": "x", "long": "{{.}}"}, TEMPLATE),
    ("B41", {"short": "x", "long": "http://x/\ta"}, NO_URL),
    ("B41.2", {"short": "x", "long": "http://x/\r\nA: b"}, NO_URL),
    ("B43W", {"short": "x", "long": "http://x/{{range 20000000}}{{end}}"},
     TEMPLATE),
    ("B44W.1", {"short": "x", "long": '{{define "a"}}{{template "a"}}{{end}}'
                                      '{{template "a"}}'}, TEMPLATE),
    ("B44W.2", {"short": "x", "long": 'http://x/{{printf "%1000000d" 1}}'},
     TEMPLATE),
    ("C1.1", {"short": "", "long": "x"}, "short and long required"),
    ("C1.2", {"short": "x", "long": ""}, "short and long required"),
    ("C18", {"short": "x", "long": "http://x/", "owner": "tagged-devices"},
     "new owner not a valid user: tagged-devices"),
    *[(f"C19.{n}", {"short": name, "long": "http://x/"}, BAD_NAME)
      for n, name in enumerate(("a b", ".a", "-a", "a/b", "a+", "é",
                                "a\n"), 1)],
    *[(f"C20.{n}", {"short": "x", "long": long}, TEMPLATE)
      for n, long in enumerate(("http://x/{{.Foo", "http://x/{{end}}",
                                "http://x/{{Nope .Path}}",
                                "http://x/{{if .Path}}"), 1)],
    *[(f"1.3W.{n}", {"short": "x", "long": long}, NO_URL)
      for n, long in enumerate(("javascript:alert(1)", "%zz", ":foo",
                                " http://x", "http://x:port/"), 1)],
]
