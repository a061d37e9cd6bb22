# Copyright (C) The Tailgate authors

import pytest

from authd import Authd, LocalAPI


@pytest.fixture
def localapi(tmp_path):
    with LocalAPI(str(tmp_path / "localapi.sock")) as server:
        yield server


@pytest.fixture
def authd(tmp_path, localapi):
    with Authd(tmp_path, localapi.path) as daemon:
        yield daemon
