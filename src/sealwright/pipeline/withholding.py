"""Whose rows stay out: persons who withdrew consent, never gave it, object, opted out, asked for restriction, or were erased.

Answers: at this moment, for this purpose, which persons may be in the data, and why not the others?
Does not answer: what was recorded. `data.consent` and `data.requests` keep that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sealwright.data.consent import ConsentState
from sealwright.data.requests import SUPPRESSED
from sealwright.kernel import InvalidInput
from sealwright.pipeline.data_basis import Cleared
from sealwright.pipeline.data_consent import consents_of, suppressions_of
from sealwright.pipeline.desk import Desk, digest_of_json
from sealwright.pipeline.person_signals import honour_signals
from sealwright.trust import raw_pseudonym

__all__ = ["Withholding", "withholding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """Who stays out of a project's data now."""

    suppressed: Mapping[str, str] = field(repr=False)  # pseudonym -> reason
    consent: ConsentState | None = field(repr=False)  # where the data is held on consent

    def reasons(self, names: Sequence[str]) -> dict[str, str]:
        """Of these persons, those who stay out, and why. The reason is a code that the manifest counts."""
        found = {name: self.suppressed[name] for name in names if name in self.suppressed}
        if self.consent is None:
            return found
        for name in names:
            if name not in found and name not in self.consent.given:
                found[name] = "consent_withdrawn" if name in self.consent.withdrawn else "no_consent"
        return found

    def since(self) -> frozenset[bytes]:
        """Those who are to be left out of a snapshot that may have been made before they said so."""
        withdrawn = self.consent.withdrawn if self.consent is not None else frozenset()
        return frozenset(raw_pseudonym(name) for name in {*self.suppressed, *withdrawn})

    @property
    def digest(self) -> str:
        """Of who stays out, so that a change of it is a change of the data. Those erased are gone from it already."""
        standing = sorted(f"{name} {why}" for name, why in self.suppressed.items() if why != SUPPRESSED["erased"])
        given = sorted(self.consent.given) if self.consent is not None else None
        return digest_of_json({"suppressed": standing, "given": given})


def withholding(desk: Desk, cleared: Cleared) -> Withholding:
    """Who stays out of the desk's project now, those included whose browser said so since the last time.

    Raises
    ------
    VerificationFailed
        A row was taken out of the tables of consents or suppressions: the ledger knows more.
    InvalidInput
        The data is held on consent and does not say which column names the person.
    """
    name, spec = desk.project.name, desk.project.spec.data
    if cleared.consent_for is not None and spec.subject is None:
        raise InvalidInput(
            "This data is held on consent, so each row must say whose it is.\n"
            "Set data.subject in the project file to the column with the person's identifier."
        )
    workspace = desk.workspace
    if cleared.consent_for is not None:
        consents_of(workspace).compare()
    if spec.subject is not None:
        honour_signals(workspace, name)
        suppressions_of(workspace).compare()
    standing = suppressions_of(workspace).suppressed(name) if spec.subject is not None else {}
    order = list(SUPPRESSED)
    return Withholding(
        suppressed={one: SUPPRESSED[min(kinds, key=order.index)] for one, kinds in standing.items()},
        consent=consents_of(workspace).state(name, cleared.consent_for) if cleared.consent_for is not None else None,
    )
