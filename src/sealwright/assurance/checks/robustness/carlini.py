"""The shortest way over the boundary, by gradient descent on length and lead together."""

from sealwright.assurance.evasion.attack_check import Attack, Step, attack_check

__all__ = ["ATTACK", "CHECK"]


def _step() -> Step:
    from sealwright.assurance.adapters import art_attacks  # slow to import

    return art_attacks.carlini


ATTACK = Attack(
    name="carlini",
    title="Carlini and Wagner",
    words="the attack of Carlini and Wagner, which looks inside",
    each=False,
    looks_inside=True,
    long=True,
    step=_step,
)
CHECK = attack_check(ATTACK)
