# Copyright (C) The Tailgate authors

"""The JSON Schema for editors says what the compiler says, as far as
structure goes; and the policy that is installed."""

import glob
import json
import os
import re
import subprocess

import jsonschema
import pytest
import yaml
from tailgate_test import BUILD, ROOT, is_sanitized

TAILGATE = os.path.join(BUILD, "tailgate")
POLICY = os.path.join(ROOT, "conf", "policy.yaml")

with open(os.path.join(ROOT, "conf", "policy.schema.json"),
          encoding="utf-8") as schema_file:
    SCHEMA = json.load(schema_file)

DEFS = SCHEMA["$defs"]
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# where the schema has the keys of what the reader calls so
PLACES = {
    "a policy": SCHEMA,
    '"always"': SCHEMA["properties"]["always"],
    '"grants"': SCHEMA["properties"]["grants"],
    "a capability": DEFS["role"],
    "a route": DEFS["route"],
    "a header": DEFS["header"],
    "a rule": DEFS["rule"],
    "a comparison": DEFS["comparison"]["anyOf"][1],
    "a test": DEFS["test"],
}


class Loader(yaml.SafeLoader):
    """As editors read YAML: a time is a text, yes and no are texts."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers
            if tag not in ("tag:yaml.org,2002:timestamp",
                           "tag:yaml.org,2002:bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool",
                             re.compile("true|false"), list("tf"))


def load(text):
    return yaml.load(text, Loader)


def accepts(text):
    return VALIDATOR.is_valid(load(text) or {})


def cases():
    with open(os.path.join(ROOT, "t", "cases", "policy-errors.yaml"),
              encoding="utf-8") as file:
        return [case for case in yaml.safe_load(file)["cases"]
                if "schema" in case]


def table_policies():
    """Every policy of the table of decisions: they are all valid."""

    for path in sorted(glob.glob(os.path.join(ROOT, "t/policy/*.yaml"))):
        with open(path, encoding="utf-8") as file:
            root = load(file)

        policies = root.get("policies", {})
        if isinstance(policies, dict):
            policies = policies.items()

        for name, policy in policies:
            yield pytest.param(policy, id=f"{os.path.basename(path)}-{name}")


def page_policies():
    for path in ("docs/policy.md", "docs/policy-errors.md", "README.md"):
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            found = re.findall(r"^```yaml policy\n(.*?)^```", file.read(),
                               re.M | re.S)

        for n, text in enumerate(found):
            yield pytest.param(text, id=f"{path}-{n}")


def uncommented():
    """The installed policy with all that it offers."""

    with open(POLICY, encoding="utf-8") as file:
        return re.sub(r"^#(?! \S|\n)", "", file.read(), flags=re.M)


@pytest.fixture(scope="module", name="keys")
def read_keys(tmp_path_factory):
    program = str(tmp_path_factory.mktemp("keys") / "keys")
    flags = ["-fsanitize=address,undefined"] if is_sanitized() else []
    subprocess.run(
        [os.environ.get("CC", "cc"), "-std=c11", *flags, "-I" + ROOT,
         "-I" + os.path.join(ROOT, "include"), "-o", program,
         os.path.join(ROOT, "t/policy/keys.c"),
         os.path.join(BUILD, "libtailgate.a"), "-ljansson", "-lyaml",
         "-lcrypto", "-lm"], check=True)
    output = subprocess.run([program], check=True, capture_output=True,
                            text=True).stdout

    keys = {}
    for line in output.splitlines():
        what, name, other, required = line.split("\t")
        keys.setdefault(what, []).append((name, other, required == "1"))

    return keys


def test_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_same_keys(keys):
    assert set(keys) == set(PLACES)

    for what, place in PLACES.items():
        names = {name for name, _, _ in keys[what]}
        names |= {other for _, other, _ in keys[what] if other}

        assert set(place["properties"]) == names, what
        assert place["additionalProperties"] is False, what
        assert set(place.get("required", [])) == {
            name for name, _, required in keys[what] if required}, what


def test_man_page(keys):
    """tailgate-policy(5) has each key, in one of its spellings."""

    with open(os.path.join(ROOT, "docs/man/tailgate-policy.5"),
              encoding="utf-8") as file:
        words = set(re.findall(r"\w+", "\n".join(
            re.findall(r"^\.I[ct] .*", file.read(), re.M))))

    for what, names in keys.items():
        for name, other, _ in names:
            assert words & {name, other}, f"{what}: {name}"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])
def test_refused(case):
    assert case["schema"] == "refused"
    assert not accepts(case["policy"])


@pytest.mark.parametrize("text", page_policies())
def test_pages(text):
    """An excerpt is a member of a policy, a version makes it one."""

    policy = load(text)
    if "headers" in policy:
        policy = {"routes": [policy]}

    VALIDATOR.validate({"version": 1, **policy})


@pytest.mark.parametrize("policy", table_policies())
def test_table(policy):
    if isinstance(policy, str):
        policy = load(re.sub(r"@now[-+0-9smhd]*@", "2027-01-31T18:00:00Z",
                             policy))

    VALIDATOR.validate(policy)


def test_from_words(tmp_path):
    """The schema's attributes of a peer are the compiler's."""

    path = tmp_path / "policy.yaml"

    for word in DEFS["test"]["properties"]["from"]["propertyNames"]["enum"]:
        value = {"tag": "tag:ci", "key_expires_in": "7d", "shared": "yes",
                 "routed": "yes", "expired": "yes", "unauthorized": "yes",
                 "unsigned": "yes"}.get(word, "1")
        path.write_text("version: 1\ntests: [{ as: tag:ci, from: "
                        f"{{ {word}: {value} }}, request: https://a/, "
                        "expect: deny }]\n")
        result = subprocess.run([TAILGATE, "policy", "check", str(path)],
                                capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("text", [None, uncommented()],
                         ids=["as it is", "with all of it"])
def test_installed(tmp_path, text):
    path = tmp_path / "policy.yaml"

    if text is None:
        with open(POLICY, encoding="utf-8") as file:
            text = file.read()

    path.write_text(text)
    VALIDATOR.validate(load(text))

    for command in ("check", "test"):
        result = subprocess.run([TAILGATE, "policy", command, str(path)],
                                capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "warning:" not in result.stdout + result.stderr
