# Copyright (C) The Tailgate authors

"""Compares two JSON documents, field by field."""

import fnmatch


class Exceptions:
    """Where a document may differ from a real one, and why.

    A path is written as "Node.Addresses[1]"; a pattern of it may hold "*".

    values: the value is another, of the same type.
    absent: the field is in one of the two only.

    What no pattern covers has to be equal. An exception of a field that was
    never needed is a fault of the list; a value may be the same by chance.
    """

    def __init__(self, values=None, absent=None):
        self.values = values or {}
        self.absent = absent or {}
        self.used = set()

    def value(self, path):
        return self.match(self.values, path)

    def field(self, path):
        return self.match(self.absent, path)

    def match(self, patterns, path):
        for pattern in patterns:
            # brackets are ours, not fnmatch's
            if fnmatch.fnmatchcase(path, pattern.replace("[", "[[]")):
                self.used.add(pattern)
                return True

        return False

    def unused(self):
        return sorted(set(self.absent) - self.used)


def differences(real, ours, exceptions, path=""):
    """Lines that say where ours is not as real is."""

    if type(real) is not type(ours):
        return [f"{path}: {type(real).__name__} {real!r}, "
                f"ours {type(ours).__name__} {ours!r}"]

    if isinstance(real, dict):
        return in_objects(real, ours, exceptions, path)

    if isinstance(real, list):
        return in_lists(real, ours, exceptions, path)

    if real == ours or exceptions.value(path):
        return []

    return [f"{path}: {real!r}, ours {ours!r}"]


def in_lists(real, ours, exceptions, path):
    found = []

    for i, (one, other) in enumerate(zip(real, ours)):
        found += differences(one, other, exceptions, f"{path}[{i}]")

    if len(real) != len(ours) and not exceptions.value(path):
        found.append(f"{path}: {len(real)} items, ours {len(ours)}")

    return found


def in_objects(real, ours, exceptions, path):
    found = []

    for key in list(real) + [key for key in ours if key not in real]:
        inner = f"{path}.{key}" if path else key

        if key in real and key in ours:
            found += differences(real[key], ours[key], exceptions, inner)
        elif not exceptions.field(inner):
            which = "ours lacks it" if key in real else "only ours has it"
            value = real.get(key, ours.get(key))
            found.append(f"{inner}: {which} ({value!r})")

    order = [key for key in real if key in ours]

    if order != [key for key in ours if key in real]:
        found.append(f"{path or 'document'}: the order of fields is {order}")

    return found
