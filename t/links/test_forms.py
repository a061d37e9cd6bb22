# Copyright (C) The Tailgate authors

"""A form that is refused: what is wrong is beside the field, by the name that
the page gives it, what was typed is there again, and can be sent again."""

import html.parser

from golink import ADDRESSES, HTML, MACHINE, SCRIPT, Links
from network_test import own_network


class Form(html.parser.HTMLParser):
    """A form of a page: its fields, what they are called, their faults."""

    def __init__(self, page, action):
        super().__init__()
        self.fields, self.labels, self.errors, self.texts = {}, {}, {}, []
        self.inputs = {}
        self.within, self.target = False, None
        self.action = action
        self.feed(page.body.decode())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.target = None
        if tag == "form":
            self.within = attrs.get("action") == self.action \
                and attrs.get("method") == "post"
        if not self.within:
            if attrs.get("role") in ("alert", "status"):
                self.target = self.texts
            return
        if tag == "input":
            self.inputs[attrs["name"]] = attrs
            if attrs.get("type") != "checkbox" or "checked" in attrs:
                self.fields[attrs["name"]] = attrs.get("value", "")
        if tag == "label":
            self.target = self.labels.setdefault(attrs["for"], [])
        if tag == "p" and attrs.get("class") == "error":
            self.target = self.errors.setdefault(
                attrs["id"].removesuffix("-error"), [])

    def handle_endtag(self, tag):
        self.target = None
        if tag == "form":
            self.within = False

    def handle_data(self, data):
        if self.target is not None:
            self.target.append(data)

    def wrong(self):
        """The fields that have a fault, which begins with their labels."""

        for name, error in self.errors.items():
            text, label = "".join(error), "".join(self.labels[name])
            assert text == "" or text.startswith(f"{label}: "), (label, text)
            assert self.inputs[name]["aria-describedby"] == f"{name}-error"
            assert self.inputs[name]["aria-invalid"] \
                == ("true" if text else "false"), name
        return {name for name, error in self.errors.items() if error}


GOOD = {"short": "new", "long": "http://new/{{.Path}}",
        "description": 'A "<new>" one', "owner": "foo@example.com",
        "owners": "bar@example.com, group:docs", "tags": "a, b",
        "anyone": "yes", "expires": "2999-12-31", "fields": "all"}

# what is sent, what is wrong, and what a script is told
BAD = [
    ({"short": "a b"}, {"short"}, "short may only contain letters, "),
    ({"short": "n" * 201}, {"short"}, "short is too long: "),
    ({"short": ""}, {"short"}, "short and long required"),
    ({"long": ""}, {"long"}, "short and long required"),
    ({"short": "", "long": ""}, {"short", "long"}, "short and long required"),
    ({"long": "javascript:x"}, {"long"}, "long is no URL to send people to: "),
    ({"long": "http://x/{{.No}}"}, {"long"},
     "long contains an invalid template: "),
    ({"long": "http://go/new"}, {"long"}, "long is no URL"),
    ({"description": "d" * 1001}, {"description"}, "description: "),
    ({"owner": "no@x"}, {"owner"}, "new owner not a valid user: no@x"),
    ({"owners": "a\1b"}, {"owners"}, "owners: "),
    ({"tags": "t" * 65}, {"tags"}, "tags: "),
    ({"expires": "soon"}, {"expires"}, "expires: "),
    ({"expires": "2026-02-30"}, {"expires"}, "expires: "),
]


def check_fields(links):
    token = links.new_token()
    for bad, wrong, told in BAD:
        sent = {**GOOD, **bad, "xsrf": token}
        answer = links.form("/", sent, HTML)
        assert answer.status == 400
        form = Form(answer, "/")
        assert form.wrong() == wrong, (bad, answer)
        again = {**form.fields, "xsrf": token}
        assert again == sent, (bad, again)
        answer = links.form("/", sent, SCRIPT)
        assert answer.status == 400
        assert answer.body.decode().startswith(told), (bad, answer)
    # put right, it is taken as it came back
    form.fields["expires"] = GOOD["expires"]
    assert links.form("/", form.fields, HTML).status == 200
    link = links.get("/api/v1/links/new").json()
    assert (link["description"], link["tags"], link["anyone"]) \
        == (GOOD["description"], ["a", "b"], True)


def check_tokens(links):
    """The form of a page that was open for too long."""

    links.save("old", "http://old/")
    for name in ("fresh", "old"):
        answer = links.form("/", {**GOOD, "short": name, "xsrf": "x"}, HTML)
        assert answer.status == 400
        form = Form(answer, "/")
        assert form.wrong() == set()
        assert "invalid XSRF token" in "".join(form.texts)
        assert form.fields["long"] == GOOD["long"]
        assert ("readonly" in form.inputs["short"]) == (name == "old")
        assert links.form("/", form.fields, HTML).status == 200
        assert links.get(f"/{name}/p").header("Location") == "http://new/p"
    # of others there is nothing to keep
    for path in ("/.delete/old", "/.restore/old", "/.rename/old"):
        answer = links.form(path, {"xsrf": "x", "seq": "1", "to": "y"}, HTML)
        assert answer.status == 400
        assert b"invalid XSRF token" in answer.body
        assert b"load the page again" in answer.body


def check_kinds(links):
    """A form that makes links stays one, and one that changes one, too."""

    links.save("known", "http://known/")
    for token, status in ((links.new_token(), 303),
                          (links.token("known"), 200)):
        answer = links.form("/", {**GOOD, "short": "known", "long": "%zz",
                                  "xsrf": token}, HTML)
        form = Form(answer, "/")
        assert form.wrong() == {"long"}
        assert ("readonly" in form.inputs["short"]) == (status == 200)
        again = {**form.fields, "long": "http://better/"}
        assert links.form("/", again, HTML).status == status


def check_rename(links):
    links.save("one", "http://one/")
    links.save("two", "http://two/")
    token = links.token("one", action="/.rename/")
    for to, keep, status in (("two", True, 409), ("a b", False, 400),
                             ("", True, 400), ("n" * 201, True, 400)):
        sent = {"to": to, **({"keep": "yes"} if keep else {})}
        answer = links.form("/.rename/one", {**sent, "xsrf": token}, HTML)
        assert answer.status == status
        form = Form(answer, "/.rename/one")
        assert form.wrong() == {"to"}, (to, answer)
        assert "was not renamed" in "".join(form.texts)
        fresh = form.fields.pop("xsrf")
        assert form.fields == sent
    answer = links.form("/.rename/one", {"to": "three", "xsrf": fresh}, HTML)
    assert answer.status == 200
    assert links.get("/three").header("Location") == "http://one/"
    assert links.get("/one").status == 404
    answer = links.form("/.rename/two", {"to": "three"}, SCRIPT)
    assert (answer.status, answer.body) \
        == (409, b"there is a link of that name\n")


def check_nobody(links):
    """What a machine is told is about what it did."""

    links.save("who", "/{{.User}}")
    follows = b"which person follows it"
    answer = links.get("/who", HTML, who=MACHINE)
    assert answer.status == 401 and follows in answer.body
    answer = links.form("/", GOOD, HTML, who=MACHINE)
    assert answer.status == 401 and follows not in answer.body


@own_network(*ADDRESSES)
def test_forms(tmp_path):
    with Links(tmp_path, "tailnet") as links:
        for check in (check_fields, check_tokens, check_kinds, check_rename,
                      check_nobody):
            check(links)
