# Copyright (C) The Tailgate authors

"""The stand-in for Grafana answers as Grafana's source says it does."""

import email.message

import pytest

from appkit.grafana import (Grafana, Refused, networks, split_list,
                            unquote_printable)

ALL = ("Name:X-WEBAUTH-NAME Email:X-WEBAUTH-EMAIL Login:X-WEBAUTH-LOGIN "
       "Role:X-WEBAUTH-ROLE Groups:X-WEBAUTH-GROUPS")


def grafana(clock=lambda: 0, **settings):
    settings = {"enabled": "true", "headers": ALL, **settings}
    lines = [f"{key} = {value}" for key, value in settings.items()]
    return Grafana("[auth.proxy]\n" + "\n".join(lines), clock)


def login(server, peer="127.0.0.1", cookies=None, **values):
    headers = email.message.Message()
    for name, value in values.items():
        name = "Authorization" if name == "authorization" \
            else f"X-WEBAUTH-{name.upper()}"
        headers[name] = value.encode().decode("latin-1")
    return server.authenticate(headers, peer, cookies or {})


def user(server, **values):
    return login(server, **values)[0]


@pytest.mark.parametrize("text, items", [
    ("a,b", ["a", "b"]),
    ("a b", ["a", "b"]),
    ("Net Ops", ["Net", "Ops"]),
    ('"Net Ops","x"', ["Net Ops", "x"]),
    ('["Net Ops","x,y"]', ["Net Ops", "x,y"]),
    ('["Net Ops",', []),
    ("[1]", []),
    ("a|b", ["a|b"]),
    ("", []),
])
def test_lists_are_words_or_json(text, items):
    assert split_list(text) == items


@pytest.mark.parametrize("sent, read", [
    (b"Zo=C3=AB =C3=85ngstr=C3=B6m", "Zoë Ångström"),
    (b"Zo=c3=ab", "Zoë"),
    ("Zoë".encode(), "Zoë"),
    (b"a_b", "a_b"),
    (b"Zoe  ", "Zoe"),
    (b"k=", "k"),
    (b"k=41", "kA"),
    (b"k=3D41", "k=41"),
    (b"100=%", "100=%"),
    (b"=?utf-8?q?Zo=C3=AB?=", "=?utf-8?q?Zo=C3=AB?="),
])
def test_quoted_printable_is_read_as_go_reads_it(sent, read):
    assert unquote_printable(sent).decode() == read


def test_headers_are_decoded_only_when_the_setting_says_so():
    sent = {"user": "z@example.com", "name": "Zo=C3=AB"}
    assert user(grafana(), **sent)["name"] == "Zo=C3=AB"
    assert user(grafana(headers_encoded="true"), **sent)["name"] == "Zoë"


def test_keys_of_the_headers_setting_are_case_sensitive():
    server = grafana(headers="name:X-WEBAUTH-NAME Email:X-WEBAUTH-EMAIL")
    seen = user(server, user="a", name="Alice", email="a@example.com")
    assert (seen["name"], seen["email"]) == ("", "a@example.com")


def test_header_property_names_what_the_user_header_holds():
    seen = user(grafana(), user="alice@example.com")
    assert (seen["login"], seen["email"]) == ("alice@example.com",) * 2
    assert user(grafana(), user="alice")["email"] == ""
    seen = user(grafana(header_property="email"), user="alice")
    assert (seen["login"], seen["email"]) == ("alice", "alice")
    with pytest.raises(Refused) as fault:
        user(grafana(header_property="id"), user="alice")
    assert fault.value.status == 500


def test_no_user_header_is_not_a_proxied_login():
    for values in ({}, {"user": ""}, {"name": "Alice"}):
        with pytest.raises(Refused, match="Unauthorized"):
            login(grafana(), **values)


def test_whitelist_is_of_the_peer_and_gives_ipv6_a_mask_of_32():
    assert user(grafana(), peer="203.0.113.7", user="a")["login"] == "a"
    server = grafana(whitelist="127.0.0.1, 2001:db8::23")
    assert user(server, user="a")["login"] == "a"
    with pytest.raises(Refused, match="auth-proxy.invalid-ip"):
        login(server, peer="127.0.0.2", user="a")
    assert user(server, peer="2001:db8:ffff::1", user="a")["login"] == "a"
    assert [str(net) for net in networks("2001:db8::23/128")] == [
        "2001:db8::23/128"]


