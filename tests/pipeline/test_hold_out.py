"""What a model learned from is never called a hold-out: rows are dealt once, for training, and not anew when it is judged."""

import os
import shutil
from pathlib import Path

import pytest

from whole_way import Home, quick, write_table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a trained model about persons that nobody judged yet."""
    root = tmp_path_factory.mktemp("dealt") / "home"
    root.mkdir(mode=0o700)
    home = Home(root)
    home.inside("workspace", "create", "--name", "Example")
    home.inside("init", "fits", "--data", write_table(root / "fits.csv"), "--target", "fits")
    quick(root / "fits", recipe="logistic")
    home.inside("ingest", "fits")
    home.inside("train", "fits")
    return root


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Home:
    shutil.copytree(trained, tmp_path / "home")
    here = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    return Home(tmp_path / "home", here)


def _edit(home: Home, old: str, new: str) -> None:
    path = home.root / "fits" / "sealwright.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [("seed: 20260101", "seed: 1"), ("target: fits", "target: fits\n  test_share: 0.3")],
)
def test_an_edit_that_deals_rows_anew_is_refused_until_it_is_trained_again(home: Home, old: str, new: str) -> None:
    _edit(home, old, new)
    refused = home.inside("assess", "fits", expect=2)
    assert "rows it learned from would be called a hold-out" in refused.err
    assert "sealwright train" in refused.err
    _edit(home, new, old)
    home.inside("assess", "fits")
    _edit(home, old, new)
    home.inside("train", "fits")
    home.inside("assess", "fits")
