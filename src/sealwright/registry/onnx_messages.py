"""The message that an ONNX model is, without the rest of the `onnx` package.

Answers: how are the bytes of a model read?
Does not answer: whether it may come in (`graph`), or how one is made.

`import onnx` brings a compiled checker, converters and helpers: 8 MB and a tenth of a second in every serving process,
which uses none of them. The messages are one generated module of it that imports nothing but protobuf, so that one alone is
run. Where all of `onnx` is loaded as well, both have the same class: protobuf knows a message once.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from sealwright.kernel import OperationFailed

__all__ = ["model_message"]

_NAME, _FILE = "onnx", "onnx_ml_pb2.py"


@cache
def model_message() -> Any:
    """The class `onnx.ModelProto`.

    Raises
    ------
    OperationFailed
        The installed `onnx` is not laid out as the releases we know.
    """
    package = importlib.util.find_spec(_NAME)
    places = [] if package is None else [Path(one) / _FILE for one in package.submodule_search_locations or ()]
    spec = next((importlib.util.spec_from_file_location("onnx_messages", one) for one in places if one.is_file()), None)
    if spec is None or spec.loader is None:
        raise OperationFailed(
            f"The installed package {_NAME} has no {_FILE}, so that no model can be read.\n"
            "Install the release that the lock file names."
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ModelProto
