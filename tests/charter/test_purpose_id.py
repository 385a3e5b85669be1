"""A charter may name its purpose by a short id; one that does not keeps the digest it always had."""

import pytest
from pydantic import ValidationError

from sealwright.charter import CharterSpec, RiskClass
from sealwright.kernel import canonical_json, digest_of

WORDS = {"purpose": "Support credit officers.", "owner": "Head of credit", "risk_class": RiskClass.HIGH}


def test_a_charter_without_the_id_is_written_as_before_there_was_one() -> None:
    body = CharterSpec.model_validate(WORDS).model_dump(mode="json")
    assert "purpose_id" not in body
    assert digest_of(canonical_json(body)) == "sha256:8c6564d80904d17e34edc56a738cb3f27bd6c2b0b1ffe2c800bd89a0afb9ad85"


def test_a_charter_with_the_id_is_another_charter() -> None:
    spec = CharterSpec.model_validate({**WORDS, "purpose_id": "credit-decision"})
    assert spec.model_dump(mode="json")["purpose_id"] == "credit-decision"
    assert CharterSpec.model_validate(spec.model_dump(mode="json")) == spec


def test_an_id_is_a_short_name() -> None:
    with pytest.raises(ValidationError, match="not a usable purpose name"):
        CharterSpec.model_validate({**WORDS, "purpose_id": "Decide on loans"})
