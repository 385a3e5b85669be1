"""The check over what we depend on goes red for a known fault and for a list that is too old."""

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from sealwright.trust import Advisories, Advisory

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_supply", ROOT / "tools" / "check_supply.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "LOCKS", tmp_path)
    (tmp_path / "some.lock").write_text(
        "honest==1.2 \\\n    --hash=sha256:00\nother[extra]==3.4 ; python_version < '3.12' \\\n    --hash=sha256:00\n"
    )
    return module


def listed(taken: datetime, fixed: str) -> Advisories:
    advisory = Advisory(id="PYSEC-1", package="other", ranges=((("introduced", "0"), ("fixed", fixed)),))
    return Advisories(taken=taken, source="test", advisories=(advisory,))


def test_a_locked_version_with_a_known_fault_is_told(tool: ModuleType) -> None:
    assert tool.known_faults(listed(NOW, "3.5"), NOW) == ["other 3.4 is affected by PYSEC-1"]
    assert tool.known_faults(listed(NOW, "3.4"), NOW) == []


def test_a_stale_list_goes_red_unless_a_waiver_with_a_reason_still_runs(tool: ModuleType, tmp_path: Path) -> None:
    stale = listed(NOW - timedelta(days=60), "3.4")
    waiver = tmp_path / "advisories.waiver.json"
    assert "60 days away" in tool.known_faults(stale, NOW)[0]
    waiver.write_text('{"until": "2026-12-01T00:00:00.000Z", "reason": "no feed here"}')
    assert tool.known_faults(stale, NOW) == []
    assert tool.known_faults(stale, NOW + timedelta(days=30)) != []
    waiver.write_text('{"until": "2026-12-01T00:00:00.000Z", "reason": " "}')
    assert tool.known_faults(stale, NOW) != []


def test_our_own_list_finds_the_versions_it_is_about() -> None:
    from sealwright.trust import Installed, read_advisories

    ours = read_advisories(ROOT / "locks" / "advisories.json")
    old = [
        Installed(name="starlette", version="0.24.0"),
        Installed(name="setuptools", version="65.5.0"),
        Installed(name="authlib", version="1.3.0"),
    ]
    assert {fault.package for fault in ours.faults_in(old)} == {"starlette", "setuptools", "authlib"}