@pytest.mark.parametrize("role", ["None", "Viewer", "Editor", "Admin"])
def test_a_known_role_is_given_in_the_one_organisation(role):
    server = grafana()
    server.add_user("a", orgs={1: "Viewer", 2: "Admin"})
    assert user(server, user="a", role=role)["orgs"] == {1: role}


@pytest.mark.parametrize("role", ["editor", "GrafanaAdmin", "Viewer ", ""])
def test_an_unknown_role_is_ignored_and_never_demotes(role):
    server = grafana()
    assert user(server, user="new", role=role)["orgs"] == {1: "Viewer"}
    user(server, user="boss", role="Admin")
    assert user(server, user="boss", role=role)["orgs"] == {1: "Admin"}


def test_an_email_adopts_the_account_that_has_it():
    server = grafana()
    local = server.add_user("root", "root@example.com")
    seen = user(server, user="mallory", email="root@example.com")
    assert seen["id"] == local["id"] and seen["login"] == "mallory"


def test_lookup_is_by_auth_id_then_email_then_login():
    server = grafana()
    first = user(server, user="alice", email="a@example.com")
    server.add_user("bob", "b@example.com")
    again = user(server, user="alice", email="b@example.com")
    assert again["id"] == first["id"]
    by_login = server.add_user("carol")
    assert user(server, user="carol")["id"] == by_login["id"]


def test_a_changed_header_is_synchronised_at_once_an_edit_after_the_ttl():
    now = [0]
    server = grafana(clock=lambda: now[0], sync_ttl="15")
    seen = user(server, user="alice", role="Viewer", name="Alice")
    seen["name"] = "edited"
    assert user(server, user="alice", role="Viewer",
                name="Alice")["name"] == "edited"
    now[0] = 15 * 60
    assert user(server, user="alice", role="Viewer",
                name="Alice")["name"] == "Alice"
    assert user(server, user="alice", role="Admin",
                name="Alice")["orgs"] == {1: "Admin"}


def test_the_cache_key_has_no_separators_and_one_entry_a_user():
    server = grafana(headers="Name:X-WEBAUTH-NAME Email:X-WEBAUTH-EMAIL")
    user(server, user="a", name="bc")
    assert user(server, user="a", name="b", email="c")["name"] == "bc"
    user(server, user="a", name="other")
    assert user(server, user="a", name="bc")["name"] == "bc"
    assert len(server.cache) == 1


def test_a_ttl_of_zero_synchronises_always():
    server = grafana(sync_ttl="0")
    user(server, user="a", name="A")["name"] = "edited"
    assert user(server, user="a", name="A")["name"] == "A"


def test_unknown_users_are_refused_without_sign_up():
    with pytest.raises(Refused, match="Sign up is disabled"):
        login(grafana(auto_sign_up="false"), user="a")


def test_clients_are_asked_in_grafanas_order():
    server = grafana()
    server.api_keys["key"] = server.add_user("robot")
    server.sessions["s"] = server.add_user("cookie")
    cookies = {"grafana_session": "s"}
    assert login(server, user="a", authorization="Bearer key",
                 cookies=cookies)[1] == "api_key"
    assert login(server, user="a", authorization="Basic YWRtaW46YWRtaW4=",
                 cookies=cookies)[1] == "basic"
    assert login(server, user="a", cookies=cookies)[1] == "auth_proxy"
    assert login(server, cookies=cookies)[1] == "session"
    with pytest.raises(Refused, match="Invalid username"):
        login(server, user="a", authorization="Basic YWRtaW46bm8=")


def test_a_login_token_is_left_only_if_asked_for():
    server = grafana()
    alice, client = login(server, user="alice")
    assert server.token_for(alice, client, {}) is None
    server = grafana(enable_login_token="true")
    alice, client = login(server, user="alice")
    token = server.token_for(alice, client, {})
    assert login(server, cookies={"grafana_session": token}) == (
        alice, "session")
    assert server.token_for(alice, client,
                            {"grafana_session": token}) is None
