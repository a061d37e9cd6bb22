# Copyright (C) The Tailgate authors

import importlib.util
import os
import sys

import pytest

from tailgate_test import ROOT

# the daemon, as its own tests start it
sys.path.append(os.path.join(ROOT, "t", "authd"))


# ... and the PostgreSQL server of the store's
spec = importlib.util.spec_from_file_location(
    "store_conftest", os.path.join(ROOT, "t", "store", "conftest.py"))
store_conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(store_conftest)

cluster = store_conftest.cluster
database = store_conftest.database


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    """The store's URL, None for the usual one."""

    if request.param == "sqlite":
        return None
    return request.getfixturevalue("database")[1]
