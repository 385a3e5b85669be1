"""Copying a served model by asking it (T-65): how good a copy is after how many questions, by what the thief is told.

    python benchmarks/serving_extraction.py [--questions 100 300 1000 3000 10000] [--thieves 3]

A real server over TLS, a model of boosted trees over eight numbers, and a thief who draws rows within the published ranges, asks in
batches of 500 and learns boosted trees of their own. Printed is the share of 2,000 fresh rows on which copy and model name the
same label: the mean over thieves with other seeds. A table in Markdown, as docs/explanation/answers.md has it.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(_TESTS), str(_TESTS / "serving")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, nargs="+", default=[100, 300, 1000, 3000, 10_000])
    parser.add_argument("--thieves", type=int, default=3)
    asked = parser.parse_args()
    print("| told | " + " | ".join(f"{size:,}" for size in asked.questions) + " |")
    print("|---|" + "---|" * len(asked.questions))
    for words, told in _LEVELS.items():
        copies = _attacked(asked.questions, asked.thieves, **told)
        cells = [f"{statistics.mean(at):.1%}" for at in zip(*copies, strict=True)]
        print(f"| {words} | " + " | ".join(cells) + " |", flush=True)


_LEVELS: dict[str, dict[str, Any]] = {
    "probabilities in full (scope `full`)": {"full": True},
    "probabilities to 3 digits": {"output": {"digits": 3}},
    "probabilities to 2 digits": {"output": {"digits": 2}},
    "probabilities to 1 digit": {"output": {"digits": 1}},
    "the likeliest class alone, with its probability": {"output": {"classes": 1}},
    "the label alone": {"output": {"labels_only": True}},
    "in full, 1,000 different rows a day": {"full": True, "budget": 1000},
    "the label alone, 1,000 different rows a day": {"output": {"labels_only": True}, "budget": 1000},
}


def _attacked(
    sizes: list[int], thieves: int, *, full: bool = False, output: dict[str, Any] | None = None, budget: int = 100_000
) -> list[list[float]]:
    import extraction
    import house
    import msgspec

    from sealwright.kernel import canonical_json, digest_of
    from sealwright.serving import ServingSpec, full_scope, predict_scope
    from sealwright.serving.checking.document import AnsweringDocument, Output

    found: list[list[float]] = []
    with tempfile.TemporaryDirectory() as root:
        made = house.House(Path(root) / "home")
        interface = house.credit_interface()
        model = extraction.learned_model(interface)
        if output is not None:
            document = AnsweringDocument(
                format=1, model=digest_of(model), mode="refuse", output=Output(**output), below={}, threshold=None,
                ambiguous=False, above_ood=None, tell_ood=False, coverage=0.9, calibrate=None, usual=None, calibration=None,
                conformal=None,
            )  # fmt: skip
            made.answering = canonical_json(msgspec.to_builtins(document))
        made.release(model, interface)
        spec = ServingSpec.model_validate({"limits": {"per_principal": {"different_rows_per_day": budget}}})
        scopes = [predict_scope(house.PROJECT), *([full_scope(house.PROJECT)] if full else [])]
        with contextlib.closing(made), made.launch(spec=spec) as running:
            for seed in range(thieves):
                token = made.token(scopes=scopes, subject=f"thief-{seed}")
                thief = extraction.Thief(interface, model, seed=seed)
                found.append([one.same for one in thief.copies(running.port, made.tls.ca, token, sizes)])
    return found


if __name__ == "__main__":
    main()
