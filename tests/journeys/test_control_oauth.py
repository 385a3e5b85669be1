"""Both servers at work: a stock OAuth client gets its token from the control server and asks the prediction server."""

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

from whole_way import PROJECT, ROW, Client, Home


@pytest.fixture
def servers(home: Home) -> Iterator[tuple[Home, dict[str, Any], dict[str, Any]]]:
    home.variables["PYTHONPATH"] = os.pathsep.join(sys.path)
    with home.serving(PROJECT) as predict:
        process = home.start("control", "--port", 0, "--json")
        try:
            text = ""
            assert process.stdout is not None
            for line in process.stdout:
                text += line
                if line == "}\n":
                    break
            yield home, json.loads(text), predict.facts
        finally:
            process.terminate()
            process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_token_of_the_control_server_asks_the_model_until_it_is_taken_back(servers: Any) -> None:
    home, control, predict = servers
    made = home.inside("client", "add", "billing", "--project", PROJECT, "--owner", "bob", "--json").json
    session = OAuth2Session(client=BackendApplicationClient("billing"))
    session.verify, session.trust_env = control["ca"], False
    token = session.fetch_token(f"{control['url']}oauth/token", client_id="billing", client_secret=made["secret"])
    row, raw = (home.root / ROW).read_bytes(), token["access_token"]
    assert Client(predict, raw).ask(row).status_code == 200
    assert session.get(f"{control['url']}api/v1/me").status_code == 401  # for the model, not for the console
    home.inside("client", "remove", "billing", "--reason", "No longer needed")
    end = time.monotonic() + 2.0
    while Client(predict, raw).ask(row).status_code != 401:
        assert time.monotonic() < end
        time.sleep(0.05)
