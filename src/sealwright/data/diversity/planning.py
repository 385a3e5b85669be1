"""From what was found to what can be done: plans for collecting, weights, and made-up rows.

Answers: the numbers of each proposal.
Does not answer: which one to choose.
"""

from collections.abc import Sequence
from fractions import Fraction

from sealwright.data.diversity.attributes import Attribute
from sealwright.data.diversity.counting import Cells
from sealwright.data.diversity.proposals import AugmentProposal, CollectPlan, Proposals, ReweighProposal
from sealwright.data.diversity.raking import rake
from sealwright.data.diversity.reference import Reference
from sealwright.data.diversity.report import GroupLine, Margin
from sealwright.data.diversity.shortfall import rows_for_all
from sealwright.data.diversity.spec import DiversitySpec

__all__ = ["FEWEST_TO_LEARN_FROM", "proposals_of"]

FEWEST_TO_LEARN_FROM = 20
"""Rows of a group and class from which others may be made up. With fewer, made-up rows are the same few people again."""


def proposals_of(
    margins: Sequence[Margin],
    attributes: Sequence[Attribute],
    cells: Cells,
    reference: Reference | None,
    spec: DiversitySpec,
) -> Proposals:
    """What can be done about the groups of these margins."""
    plans = [plan for margin in margins if (plan := _collect(margin, reference, spec)) is not None]
    reweigh = _reweigh(margins, attributes, cells, reference) if reference is not None else None
    return Proposals(collect=tuple(plans), reweigh=reweigh, augment=_augment(margins))


def _collect(margin: Margin, reference: Reference | None, spec: DiversitySpec) -> CollectPlan | None:
    """Rows for every group at once. Empty crossed groups without a reference may be impossible, and get none."""
    shares = reference.shares.get(margin.attributes, {}) if reference is not None else {}
    lines = [line for line in margin.groups if line.state != "empty"]
    under = Fraction(str(spec.under))
    least = [shares.get(line.of, Fraction(0)) * under for line in lines]
    have = [
        max(line.rows, spec.at_least) if least_ or not shares else line.rows
        for line, least_ in zip(lines, least, strict=True)
    ]
    begin = margin.known + sum(have) - sum(line.rows for line in lines)
    more = rows_for_all(have, begin, least)
    rows = {
        line.of: extra + begun - line.rows
        for line, extra, begun in zip(lines, more, have, strict=True)
        if extra + begun > line.rows
    }
    if not rows:
        return None
    return CollectPlan(attributes=margin.attributes, rows=rows, in_all=sum(rows.values()), hidden=not margin.whole)


def _reweigh(
    margins: Sequence[Margin], attributes: Sequence[Attribute], cells: Cells, reference: Reference
) -> ReweighProposal:
    raked = rake(attributes, cells, reference)
    return ReweighProposal(
        margins=raked.margins,
        effective_rows=raked.effective_rows,
        rows=int(cells.rows.sum()),
        largest=raked.largest,
        smallest=raked.smallest,
        rounds=raked.rounds,
        converged=raked.converged,
        gap=raked.gap,
        unreachable=raked.unreachable,
        unknown=raked.unknown,
        hidden=not all(margin.whole for margin in margins),
    )


def _augment(margins: Sequence[Margin]) -> AugmentProposal | None:
    """Groups that are under-represented or too few, with the rows that would bring them to their limit."""
    rows: dict[tuple[tuple[str, str], ...], int] = {}
    too_few = []
    for margin in margins:
        for line in margin.groups:
            if line.state not in {"under", "few"} or line.hidden or not margin.whole:
                continue
            where = tuple(zip(margin.attributes, line.of, strict=True))
            if line.rows < FEWEST_TO_LEARN_FROM:
                too_few.append(where)
            else:
                rows[where] = _wanted(line)
    if not rows and not too_few:
        return None
    return AugmentProposal(rows=rows, too_few=tuple(too_few), fewest=FEWEST_TO_LEARN_FROM)


def _wanted(line: GroupLine) -> int:
    return max(line.to_minimum, line.to_limit or 0)
