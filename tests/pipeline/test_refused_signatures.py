"""What the signer refuses is in the ledger: who tried around the rules leaves a trace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealwright.pipeline import Workspace, create_workspace
from sealwright.trust import InsecurePassphraseForTests, Secret, SignerRefused, digest_of_resource
from sealwright.trust.dsse import IN_TOTO_PAYLOAD, pae

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as made:
        yield made


def test_a_refused_signature_is_an_entry_of_the_ledger(workspace: Workspace) -> None:
    before = workspace.ledger.size
    with pytest.raises(SignerRefused):
        workspace.keyring.signer("releases").sign(pae(IN_TOTO_PAYLOAD, b"{}"))
    entry = workspace.ledger.entry(before)
    assert (entry.action, entry.subject) == ("signer.sign", digest_of_resource("branch:releases"))
    assert dict(entry.detail) == {"outcome": "refused", "reason": "statement.malformed"}


def test_a_refusal_before_there_is_a_ledger_or_after_it_is_only_raised(workspace: Workspace) -> None:
    with pytest.raises(SignerRefused):
        workspace.keyring.signer("tokens").sign(b"x")
    assert workspace.ledger.size == 1
