"""T-65: somebody with a token copies the model by asking it. What they are told makes the copy dearer; a budget ends it."""

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sealwright.serving import ServingSpec, full_scope, label_scope, predict_scope

_spec = importlib.util.spec_from_file_location("extraction", Path(__file__).with_name("extraction.py"))
assert _spec is not None
assert _spec.loader is not None
sys.modules["extraction"] = extraction = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(extraction)

PROJECT = "german-credit"
QUESTIONS = [200, 1000]
BUDGET = 200
SPEC = {"limits": {"callers": {"bounded": {"per_principal": {"different_rows_per_day": BUDGET}}}}}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory, stocked: Path) -> Iterator[Callable[..., list[Any]]]:
    """Attack one served model with a token: what the copies were worth after 200 and after 1000 questions."""
    module = sys.modules["serving_house"]
    house = module.House(tmp_path_factory.mktemp("copied") / "home", like=stocked)
    interface = module.credit_interface()
    model = extraction.learned_model(interface, trees=30)
    house.release(model, interface)
    with contextlib.closing(house), house.launch(spec=ServingSpec.model_validate(SPEC)) as running:

        def attack(*scopes: str, subject: str = "thief") -> list[Any]:
            token = house.token(scopes=list(scopes), subject=subject)
            return list(extraction.Thief(interface, model).copies(running.port, house.tls.ca, token, QUESTIONS))

        yield attack


def test_labels_alone_make_a_worse_copy_than_probabilities_and_more_questions_a_better_one_t65(
    copied: Callable[..., list[Any]],
) -> None:
    full, labels = copied(full_scope(PROJECT), predict_scope(PROJECT)), copied(label_scope(PROJECT))
    assert [one.told for one in (*full, *labels)] == [200, 1000, 200, 1000]
    assert full[1].same > full[0].same + 0.03
    assert labels[0].same < full[0].same - 0.01
    assert labels[1].same < full[1].same - 0.01


def test_a_budget_of_different_rows_keeps_the_copy_where_it_was_t65(copied: Callable[..., list[Any]]) -> None:
    few = copied(full_scope(PROJECT), predict_scope(PROJECT), subject="bounded")
    assert [one.told for one in few] == [BUDGET, BUDGET]
    assert few[1].same == few[0].same
