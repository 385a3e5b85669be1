"""One step along the sign of the gradient, as far as the budget of every feature reaches."""

from sealwright.assurance.evasion.attack_check import Attack, Step, attack_check

__all__ = ["ATTACK", "CHECK"]


def _step() -> Step:
    from sealwright.assurance.adapters import art_attacks  # slow to import

    return art_attacks.fgsm


ATTACK = Attack(
    name="fgsm",
    title="Fast gradient sign method",
    words="the fast gradient sign method, which looks inside",
    each=True,
    looks_inside=True,
    long=False,
    step=_step,
)
CHECK = attack_check(ATTACK)
