"""What was made from what, both ways, told from statements; and the card others read."""

import itertools
import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sealwright.kernel import NotFound
from whole_way import PROJECT, Home

pytestmark = pytest.mark.slow


def test_the_whole_line_of_a_sealed_model_is_told_both_ways(home: Home) -> None:
    found = home.inside("data", "lineage", PROJECT, "--format", "json").json
    kinds = [node["kind"] for node in found["nodes"]]
    assert kinds == ["source", "snapshot", "model", "version", "decisions"]
    names = [node["id"] for node in found["nodes"]]
    assert [(edge["of"], edge["to"]) for edge in found["edges"]] == list(itertools.pairwise(names))
    assert all(node["statement"].startswith("sha256:") for node in found["nodes"] if node["kind"] != "decisions")
    assert found["nodes"][-1]["count"] == 2
    version = names[3].removeprefix("sha256:")[:12]
    around = home.inside("data", "lineage", PROJECT, "--of", version, "--format", "json").json
    assert len(around["nodes"]) == 5


def test_as_text_and_as_a_picture(home: Home, tmp_path: Path) -> None:
    said = home.inside("data", "lineage", PROJECT).out
    assert "source" in said.splitlines()[0]
    assert "served: decisions" in said
    home.inside("data", "lineage", PROJECT, "--to", tmp_path / "lineage.svg")
    root = ET.fromstring((tmp_path / "lineage.svg").read_text())
    assert root.tag.endswith("svg")
    assert len(root.findall(".//{*}path")) == 4
    assert "<script" not in (tmp_path / "lineage.svg").read_text()


def test_a_changed_statement_is_not_told_as_history(home: Home) -> None:
    import sqlite3

    with sqlite3.connect(home.workspace / "db.sqlite") as db:
        db.execute(
            "UPDATE statements SET envelope = replace(envelope, 'A', 'B') WHERE predicate_type LIKE '%snapshot%'"
        )
    refused = home.inside("data", "lineage", PROJECT, expect=4)
    assert refused.out == "", "no history is told"
    assert "statement" in refused.err


def test_the_card_names_files_digests_columns_and_what_is_sensitive(home: Home, tmp_path: Path) -> None:
    home.inside("data", "card", PROJECT, "--to", tmp_path / "card.json")
    card = json.loads((tmp_path / "card.json").read_text())
    (snapshot,) = (home.workspace / "snapshots").iterdir()
    (file,) = card["distribution"]
    assert (snapshot / file["contentUrl"]).stat().st_size == int(file["contentSize"].split()[0])
    assert "sex (special)" in card["rai:personalSensitiveInformation"]
    assert card["rai:dataCollection"].startswith("Loan applications")
    assert {field["name"] for field in card["recordSet"][0]["field"]} >= {"sex", "age", "outcome"}
    sealed = next(field for field in card["recordSet"][0]["field"] if field["name"] == "sex")
    assert sealed["source"]["extract"]["column"] == "s-special"
    assert "license" not in card, "nobody stated one"


STANDARDS = ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]
_CHECK = """
import json, sys
import mlcroissant
metadata = mlcroissant.Dataset(jsonld=sys.argv[1]).metadata
print(json.dumps({"errors": sorted(metadata.ctx.issues.errors), "conforms_to": metadata.conforms_to}))
"""


@pytest.mark.parametrize("broken", [False, True])
def test_the_card_is_croissant_to_those_who_defined_it(
    home: Home, tmp_path: Path, oracles: Path, *, broken: bool
) -> None:
    path = tmp_path / "card.json"
    home.inside("data", "card", PROJECT, "--to", path)
    if broken:
        card = json.loads(path.read_text())
        card["distribution"][0].pop("sha256")
        path.write_text(json.dumps(card))
    done = subprocess.run([oracles, "-c", _CHECK, path], capture_output=True, text=True, timeout=240, check=False)
    if broken:
        assert "sha256" in done.stdout + done.stderr
        return
    assert json.loads(done.stdout.splitlines()[-1]) == {"errors": [], "conforms_to": STANDARDS}, done.stderr
    assert "not standard" not in done.stderr


def test_a_project_without_data_says_what_to_do(home: Home) -> None:
    assert home.inside("data", "lineage", "nothing-here", expect=2).err.count("sealwright run")


def test_a_picture_of_hostile_names_is_still_a_picture() -> None:
    from sealwright.oversight import lineage_svg

    nodes = [
        {"id": "a", "kind": "source", "label": '<script>alert(1)</script>"'},
        {"id": "b", "kind": "odd", "label": "x"},
    ]
    text = lineage_svg(
        nodes, [{"of": "a", "to": "b", "how": "<b>&"}, {"of": "b", "to": "a", "how": "loop"}], title="<&>"
    )
    ET.fromstring(text)
    assert "<script" not in text
    with pytest.raises(NotFound, match="0 things"):
        from sealwright.pipeline.lineage import Lineage

        Lineage(project="p", nodes={}, edges=()).around("abc")
