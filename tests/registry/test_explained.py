"""The explainer of a package is part of what was judged and sealed; a package without one is whole."""

from dataclasses import replace
from typing import Any

import pytest

from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, digest_of
from sealwright.registry import build_candidate, open_trusted_files, verify_files
from sealwright.trust import sign_model_files


def _document(model: bytes, **more: Any) -> bytes:
    return canonical_json({"format": 1, "model": digest_of(model), **more})


def test_attack_a_hardening_taken_out_changed_or_slipped_in_is_refused(sealed_once: Any) -> None:
    """Without its answering.json a version would tell every digit, and answer what it should not."""
    house, _ = sealed_once
    parts = house.parts(bias=0.25)
    candidate = build_candidate(replace(parts, answering=_document(parts.model, output={"digits": 1})))
    files = dict(open_trusted_files(house.seal(candidate, *house.judged(candidate)).folder))
    package = verify_files(files, house.trust_root, now=house.clock())
    assert "answering.json is about this model" in package.checked
    without = {name: data for name, data in files.items() if name != "answering.json"}
    changed = {**files, "answering.json": files["answering.json"].replace(b":1}", b":6}")}
    assert changed != files
    for spoilt in (without, changed):
        with pytest.raises(VerificationFailed):
            verify_files(spoilt, house.trust_root, now=house.clock())
        rest = {name: data for name, data in spoilt.items() if name != "model.sig"}
        resigned = rest | {"model.sig": sign_model_files("x", rest, house.keyring.signer("models"))}
        with pytest.raises(VerificationFailed, match="gate"):
            verify_files(resigned, house.trust_root, now=house.clock())
    with pytest.raises(InvalidInput, match=r"answering\.json is about another model"):
        build_candidate(replace(parts, answering=_document(b"another")))


def _sealed(house: Any, explainer: bytes | None) -> dict[str, bytes]:
    candidate = build_candidate(replace(house.parts(bias=0.25), explainer=explainer))
    return dict(open_trusted_files(house.seal(candidate, *house.judged(candidate)).folder))


def test_a_package_with_an_explainer_verifies_and_its_digest_names_it(sealed_once: Any) -> None:
    house, _ = sealed_once
    parts = house.parts(bias=0.25)
    files = _sealed(house, _document(parts.model))
    package = verify_files(files, house.trust_root, now=house.clock())
    assert package.files["explainer.json"] == _document(parts.model)
    other = build_candidate(replace(parts, explainer=_document(parts.model, usual={"age": 41})))
    assert len({package.digest, other.digest, build_candidate(parts).digest}) == 3


def test_a_package_without_one_verifies_as_it_always_did(package_files: Any) -> None:
    house, files = package_files
    assert "explainer.json" not in files
    verify_files(files, house.trust_root, now=house.clock())


def test_attack_an_explainer_slipped_into_a_sealed_package_is_refused(package_files: Any) -> None:
    """Reasons that somebody added would be told in the name of the version."""
    house, files = package_files
    added = {**files, "explainer.json": _document(files["model.onnx"])}
    with pytest.raises(VerificationFailed):
        verify_files(added, house.trust_root, now=house.clock())
    rest = {name: data for name, data in added.items() if name != "model.sig"}
    resigned = rest | {"model.sig": sign_model_files("x", rest, house.keyring.signer("models"))}
    with pytest.raises(VerificationFailed, match="gate"):  # the gate passed a package without it
        verify_files(resigned, house.trust_root, now=house.clock())


def test_attack_an_explainer_taken_out_or_changed_is_refused(sealed_once: Any) -> None:
    house, _ = sealed_once
    files = _sealed(house, _document(house.parts(bias=0.25).model, usual={"age": 1}))
    without = {name: data for name, data in files.items() if name != "explainer.json"}
    changed = {**files, "explainer.json": files["explainer.json"].replace(b":1}", b":2}")}
    assert changed != files
    for spoilt in (without, changed):
        with pytest.raises(VerificationFailed):
            verify_files(spoilt, house.trust_root, now=house.clock())


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"model": "sha256:0"}', b'{"model":1}', b'{"model":"a","model":"b"}', b"\xff", b"[" * 5000],
)
def test_an_explainer_that_is_no_such_file_never_becomes_part_of_a_candidate(sealed_once: Any, data: bytes) -> None:
    house, _ = sealed_once
    with pytest.raises(InvalidInput):
        build_candidate(replace(house.parts(), explainer=data))


def test_an_explainer_of_another_model_never_becomes_part_of_a_candidate(sealed_once: Any) -> None:
    house, _ = sealed_once
    other = _document(house.parts(bias=0.5).model)
    with pytest.raises(InvalidInput, match="another model"):
        build_candidate(replace(house.parts(), explainer=other))


def test_an_explainer_has_a_largest_size(sealed_once: Any) -> None:
    house, _ = sealed_once
    parts = house.parts()
    with pytest.raises(InvalidInput, match="at most"):
        build_candidate(replace(parts, explainer=_document(parts.model, usual={"x": "y" * (4 << 20)})))


@pytest.fixture
def package_files(sealed_once: Any) -> Any:
    house, sealed = sealed_once
    return house, dict(open_trusted_files(sealed.folder))
