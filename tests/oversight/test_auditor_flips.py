"""One changed byte, in whatever file of whatever evidence, is refused by both verifiers."""

import base64
import json
from typing import Any

import pytest
from auditor_bench import Bench, Evidence, files_of, flips, in_bundle, resigned


def test_in_any_file_of_a_package(bench: Bench, evidence: Evidence) -> None:
    folder = bench.put(evidence.package)
    for name, data in evidence.package.items():
        for changed in flips(data, 4, name):
            (folder / name).write_bytes(changed)
            bench.refuse(folder, "package")
        (folder / name).write_bytes(data)
    bench.accept(folder)


def test_in_any_statement_even_under_a_new_model_signature_t86(bench: Bench, evidence: Evidence) -> None:
    """The statements hold by themselves, not only because the model signature covers them."""
    for name in [name for name in evidence.package if name.startswith("statements/")]:
        for changed in flips(evidence.package[name], 3, f"signed again {name}"):
            bench.refuse(resigned(evidence, {**evidence.package, name: changed}), f"package/{name}")


@pytest.mark.parametrize("which", ["ledger", "decisions"])
def test_in_any_file_of_a_ledger(bench: Bench, evidence: Evidence, which: str) -> None:
    files = evidence.ledger if which == "ledger" else evidence.decisions
    folder = bench.put(files)
    for name, data in files.items():
        for changed in flips(data, 25, which + name):
            (folder / name).write_bytes(changed)
            bench.refuse(folder, "ledger")
        (folder / name).write_bytes(data)
    bench.accept(folder)


@pytest.mark.parametrize("which", ["promised", "receipt"])
def test_anywhere_in_a_receipt(bench: Bench, evidence: Evidence, which: str) -> None:
    receipt = getattr(evidence, which)
    path = bench.put(receipt)
    for changed in flips(receipt, 250, which):
        path.write_bytes(changed)
        bench.refuse(path)


def test_in_any_file_inside_a_bundle_t86(bench: Bench, evidence: Evidence) -> None:
    files = files_of(evidence.bundle)
    assert {"trust.json", "revocations.json", "pointers/live.json", "decisions/live/checkpoint"} <= set(files)
    for name in sorted(set(files) - {"report.html"}):
        for changed in flips(files[name], 1, f"inside {name}"):
            bench.refuse(in_bundle(evidence.bundle, {name: changed}), "bundle")


def test_in_the_text_of_a_bundle(bench: Bench, evidence: Evidence) -> None:
    for changed in flips(evidence.bundle, 40, "text of the bundle"):
        if not same_but_for_the_report(changed, evidence.bundle):
            bench.refuse(changed)
    for piece in (b'"project":"credit', b'"version":1', b'"type":"urn', b'"trust.json":"'):
        place = evidence.bundle.index(piece) + len(piece) - 1
        for bit in (1, 2, 32):
            changed = evidence.bundle[:place] + bytes([evidence.bundle[place] ^ bit]) + evidence.bundle[place + 1 :]
            bench.refuse(changed)


def test_a_byte_of_the_report_in_a_bundle_may_change_and_both_say_that_it_was_not_checked(
    bench: Bench, evidence: Evidence
) -> None:
    said = bench.accept(in_bundle(evidence.bundle, {"report.html": b"<html>better numbers</html>"}))
    assert "report.html" in said.partition("Not checked:")[2]


def test_no_other_spelling_of_the_same_values_passes(bench: Bench, evidence: Evidence) -> None:
    bench.refuse(json.dumps(json.loads(evidence.bundle)).encode(), "bundle")
    texts = json.loads(evidence.bundle)["files"]
    name = next(name for name, text in texts.items() if text.endswith("==") and name != "trust.json")
    other = texts[name][:-3] + chr(ord(texts[name][-3]) + 1) + "=="  # the last character has unused bits
    assert base64.b64decode(other) == base64.b64decode(texts[name])
    bench.refuse(evidence.bundle.replace(texts[name].encode(), other.encode()), "bundle")
    charter = "statements/charter.json"
    spaced = json.dumps(json.loads(evidence.package[charter]), sort_keys=True).encode()
    bench.refuse(resigned(evidence, {**evidence.package, charter: spaced}), f"package/{charter}")


def same_but_for_the_report(data: bytes, bundle: bytes) -> bool:
    """Whether a change of the bundle's text changed nothing but the report, which is no evidence."""

    def evidence_in(value: Any) -> Any:
        return {**value, "files": {name: text for name, text in value["files"].items() if name != "report.html"}}

    try:
        return bool(evidence_in(json.loads(data)) == evidence_in(json.loads(bundle)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
