"""A receipt with a promise, and the proof that the server gives a moment later: `sealwright verify RECEIPT --proof FILE`."""

import json
from pathlib import Path

import pytest
from auditor_bench import Bench, Evidence, flips

from sealwright.doors.cli import main
from sealwright.kernel import InvalidInput, VerificationFailed, system_clock
from sealwright.pipeline import Verified, verify_path


def _verify(evidence: Evidence, what: Path, **more: bytes) -> Verified:
    return verify_path(what, evidence.trust_root, now=system_clock(), **more)


@pytest.fixture
def proof(evidence: Evidence) -> bytes:
    text: str = json.loads(evidence.receipt)["proof"]
    return text.encode()


def test_a_promise_holds_with_the_proof_as_text_or_as_the_server_tells_it(
    bench: Bench, evidence: Evidence, proof: bytes
) -> None:
    receipt = bench.put(evidence.promised)
    assert " of log" not in str(_verify(evidence, receipt).facts["entry"])
    for told in (proof, json.dumps({"proof": proof.decode()}).encode()):
        found = _verify(evidence, receipt, proof=told)
        assert any("under that checkpoint" in line for line in found.checked)


def test_a_changed_byte_of_the_proof_is_refused(bench: Bench, evidence: Evidence, proof: bytes) -> None:
    receipt = bench.put(evidence.promised)
    for changed in flips(proof, 60, "proof"):
        with pytest.raises((VerificationFailed, InvalidInput)):
            _verify(evidence, receipt, proof=changed)


@pytest.mark.parametrize("told", [b"", b"{", b"{}", b'{"proof": 7}', b"no proof", b"\xff\xfe", b'{"proof": "\\ud800"}'])
def test_what_is_no_proof_is_refused(bench: Bench, evidence: Evidence, told: bytes) -> None:
    with pytest.raises((VerificationFailed, InvalidInput)):
        _verify(evidence, bench.put(evidence.promised), proof=told)


def test_what_only_a_receipt_takes_is_refused_beside_anything_else(
    bench: Bench, evidence: Evidence, proof: bytes
) -> None:
    """It was told under "Not checked" below "This package holds", which nobody reads who sees the first line."""
    kinds = {"package": evidence.package, "ledger": evidence.ledger, "bundle": evidence.bundle,
             "statement": evidence.blocked_gate}  # fmt: skip
    for kind, content in kinds.items():
        for more in ({"proof": proof}, {"request": b"{}"}, {"proof": proof, "request": b"{}"}):
            with pytest.raises(InvalidInput, match=f"are for a receipt; this is a {kind}"):
                _verify(evidence, bench.put(content), **more)
    found = _verify(evidence, bench.put(evidence.promised), proof=proof)
    assert not any(line.startswith("the proof") for line in found.not_checked)


def test_the_command_says_what_the_proof_showed_and_that_a_package_takes_none(
    bench: Bench, evidence: Evidence, proof: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(what: Path) -> int:
        words = ["sealwright", "verify", str(what), "--trust", str(evidence.trust), "--proof", str(bench.put(proof))]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as end:
            main()
        assert isinstance(end.value.code, int)
        return end.value.code

    assert typed(bench.put(evidence.promised)) == 0
    assert "under that checkpoint" in capsys.readouterr().out
    assert typed(bench.put(evidence.package)) == 2
    said = capsys.readouterr()
    assert (said.out, "this is a package" in said.err) == ("", True)
