"""An ONNX model is run as it will be served: same numbers, one thread, and only if it fits its interface."""

import numpy as np
import pytest

from sealwright.assurance import OnnxPredictor, UnusablePredictions, pack, read_interface
from sealwright.kernel import InvalidInput


def test_probabilities_do_not_depend_on_the_batch_around_a_row(german) -> None:
    interface = read_interface(german.interface)
    features = pack(german.test, interface)
    predictor = OnnxPredictor(german.model, interface)
    whole = predictor.predict(features)
    assert whole.shape == (250, 2)
    assert np.array_equal(whole, predictor.predict(features))
    parts = np.concatenate([predictor.predict(part) for part in features.slices(7)])
    assert np.allclose(parts, whole, atol=1e-6)
    assert predictor.predict(features.take(slice(0, 0))).shape == (0, 2)


def test_batches_bound_memory_without_changing_a_number(german, monkeypatch: pytest.MonkeyPatch) -> None:
    interface = read_interface(german.interface)
    features = pack(german.test, interface)
    whole = OnnxPredictor(german.model, interface).predict(features)
    monkeypatch.setattr("sealwright.assurance.adapters.onnx._BATCH", 64)
    assert np.allclose(OnnxPredictor(german.model, interface).predict(features), whole, atol=1e-6)


def test_bytes_that_are_no_model_are_refused(german) -> None:
    interface = read_interface(german.interface)
    for bytes_ in (b"", b"not a model", german.model[: len(german.model) // 2]):
        with pytest.raises(InvalidInput, match="cannot be opened"):
            OnnxPredictor(bytes_, interface)


def test_a_model_and_an_interface_that_differ_are_refused(german, wine, diabetes) -> None:
    with pytest.raises(InvalidInput, match="They must be the same"):
        OnnxPredictor(german.model, read_interface(wine.interface))
    fewer = german.interface | {"numbers": german.interface["numbers"][:-1]}
    with pytest.raises(InvalidInput, match="They must be the same"):
        OnnxPredictor(german.model, read_interface(fewer))
    numbers = wine.interface | {"task": "regression", "classes": []}
    with pytest.raises(InvalidInput, match="output named 'value'"):
        OnnxPredictor(wine.model, read_interface(numbers))


def test_an_interface_with_other_classes_is_noticed(wine) -> None:
    more = wine.with_(interface=wine.interface | {"classes": [*wine.interface["classes"], "merlot"]})
    with pytest.raises(UnusablePredictions, match=r"\(88, 3\); multiclass with 88 rows needs \(88, 4\)"):
        more.judge("performance")
