"""The graph of an ONNX model: only standard operators, everything inside the file, nothing that can grow.

Answers: may ONNX Runtime be given this graph? Every reason is listed, each with a stable code,
because an auditor will ask why a file was refused.
Does not answer: does the model predict well, or even run (`adapters.dry_run` runs it).

What can grow: some operators make an output as large as a number tells them (a 93-byte file can
ask for 256 GiB). That number must be a small constant, or follow from the number of rows alone;
a size taken from a value in the request is refused.
"""

import math
from collections.abc import Iterator
from typing import Any

from sealwright.registry.graph_io import reasons_against_io
from sealwright.registry.interface import ModelInterface
from sealwright.registry.operators import NEWEST_IR, NEWEST_OPSET, OPERATORS
from sealwright.registry.reasons import Reason, printable
from sealwright.registry.tensors import problems_of_attribute, problems_of_tensor, small_numbers

__all__ = ["reasons_against_graph"]

_DOMAINS = {"": "", "ai.onnx": "", "ai.onnx.ml": "ai.onnx.ml"}
_MOST_ELEMENTS = 1 << 24  # elements one operator may make from a constant: 64 MiB of float32
_OLDEST_IR = 3
_REFUSED_OPERATORS = {
    "Loop": "can run for as long as its input likes",
    "RandomNormal": "answers differently each time",
    "RandomNormalLike": "answers differently each time",
    "RandomUniform": "answers differently each time",
    "RandomUniformLike": "answers differently each time",
    "Bernoulli": "answers differently each time",
    "Multinomial": "answers differently each time",
    "ImageDecoder": "parses files from the request",
}
# operator -> positions of the inputs that tell how large its output becomes
_SIZED_BY = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "Tile": (1,),
    "Range": (0, 1, 2),
    "Pad": (1,),
    "OneHot": (1,),
    "Resize": (2, 3),
    "Upsample": (1,),
    "CenterCropPad": (1,),
    "MaxUnpool": (2,),
    "AffineGrid": (1,),
    "Col2Im": (1,),
    "DFT": (1,),
    "HannWindow": (0,),
    "HammingWindow": (0,),
    "BlackmanWindow": (0,),
    "MelWeightMatrix": (0, 1),
}
_PRODUCT_COUNTS = frozenset({"ConstantOfShape", "Expand", "Tile"})


def reasons_against_graph(model: Any, interface: ModelInterface | None) -> Iterator[Reason]:
    """Every reason against a parsed model.

    Parameters
    ----------
    model : onnx.ModelProto
        Parsed from bytes that `wire.walk_model` let through.
    interface : ModelInterface or None
        What it must take and give; None leaves inputs and outputs unchecked.
    """
    yield from _envelope(model)
    imported = frozenset(_DOMAINS.get(entry.domain) for entry in model.opset_import)
    yield from _Graph(model.graph, "graph", imported).reasons()
    if interface is not None:
        yield from reasons_against_io(model.graph, interface)


def _envelope(model: Any) -> Iterator[Reason]:
    if not _OLDEST_IR <= model.ir_version <= NEWEST_IR:
        yield Reason(code="onnx.version", where="", message=f"IR version {model.ir_version} is not one we read")
    if len(model.functions):
        yield Reason(
            code="onnx.function",
            where=printable(model.functions[0].name),
            message="the model defines functions of its own; export it with functions inlined",
        )
    if len(model.training_info):
        yield Reason(code="onnx.training_info", where="", message="the model carries training instructions")
    if any(entry.key == "ort_config" for entry in model.metadata_props):
        yield Reason(code="onnx.runtime_settings", where="", message="the model carries settings for the runtime")
    versions: dict[str, int] = {}
    for entry in model.opset_import:
        domain = _DOMAINS.get(entry.domain)
        if domain is None:
            yield Reason(
                code="onnx.domain",
                where=printable(entry.domain),
                message="is an operator domain that is not admitted; use ai.onnx and ai.onnx.ml",
            )
        elif not 1 <= entry.version <= NEWEST_OPSET or versions.get(domain, entry.version) != entry.version:
            yield Reason(
                code="onnx.version", where=printable(entry.domain), message=f"opset {entry.version} is not usable"
            )
        else:
            versions[domain] = entry.version


