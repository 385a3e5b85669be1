"""Many small steps along the sign of the gradient, within the budget of every feature."""

from sealwright.assurance.evasion.attack_check import Attack, Step, attack_check

__all__ = ["ATTACK", "CHECK"]


def _step() -> Step:
    from sealwright.assurance.adapters import art_attacks  # slow to import

    return art_attacks.pgd


ATTACK = Attack(
    name="pgd",
    title="Projected gradient descent",
    words="projected gradient descent, which looks inside",
    each=True,
    looks_inside=True,
    long=False,
    step=_step,
)
CHECK = attack_check(ATTACK)
