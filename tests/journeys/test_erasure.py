"""A person who was trained on and decided about asks to be erased, through the doors, beside a running server."""

import json

import pytest

from whole_way import PROJECT, ROW, Home

CARA = ("--as", "cara", "--person-key", "cara.key")  # the compliance officer

pytestmark = pytest.mark.slow

PERSON = "A0007"


def test_t56_rows_key_decisions_and_the_question_of_the_model(home: Home) -> None:
    body = (home.root / ROW).read_bytes()
    with home.serving(PROJECT) as client:
        url = f"/v1/models/{client.facts['model']}/predict"
        about = client.http.post(url, content=body, headers={"Sealwright-Person": PERSON})
        other = client.http.post(url, content=body, headers={"Sealwright-Person": "A0008"})
        assert (about.status_code, other.status_code) == (200, 200)
        copy = home.inside("data", "subject", PERSON, "access", "--project", PROJECT, *CARA, "--json").json["copy"]
        assert [one["decision"] for one in copy["decisions"]] == [about.json()["answer"]["decision"]]
        assert json.loads(copy["decisions"][0]["request"]) == json.loads(body)
        done = home.inside("data", "subject", PERSON, "erase", "--project", PROJECT, *CARA, "--json").json
        assert done["erased"]["decisions"] == 1
        assert client.http.post(url, content=body).status_code == 200, "the server goes on"
        client.http.close()
    assert done["erased"]["key_destroyed"]
    assert [one["rows"] for one in done["erased"]["rewritten"]] == [1]
    (question,) = done["models_to_decide"]
    assert (question["version"], question["choice"]) == (1, "")
    assert home.inside("data", "models", "--strict", "--json", expect=3).json["undecided"] == 1
    reason = "One of 1,000 rows; the next version is trained without it."
    home.inside("data", "decide", question["id"], "retrain", "--reason", reason, *CARA)
    home.inside("data", "models", "--strict")
    home.inside("data", "decide", question["id"], "keep", "--reason", reason, *CARA, expect=2)

    (home.root / "answer.json").write_bytes(about.content)
    (home.root / "request.json").write_bytes(body)
    verified = home.inside("verify", "answer.json", "--request", "request.json")
    assert "Proven" in verified.out or "checked" in verified.out.lower(), (
        "the receipt of an erased decision still holds"
    )
    (ledger,) = {path.parent for path in (home.workspace / "serving").rglob("entries.log")}
    home.inside("verify", ledger)
    home.inside("verify", home.workspace / "ledger")
    after = home.inside("data", "subject", PERSON, "access", "--project", PROJECT, *CARA, "--json").json["copy"]
    assert (after["held"], after["decisions"]) == ([], [])
    assert after["left_out_as"] == ["erased"]
    left = home.inside("data", "subject", "A0008", "access", "--project", PROJECT, *CARA, "--json").json["copy"]
    assert len(left["decisions"]) == 1
    assert len(left["held"][0]["rows"]) == 1


def test_after_an_erasure_the_project_goes_on_without_the_person(home: Home) -> None:
    home.inside("data", "subject", PERSON, "erase", *CARA)
    trained = home.do("train", "credit", "--json").json
    assert trained["again"] is False
    assert trained["rows"] == 749
    ingested = home.inside("ingest", "credit", "--json").json
    assert (ingested["rows"], ingested["again"]) == (999, True)


def test_the_signal_of_a_browser_opts_the_person_out_at_the_next_ingest(home: Home) -> None:
    body, held = (home.root / ROW).read_bytes(), home.inside("ingest", "credit", "--json").json["rows"]
    with home.serving(PROJECT) as client:
        url = f"/v1/models/{client.facts['model']}/predict"
        for person, signal in ((PERSON, "1"), (PERSON, "1"), ("A0008", "0")):
            client.http.post(url, content=body, headers={"Sealwright-Person": person, "Sec-GPC": signal})
        client.http.post(url, content=body, headers={"Sec-GPC": "1"})  # about nobody
        after = home.inside("ingest", "credit", "--json").json
        assert after["rows"] == held - 1
        (request,) = home.inside("data", "requests", "--all", "--json").json["requests"]
        assert (request["kind"], request["law"], request["state"]) == ("opt_out", "ccpa", "answered")
        client.http.close()
    said = home.inside("data", "subject", PERSON, "access", *CARA, "--json").json["copy"]
    assert said["left_out_as"] == ["opt_out"]
    assert home.inside("ingest", "credit", "--json").json == {**after, "again": True}
    assert len(home.inside("data", "requests", "--all", "--json").json["requests"]) == 2, (
        "theirs to see, none for a signal"
    )