class _Graph:
    """One graph and, through its nodes, those inside it, which may use names of `outer`."""

    def __init__(self, graph: Any, where: str, imported: frozenset[str | None], outer: "_Graph | None" = None) -> None:
        self._graph, self._where, self._imported, self._outer = graph, where, imported, outer
        self._names: dict[str, bool] = {}  # name -> does its content depend on the values of the request?
        self._constants: dict[str, list[float] | None] = {}

    def reasons(self) -> Iterator[Reason]:
        yield from self._own_names()
        if len(self._graph.sparse_initializer):
            yield self._no("onnx.sparse", "", "has sparse constants, which have no bound in memory")
        for node in self._graph.node:
            where = f"{self._where}/{printable(node.name or node.op_type)}"
            yield from self._operator(node, where)
            yield from self._attributes(node, where)
            yield from self._growth(node, where)
            yield from self._flow(node, where)
        for output in self._graph.output:
            if self._depends(output.name) is None:
                yield self._no("onnx.graph", printable(output.name), "is an output that nothing makes")

    def _own_names(self) -> Iterator[Reason]:
        for tensor in self._graph.initializer:
            for code, message in problems_of_tensor(tensor):
                yield self._no(code, printable(tensor.name), message)
            yield from self._define(tensor.name, depends=False)
            self._constants[tensor.name] = small_numbers(tensor)
        for given in self._graph.input:
            if given.name in self._constants:
                yield self._no("onnx.io", printable(given.name), "is both an input and a stored constant")
                continue
            yield from self._define(given.name, depends=True)

    def _define(self, name: str, *, depends: bool) -> Iterator[Reason]:
        if self._depends(name) is not None:
            yield self._no("onnx.graph", printable(name), "is defined twice")
        self._names[name] = depends

    def _depends(self, name: str) -> bool | None:
        """Whether what `name` holds depends on request values; None for a name nothing has made yet."""
        found = self._names.get(name)
        return self._outer._depends(name) if found is None and self._outer else found  # noqa: SLF001 (one class)

    def _constant_of(self, name: str) -> list[float]:
        if name in self._names or self._outer is None:
            return self._constants.get(name) or []
        return self._outer._constant_of(name)  # noqa: SLF001 (one class)

    def _operator(self, node: Any, where: str) -> Iterator[Reason]:
        domain = _DOMAINS.get(node.domain)
        if domain is None:
            yield Reason(
                code="onnx.domain",
                where=where,
                message=f"uses the operator domain {printable(node.domain)}, which is not admitted",
            )
        elif node.op_type in _REFUSED_OPERATORS:
            yield Reason(
                code="onnx.operator",
                where=where,
                message=f"{node.op_type} is not admitted: it {_REFUSED_OPERATORS[node.op_type]}",
            )
        elif domain not in self._imported:
            yield Reason(
                code="onnx.version", where=where, message="the model does not say which opset its operators are of"
            )
        elif node.op_type not in OPERATORS[domain]:
            yield Reason(
                code="onnx.operator", where=where, message=f"{printable(node.op_type)} is not an ONNX operator"
            )
        if node.overload:
            yield Reason(code="onnx.function", where=where, message="calls a function of the model")

    def _attributes(self, node: Any, where: str) -> Iterator[Reason]:
        for attribute in node.attribute:
            place = f"{where}.{printable(attribute.name)}"
            for code, message in problems_of_attribute(attribute):
                yield Reason(code=code, where=place, message=message)
            for tensor in [*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors]:
                for code, message in problems_of_tensor(tensor):
                    yield Reason(code=code, where=place, message=message)
            for inner in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
                yield from _Graph(inner, place, self._imported, self).reasons()

    def _flow(self, node: Any, where: str) -> Iterator[Reason]:
        """Names in order, each made once; and whether their content depends on request values."""
        for name in node.input:
            if name and self._depends(name) is None:
                yield Reason(code="onnx.graph", where=where, message=f"uses {printable(name)} before anything makes it")
        has_graph = any(attribute.HasField("g") or len(attribute.graphs) for attribute in node.attribute)
        depends = has_graph or any(self._depends(name) for name in node.input if name)
        if node.op_type in ("Shape", "Size") and not node.domain:
            depends = False
        for name in filter(None, node.output):
            yield from self._define(name, depends=depends)
        if node.op_type == "Constant":
            self._constants.update((name, _constant(node)) for name in node.output)

    def _growth(self, node: Any, where: str) -> Iterator[Reason]:
        places = _SIZED_BY.get(node.op_type, ()) if _DOMAINS.get(node.domain) == "" else ()
        names = [node.input[place] for place in places if place < len(node.input) and node.input[place]]
        if any(self._depends(name) for name in names):
            yield Reason(
                code="onnx.size_from_values",
                where=where,
                message=f"{node.op_type} makes an output as large as a value in the request says",
            )
            return
        numbers = [number for name in names for number in self._constant_of(name)]
        numbers += [number for attribute in node.attribute for number in _sizes_in(node.op_type, attribute)]
        if node.op_type == "Range" and len(numbers) == 3:
            start, stop, step = numbers
            made = abs(stop - start) / abs(step) if step else math.inf
        elif node.op_type in _PRODUCT_COUNTS:
            made = math.prod(abs(number) for number in numbers)
        else:
            made = sum(abs(number) for number in numbers)
        if not made <= _MOST_ELEMENTS:
            yield Reason(
                code="onnx.too_large_output",
                where=where,
                message=f"{node.op_type} asks for {made:,.0f} values; at most {_MOST_ELEMENTS:,} are admitted",
            )

    def _no(self, code: str, name: str, message: str) -> Reason:
        return Reason(code=code, where=f"{self._where}/{name}" if name else self._where, message=message)


def _constant(node: Any) -> list[float] | None:
    """The numbers a Constant node gives, if they are few."""
    for attribute in node.attribute:
        if attribute.name == "value":
            return small_numbers(attribute.t)
        if attribute.name in ("value_int", "value_float"):
            return [attribute.i if attribute.name == "value_int" else attribute.f]
        if attribute.name in ("value_ints", "value_floats"):
            return [*attribute.ints[:64], *attribute.floats[:64]]
    return None


def _sizes_in(operator: str, attribute: Any) -> list[float]:
    """Sizes that older opsets write as attributes."""
    if (operator, attribute.name) in {("Pad", "pads"), ("MaxUnpool", "pads"), ("ConvTranspose", "output_shape")}:
        return list(attribute.ints)
    if (operator, attribute.name) == ("Upsample", "scales"):
        return list(attribute.floats)
    return []
