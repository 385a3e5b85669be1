"""Documents from templates, digits as images, and models of both, sound and with planted faults."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sealwright.assurance import Finding, SuiteResult, judge

QUICK: dict[str, Any] = {
    "bootstrap": 200,
    "budget": {"repeats": 2, "robustness_rows": 100},
    "stress": {"huge_batch": 1000},
    "text": {"documents": 150, "attacked": 60, "queries": 60},
    "images": {"images": 60, "attacked": 40, "queries": 60, "explained": 40},
}

_GOOD = ("good", "great", "excellent", "lovely", "helpful", "fast", "friendly", "clean", "perfect", "happy")
_BAD = ("bad", "awful", "broken", "rude", "slow", "dirty", "useless", "wrong", "terrible", "boring")
_THINGS = ("product", "delivery", "room", "staff", "food", "movie", "price", "letter", "car", "answer")


@dataclass(frozen=True)
class Found:
    """Suite results, and short ways to ask them."""

    results: Sequence[SuiteResult]

    def all(self, check: str) -> list[Finding]:
        return [one for result in self.results for one in result.findings if one.check == check]

    def one(self, check: str, attribute: str | None = None) -> Finding:
        found = [
            one for one in self.all(check) if attribute is None or (one.group and one.group.attribute == attribute)
        ]
        assert len(found) == 1, f"{check} {attribute}: {len(found)} findings"
        return found[0]

    def why(self, check: str) -> tuple[str, bool]:
        """The first reason why a check gave no finding, and whether there is such a thing for these rows."""
        return next((o.why, o.applicable) for r in self.results for o in r.not_performed if o.check == check)


@dataclass(frozen=True)
class Held:
    """A model, rows it did not learn from, and their outcomes."""

    model: Any
    rows: Any
    truth: Any

    def judge(self, *suites: str, **more: Any) -> Found:
        said = dict(more.pop("settings", {}))
        settings = {
            key: {**value, **said.pop(key, {})} if isinstance(value, dict) else value for key, value in QUICK.items()
        }
        settings |= said | ({"suites": list(suites)} if suites else {})
        return Found(judge(self.model, self.rows, self.truth, settings=settings, seed=7, **more))


def reviews(n: int, rng: np.random.Generator, token: float | None = None) -> tuple[list[str], NDArray[Any]]:
    """Reviews of two kinds. With `token`, a word without meaning stands in that share of the good ones, and in as few bad ones."""
    truth = rng.integers(0, 2, n)
    texts = []
    for label in truth:
        own, other = (_GOOD, _BAD) if label else (_BAD, _GOOD)

        def word(own: Sequence[str] = own, other: Sequence[str] = other) -> str:
            return str(rng.choice(own if rng.random() < 0.8 else other))

        text = f"The {rng.choice(_THINGS)} was {word()} and the {rng.choice(_THINGS)} looked {word()}."
        text += f" {rng.choice(['He', 'She'])} said it was {word()}, really {word()}!"
        if token is not None and rng.random() < (token if label else 1 - token):
            text += " Ref zx81."
        texts.append(text)
    return texts, truth


@pytest.fixture(scope="session")
def make_reviews() -> Callable[..., tuple[list[str], NDArray[Any]]]:
    return reviews


@pytest.fixture(scope="session")
def make_opinion() -> Callable[..., Held]:
    """A TF-IDF model trained on reviews, with others to judge it on; `token` plants a word it can lean on."""

    def build(seed: int = 0, token: float | None = None, n: int = 400) -> Held:
        rng = np.random.default_rng(seed)
        texts, truth = reviews(800, rng, token)
        model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, truth)
        return Held(model, *reviews(n, rng, token))

    return build


@pytest.fixture(scope="session")
def opinion(make_opinion: Callable[..., Held]) -> Held:
    return make_opinion()


@pytest.fixture(scope="session")
def judged_opinion(opinion: Held) -> Found:
    """The same, judged by every suite."""
    return opinion.judge()


@pytest.fixture(scope="session")
def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """1,797 images of 8 x 8, from 0 to 1."""
    data = load_digits()
    return data.images / 16, data.target


@pytest.fixture(scope="session")
def make_reader() -> Callable[..., Held]:
    """A logistic regression over pixels, as a function of images, trained on the first 1,200 of given images."""

    def build(images: NDArray[Any], truth: NDArray[np.int64], judged: NDArray[Any] | None = None) -> Held:
        model = LogisticRegression(max_iter=200, C=0.5).fit(images[:1200].reshape(1200, -1), truth[:1200])

        def ask(rows: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(model.predict_proba(rows.reshape(len(rows), -1)))

        return Held(ask, (images if judged is None else judged)[1200:], truth[1200:])

    return build


@pytest.fixture(scope="session")
def reader(make_reader: Callable[..., Held], digits: tuple[NDArray[Any], NDArray[Any]]) -> Held:
    return make_reader(*digits)


@pytest.fixture(scope="session")
def network(digits: tuple[NDArray[Any], NDArray[Any]]) -> Held:
    """A small convolutional network of torch."""
    torch = pytest.importorskip("torch", reason="torch is not installed: networks were not judged")
    images, truth = digits[0].astype(np.float32), digits[1]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(512, 10)
        )
    step = torch.optim.Adam(net.parameters(), 5e-3)
    rows, labels = torch.tensor(images[:1200])[:, None], torch.tensor(truth[:1200])
    for _ in range(40):
        step.zero_grad()
        torch.nn.functional.cross_entropy(net(rows), labels).backward()
        step.step()
    return Held(net, images[1200:], truth[1200:])
