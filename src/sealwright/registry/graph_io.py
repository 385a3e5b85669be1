"""The inputs and outputs of a model, held against its interface.

Answers: does the graph take and give exactly what the interface promises: names, types, widths, any number of rows?
Does not answer: whether the answers make sense (`adapters.dry_run`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sealwright.registry.interface import ModelInterface
from sealwright.registry.reasons import Reason, printable

__all__ = ["reasons_against_io"]

_FLOAT, _STRING = 1, 8  # onnx.TensorProto element types


def reasons_against_io(graph: Any, interface: ModelInterface) -> Iterator[Reason]:
    wanted: dict[str, tuple[int, int]] = {}
    if interface.numbers:
        wanted["numbers"] = (_FLOAT, len(interface.numbers))
    if interface.strings:
        wanted["strings"] = (_STRING, len(interface.strings))
    yield from _compare("input", {item.name: item for item in graph.input}, wanted, open_width=False)
    made = {interface.output: (_FLOAT, interface.width)}
    yield from _compare("output", {item.name: item for item in graph.output}, made, open_width=True)


def _compare(
    what: str, found: Mapping[str, Any], wanted: Mapping[str, tuple[int, int]], *, open_width: bool
) -> Iterator[Reason]:
    for name in sorted(set(wanted) - set(found)):
        yield Reason(code="onnx.io", where=name, message=f"the interface has this {what}, the model does not")
    for name in sorted(set(found) - set(wanted)):
        yield Reason(
            code="onnx.io", where=printable(name), message=f"the model has this {what}, the interface does not"
        )
    for name in sorted(set(found) & set(wanted)):
        kind, width = wanted[name]
        declared = found[name].type.tensor_type
        if not found[name].type.HasField("tensor_type") or declared.elem_type != kind:
            words = "text" if kind == _STRING else "float32"
            yield Reason(code="onnx.io", where=name, message=f"the {what} must be a tensor of {words}")
            continue
        sizes = [size.dim_value if size.HasField("dim_value") else None for size in declared.shape.dim]
        unknown = open_width and (not declared.HasField("shape") or (len(sizes) == 2 and sizes[1] is None))
        if not (unknown or (len(sizes) == 2 and sizes[1] == width)) or (sizes and sizes[0] is not None):
            shape = ", ".join("N" if size is None else str(size) for size in sizes)
            yield Reason(
                code="onnx.io", where=name, message=f"the {what} must have shape [N, {width}]; it has [{shape}]"
            )
