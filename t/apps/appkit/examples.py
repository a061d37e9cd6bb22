# Copyright (C) The Tailgate authors

"""The files of examples/NAME, as printed but for addresses and paths."""

import pathlib

FOLDER = pathlib.Path(__file__).parents[3] / "examples"


def printed(name, file, replace):
    """The text of a file; each of REPLACE must be in it."""
    text = (FOLDER / name / file).read_text()
    for old, new in replace.items():
        if old not in text:
            raise ValueError(f"examples/{name}/{file} has no {old!r}")
        text = text.replace(old, str(new))
    return text
