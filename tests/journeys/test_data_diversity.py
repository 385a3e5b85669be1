"""From the command line: who is in the data, what would be made up, and what is refused."""

import json
import shutil

from whole_way import REPOSITORY, Home


def settings(home: Home, **more: object) -> None:
    path = home.root / "credit" / "sealwright.yaml"
    lines = [f"  {name}: {json.dumps(value)}\n" for name, value in more.items()]
    text = (REPOSITORY / "examples" / "german-credit" / "sealwright.yaml").read_text()
    path.write_text(text.replace("  columns:\n", "".join(lines) + "  columns:\n", 1))


def test_diversity_and_augment_from_the_command_line(empty_home: Home) -> None:
    home = empty_home
    shutil.copytree(REPOSITORY / "examples" / "german-credit", home.root / "credit", dirs_exist_ok=True)
    reference = {"source": "A register", "date": "2024", "shares": {"sex": {"female": 0.51, "male": 0.49}}}
    diversity = {"attributes": ["sex", {"age": [26]}], "reference": reference}
    settings(home, diversity=diversity)
    said = home.inside("data", "diversity", "credit", "--json", expect=2)
    assert said.error["error"] == "not_found"
    home.inside("ingest", "credit")
    found = home.inside("data", "diversity", "credit", "--json").json
    (women,) = [group for group in found["margins"][0]["groups"] if group["group"] == ["female"]]
    assert (women["rows"], women["state"], women["to_limit"], women["to_reference"]) == (310, "under", 166, 409)
    assert "166 female" in home.inside("data", "diversity", "credit", "--all").out
    assert home.inside("data", "diversity", "credit", "--strict", expect=3).err == ""
    assert "says nothing about made-up rows" in home.inside("data", "augment", "credit", "--dry-run", expect=2).err
    groups = [{"where": {"sex": "female"}, "to": "limit"}]
    settings(home, diversity=diversity, augment={"method": "synthesiser", "folds": 2, "groups": groups})
    made = home.inside("data", "augment", "credit", "--dry-run", "--json").json
    assert made["too_close"] == []
    assert made["groups"][0]["made"] == made["rows"] > 0
    assert "This verb only looks" in home.inside("data", "augment", "credit", expect=2).err
    settings(home, diversity=diversity, augment={"method": "smote", "folds": 2, "groups": groups})
    refused = home.inside("data", "augment", "credit", "--dry-run", expect=3)
    assert "Too close to real persons" in refused.out
    settings(home, diversity={"attributes": ["sxe"]})
    assert "Did you mean 'sex'?" in home.inside("data", "diversity", "credit", expect=2).err
