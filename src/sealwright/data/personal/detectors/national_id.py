"""National numbers: identity, tax, insurance. Each has a shape, most have a check digit, some need a word beside them.

A random number fulfils a check digit modulo 10 or 11 one time in ten. Where only that speaks for it, it is graded low
unless a word nearby says so; in a column, many that all fulfil it are no chance any more (`grading`).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sealwright.data.personal import national_codes, national_numbers
from sealwright.data.personal.model import Confidence, Span
from sealwright.data.personal.reading import Reading

__all__ = ["CHANCE", "SCHEMES", "find", "schemes_passed"]


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A scheme of digits: the shapes it is written in, its rule, and how sure it is without a word nearby."""

    scheme: str
    shapes: dict[str, Confidence | None]  # shape -> confidence without context; None: only with a word
    words: str
    chance: float  # share of random numbers of that shape that fulfil the rule
    rule: Callable[[str], bool]


def _scheme(name: str, words: str, chance: float, /, **shapes: Confidence | None) -> _Numbers:
    written = {
        shape.replace("d", "-").replace("p", ".").replace("s", " ").replace("l", "/")[1:]: grade
        for shape, grade in shapes.items()
    }
    return _Numbers(name, written, words, chance, getattr(national_numbers, name))


_TABLE = (
    _scheme("us_ssn", r"ssn|social sec", 0.88, n999d99d9999="high", n999s99s9999="medium", n999999999=None),
    _scheme("de_steuer_id", r"steuer|\btin\b|\bidnr|tax", 0.02, n99s999s999s999="high", n99999999999="medium"),
    _scheme("fr_nir", r"nir\b|s[ée]curit[ée] sociale|insee|sécu", 0.008, n9s99s99s99s999s999s99="high", n999999999999999="high", n9s99s99s99s999s999d99="high"),
    _scheme("nl_bsn", r"bsn|burgerservice|sofi", 0.09, n999999999=None, n9999p99p999="medium", n999s999s999=None),
    _scheme("br_cpf", r"cpf|cadastro", 0.01, n999p999p999d99="high", n99999999999="medium"),
    _scheme("in_aadhaar", r"aadh?aar|uid(?:ai)?\b", 0.08, n9999s9999s9999="medium", n9999d9999d9999="medium", n999999999999="low"),
    _scheme("pl_pesel", r"pesel", 0.04, n99999999999="low"),
    _scheme("ch_ahv", r"ahv|avs|sozialvers|assurance", 0.0001, n999p9999p9999p99="high", n9999999999999="high"),
    _scheme("at_svnr", r"svnr|sv-?n|sozialvers|versicherungsn", 0.04, n9999s999999="medium", n9999999999="low"),
    _scheme("be_nn", r"rijksregister|registre national|national (?:number|register)|\bnn\b|niss|insz", 0.004, n99p99p99d999p99="high", n99999999999="medium"),
    _scheme("se_pnr", r"person(?:nummer|nr)|samordning|\bpnr\b", 0.04, n999999d9999="medium", n99999999d9999="high", n9999999999="low", n999999999999="medium"),
    _scheme("dk_cpr", r"cpr", 0.4, n999999d9999="low", n9999999999=None),
    _scheme("no_fnr", r"f[øo]dsels|\bfnr\b|person", 0.003, n999999s99999="high", n99999999999="medium"),
    _scheme("ca_sin", r"\bsin\b|social insurance|assurance sociale|\bnas\b", 0.08, n999d999d999="low", n999s999s999="low", n999999999=None),
    _scheme("au_tfn", r"tfn|tax file", 0.09, n999s999s999=None, n999999999=None),
    _scheme("pt_nif", r"\bnif\b|contribuinte|fiscal", 0.04, n999s999s999=None, n999999999=None),
    _scheme("cn_id", r"id|身份证", 0.002, n999999999999999999="high"),
    _scheme("za_id", r"\bid\b|identity", 0.01, n9999999999999="medium", n999999s9999s999="medium"),
    _scheme("kr_rrn", r"rrn|resident|주민", 0.3, n999999d9999999="medium"),
    _scheme("tr_tckn", r"\btc\b|t\.c\.|kimlik", 0.01, n99999999999="medium"),
    _scheme("uk_nhs", r"nhs", 0.09, n999s999s9999="low", n999d999d9999=None, n9999999999=None),
    _scheme("ro_cnp", r"cnp|cod numeric", 0.02, n9999999999999="medium"),
    _scheme("cz_rc", r"rodn|r\.? ?č|birth number", 0.03, n999999l9999="high", n999999l999="medium"),
)  # fmt: skip
_BY_SHAPE: dict[str, list[_Numbers]] = {}
for _one in _TABLE:
    for _shape in _one.shapes:
        _BY_SHAPE.setdefault(_shape, []).append(_one)
_LENGTHS = [sum(c == "9" for c in shape) for shape in _BY_SHAPE]
_WORDS = {one.scheme: re.compile(one.words) for one in _TABLE}
_TO_SHAPE = str.maketrans("0123456789", "9" * 10)

CHANCE = {one.scheme: one.chance for one in _TABLE} | national_codes.CHANCE
"""Share of random values of the right shape that pass as this scheme."""
SCHEMES = tuple(sorted(CHANCE))


def find(reading: Reading) -> Iterator[Span]:
    """The best explanation of each number, and every code with letters."""
    for run in reading.runs:
        done = -1
        for window in run.windows(min(_LENGTHS), max(_LENGTHS), groups=7):
            if window.start < done:
                continue
            schemes = _BY_SHAPE.get(window.raw.translate(_TO_SHAPE))
            span = _best(reading, window.start, window.end, window.digits, window.raw, schemes) if schemes else None
            if span is not None:
                done = span.end
                yield span
    yield from national_codes.find(reading)


def _best(reading: Reading, start: int, end: int, digits: str, raw: str, schemes: list[_Numbers]) -> Span | None:
    shape = raw.translate(_TO_SHAPE)
    before = reading.before(start)
    best: tuple[int, float, _Numbers, Confidence] | None = None
    for one in schemes:
        if not one.rule(digits):
            continue
        grade: Confidence | None = "high" if _WORDS[one.scheme].search(before) else one.shapes[shape]
        if grade is None:
            continue
        rank = ("low", "medium", "high").index(grade)
        if best is None or (rank, -one.chance) > best[:2]:
            best = (rank, -one.chance, one, grade)
    return Span(start, end, "national_id", best[3], best[2].scheme) if best else None


def schemes_passed(value: str) -> Iterator[tuple[str, bool]]:
    """For a cell that is one number: every scheme written in that shape, and whether its rule holds."""
    for one in _BY_SHAPE.get(value.translate(_TO_SHAPE), ()):
        yield one.scheme, one.rule("".join(c for c in value if c.isdigit()))
    yield from national_codes.codes_passed(value)
