"""Hardened ways to make the project's model, to be compared with it side by side."""

from sealwright.pipeline.project import Project
from sealwright.pipeline.variants import Variant

__all__ = ["hardening_variants"]

_MEMBERS = 10


def hardening_variants(project: Project) -> tuple[Variant, ...]:
    """One variant for each recipe of `training.hardening`; none for a recipe of your own, which hardens itself.

    Monotone constraints come from what the project expects: a column under `assurance.expectations` that must not push
    the score the wrong way is held to it.
    """
    if project.spec.training.own_code:
        return ()
    found = [
        Variant(
            name="adversarial training",
            words="Training rows are moved to where the model errs, and learned again.",
            training={"hardening": {"adversarial": {}}},
        ),
        Variant(
            name="ensemble",
            words=f"The answers of {_MEMBERS} models on resampled rows are averaged.",
            training={"hardening": {"ensemble": _MEMBERS}},
        ),
        Variant(
            name="smoothing",
            words="The model learns from noisy rows, and its answer is averaged over noisy copies of a row.",
            training={"hardening": {"smoothing": {}}},
        ),
        Variant(
            name="sanitised inputs",
            words="Numbers are clipped to what training saw, and unknown categories count as missing.",
            training={"hardening": {"sanitise": 0.005}},
        ),
    ]
    target = project.spec.data.columns.get(project.spec.data.target)
    several = target is not None and len(target.categories or ()) > 2  # then no single class could be held to anything
    numbers = {
        name for name, column in project.spec.data.columns.items() if column.type in ("number", "integer", "date")
    }
    held = {
        one.column: "up" if one.expect == "rises" else "down"
        for one in project.spec.assurance.expectations
        if one.expect != "same" and one.column in numbers
    }
    if held and not several:
        found.append(
            Variant(
                name="monotone constraints",
                words="What must not push the score the wrong way cannot: " + ", ".join(held) + ".",
                training={"hardening": {"monotone": held}},
            )
        )
    return tuple(found)
