"""From a far row along the boundary toward the original, by only asking which class is decided."""

from sealwright.assurance.evasion.attack_check import Attack, Step, attack_check

__all__ = ["ATTACK", "CHECK"]


def _step() -> Step:
    from sealwright.assurance.adapters import art_attacks  # slow to import

    return art_attacks.boundary


ATTACK = Attack(
    name="boundary",
    title="Boundary attack",
    words="the boundary attack, which only asks which class is decided",
    each=False,
    looks_inside=False,
    long=True,
    step=_step,
)
CHECK = attack_check(ATTACK)
