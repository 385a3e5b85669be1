"""Asking for less after the results are known: it is seen, and takes the signature of a compliance officer."""

import shutil
from pathlib import Path

import pytest

from whole_way import PROJECT, Home

_STRICT = (
    "  overrides:\n    - {check: performance.roc_auc, at_least: 0.9, why: Agreed with the business before the pilot.}\n"
)


def policy(home: Home, text: str) -> None:
    """Write the policy section of the project anew."""
    path = home.root / "credit" / "sealwright.yaml"
    before, _, rest = path.read_text(encoding="utf-8").partition("policy:\n")
    serving = rest[rest.index("serving:") :]
    path.write_text(f"{before}policy:\n{text}\n{serving}", encoding="utf-8")


def approve(home: Home, name: str, role: str, *more: str, expect: int = 0) -> str:
    done = home.inside(
        "approve", "credit", "--as", name, "--role", role, "--reason", "I looked at the change.",
        "--person-key", f"{name}.key", *more, expect=expect,
    )  # fmt: skip
    return done.out + done.err


def blocking(home: Home) -> dict[str, str]:
    """What stands in the way, and what was found."""
    decision = home.inside("gate", "credit", "--json", expect=None).json
    opens = {"pass", "attested", "not_applicable"}
    return {one["check"]: one["found"] for one in decision["results"] if one["outcome"] not in opens}


def _copy(of: Path, to: Path) -> Home:
    shutil.copytree(of, to, symlinks=True)
    return Home(to)


@pytest.fixture(scope="module")
def judged_strictly(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sealed model judged anew under a promise it does not keep: to copy, not to change."""
    home = _copy(sealed, tmp_path_factory.mktemp("strict") / "home")
    policy(home, _STRICT)
    home.inside("run", "credit", expect=3)
    assert "performance.roc_auc" in blocking(home)
    return home.root


@pytest.fixture(scope="module")
def asked_for_less(judged_strictly: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after the promise was taken back: to copy, not to change."""
    home = _copy(judged_strictly, tmp_path_factory.mktemp("less") / "home")
    policy(home, "  {}\n")
    run = home.inside("run", "credit", expect=3)
    assert "approval.policy_change" in run.out
    assert "--policy-change" in run.out
    return home.root


@pytest.fixture
def strict(judged_strictly: Path, tmp_path: Path) -> Home:
    return _copy(judged_strictly, tmp_path / "home")


@pytest.fixture
def loosened(asked_for_less: Path, tmp_path: Path) -> Home:
    return _copy(asked_for_less, tmp_path / "home")


def test_a_stricter_promise_needs_nobodys_leave(strict: Home) -> None:
    assert "approval.policy_change" not in blocking(strict)


def test_a_loosened_threshold_is_seen_and_waits_for_the_compliance_officer(loosened: Home) -> None:
    decision = loosened.inside("gate", "credit", "--json", expect=3).json
    (change,) = decision["loosened"]
    assert change["what"] == "performance.roc_auc"
    assert "0.9" in change["before"]
    assert "0.65" in change["after"]
    approve(loosened, "bob", "business_owner")
    approve(loosened, "cara", "compliance_officer")
    assert set(blocking(loosened)) == {"approval.policy_change"}
    refused = approve(loosened, "bob", "business_owner", "--policy-change", expect=3)
    assert "takes the role compliance_officer" in refused
    assert blocking(loosened)["approval.policy_change"].startswith("0 of 1")
    approve(loosened, "cara", "compliance_officer", "--policy-change")
    assert blocking(loosened) == {}
    sealed = loosened.inside("seal", "credit", "--json").json
    found = loosened.inside("verify", f"ws/packages/{sealed['package'].removeprefix('sha256:')}", "--json").json
    assert any("less than before the results" in line and "performance.roc_auc" in line for line in found["remarks"])
    loosened.inside("export", PROJECT, sealed["version"], "--to", "out2")
    bundle = loosened.inside("verify", f"out2/{PROJECT}-v{sealed['version']}.evidence.json", "--json").json
    assert any("performance.roc_auc" in line for line in bundle["remarks"])


def test_a_loosened_attack_budget_is_seen_and_waits_for_the_compliance_officer(home: Home) -> None:
    """No threshold is touched; the next model is only attacked more gently."""
    path = home.root / "credit" / "sealwright.yaml"
    text = path.read_text(encoding="utf-8")
    assert "assurance:\n" in text
    path.write_text(text.replace("assurance:\n", "assurance:\n  attacks: {budgets: [0.01], reported_budget: 0.01}\n"))
    run = home.inside("run", "credit", expect=3)
    assert "assurance.attacks.reported_budget: 1 -> 0.01" in run.out
    approve(home, "bob", "business_owner")
    approve(home, "cara", "compliance_officer")
    assert set(blocking(home)) == {"approval.policy_change"}
    approve(home, "cara", "compliance_officer", "--policy-change")
    assert blocking(home) == {}


def test_the_trainer_cannot_sign_for_the_change(loosened: Home) -> None:
    assert "whoever trained the model" in approve(loosened, "ada", "business_owner", "--policy-change", expect=3)


def test_an_approval_from_before_the_change_does_not_count_after_it(strict: Home) -> None:
    approve(strict, "bob", "business_owner")
    approve(strict, "cara", "compliance_officer")
    policy(strict, "  {}\n")
    strict.inside("run", "credit", expect=3)
    assert blocking(strict)["approval.release"].startswith("0 of 2")


def test_asking_for_less_than_the_risk_class_is_shown_from_the_start(home: Home) -> None:
    policy(
        home,
        "  overrides:\n    - {check: performance.calibration_error, at_most: 0.2, why: Only the order of applications is used.}\n",
    )
    home.inside("run", "credit", expect=3)
    decision = home.inside("gate", "credit", "--json", expect=3).json
    assert [one["what"] for one in decision["below_class"]] == ["performance.calibration_error"]
    assert decision["below_class"][0]["why"] == "Only the order of applications is used."
    assert "approval.policy_change" in blocking(home)


def test_a_lower_risk_class_after_the_results_is_a_loosening(home: Home) -> None:
    path = home.root / "credit" / "sealwright.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("risk_class: high", "risk_class: minimal"))
    run = home.inside("run", "credit", expect=3)
    assert "approval.policy_change" in run.out


def test_with_nothing_to_sign_for_a_policy_change_is_refused(home: Home) -> None:
    assert "no change" in approve(home, "cara", "compliance_officer", "--policy-change", expect=2)


def test_a_reason_is_required_to_ask_for_less(home: Home) -> None:
    policy(home, "  overrides:\n    - {check: performance.calibration_error, at_most: 0.2}\n")
    refused = home.inside("gate", "credit", expect=2)
    assert "why" in refused.err
    assert "line" in refused.err
    assert "sealwright.yaml" in refused.err
