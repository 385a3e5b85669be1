"""Rows made up for groups that are too few: learned from training rows only, measured before anybody uses them."""

from dataclasses import dataclass
from typing import Any

from sealwright.data import Snapshot, split
from sealwright.data.augment import Augmented, augment
from sealwright.data.diversity import read_reference
from sealwright.kernel import Progress, hex_of, silent
from sealwright.pipeline.desk import Desk

__all__ = ["Augmentation", "made_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """What would be added to a snapshot, and what was measured about it."""

    snapshot: str
    train_rows: int
    found: Augmented

    def to_json(self) -> dict[str, Any]:
        return {"snapshot": self.snapshot, "train_rows": self.train_rows, **self.found.to_json()}


def made_up(desk: Desk, snapshot: Snapshot, *, progress: Progress = silent) -> Augmentation:
    """The rows data.augment asks for, learned from the real training rows of an opened snapshot, and measured.

    Whoever keeps them asks `refuse_too_close` first, and marks them in the manifest (`Step.synthetic`).

    Raises
    ------
    InvalidInput
        It asks for what cannot be learned.
    """
    spec = desk.project.spec.data
    assert spec.augment is not None
    table = snapshot.read()
    real = table.slice(0, table.num_rows - snapshot.synthetic)
    train, _ = split(real, spec, desk.project.spec.training.seed)
    reference = read_reference(spec.diversity, desk.project.folder) if spec.diversity is not None else None
    found = augment(
        train,
        spec,
        spec.augment,
        diversity=spec.diversity,
        reference=reference,
        tag=hex_of(snapshot.digest)[:8],
        first=snapshot.synthetic + 1,
        progress=progress,
    )
    return Augmentation(snapshot=snapshot.digest, train_rows=train.num_rows, found=found)
