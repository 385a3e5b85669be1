"""Gradients guessed from probabilities, one number at a time."""

from sealwright.assurance.evasion.attack_check import Attack, Step, attack_check

__all__ = ["ATTACK", "CHECK"]


def _step() -> Step:
    from sealwright.assurance.adapters import art_attacks  # slow to import

    return art_attacks.zoo


ATTACK = Attack(
    name="zoo",
    title="Zeroth order optimisation",
    words="zeroth order optimisation, which only asks for probabilities",
    each=False,
    looks_inside=False,
    long=True,
    step=_step,
)
CHECK = attack_check(ATTACK)
