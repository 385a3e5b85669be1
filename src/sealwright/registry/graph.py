"""The graph of an ONNX model: only standard operators, everything inside the file, nothing that can grow.

Answers: may ONNX Runtime be given this graph? Every reason is listed, each with a stable code,
because an auditor will ask why a file was refused.
Does not answer: does the model predict well, or even run (`adapters.dry_run` runs it).

What can grow: some operators make an output as large as a number tells them (a 93-byte file can
ask for 256 GiB), others double what they are given, or multiply two of them. So every value must have a
bound (`growth`) in the number of rows, and a small one, in branches no request of a trial run may take too.
A size taken from a value in the request is refused, and so is what has no bound that we know.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sealwright.registry.graph_io import reasons_against_io
from sealwright.registry.growth.asked import Asked, Unbounded
from sealwright.registry.growth.budget import Budget
from sealwright.registry.growth.making import SIZED_BY, stored
from sealwright.registry.growth.rules import grown
from sealwright.registry.growth.scanning import after_scan, given_to_body
from sealwright.registry.growth.sizes import ROWS, Size, Value, either, value_of
from sealwright.registry.interface import ModelInterface
from sealwright.registry.operators import NEWEST_IR, NEWEST_OPSET, OPERATORS
from sealwright.registry.reasons import Reason, printable
from sealwright.registry.tensors import problems_of_attribute, problems_of_tensor

__all__ = ["reasons_against_graph"]

_DOMAINS = {"": "", "ai.onnx": "", "ai.onnx.ml": "ai.onnx.ml"}
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
    sound = True
    for rows in (ROWS, Size(0)):  # zero means "as it was" in a shape, so a request of no rows has bounds of its own
        if sound:
            given = [_given(value, rows) for value in model.graph.input]
            for reason in _Graph(model.graph, "graph", imported).reasons(given):
                sound = False
                yield reason
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
        self._values: dict[str, Value | None] = {}  # name -> its bound; None where a reason was given against it
        self._budget: Budget = outer._budget if outer else Budget()  # noqa: SLF001 (one class)

    def reasons(self, given: Sequence[Value | None]) -> Iterator[Reason]:
        """Every reason against the graph, where its inputs are at most as large as `given`."""
        yield from self._own_names(given)
        if len(self._graph.sparse_initializer):
            yield self._no("onnx.sparse", "", "has sparse constants, which have no bound in memory")
        for node in self._graph.node:
            where = f"{self._where}/{printable(node.name or node.op_type)}"
            inner: dict[str, _Graph] = {}
            yield from self._operator(node, where)
            yield from self._attributes(node, where, inner)
            yield from self._growth(node, where, inner)
            yield from self._flow(node, where)
        for output in self._graph.output:
            if self._depends(output.name) is None:
                yield self._no("onnx.graph", printable(output.name), "is an output that nothing makes")

    @property
    def is_blind(self) -> bool:
        """True where an input has no bound: then nobody may rely on `results`."""
        return any(self._values.get(wanted.name) is None for wanted in self._graph.input)

    def results(self) -> list[Value | None]:
        """The bounds of its outputs, after `reasons`."""
        return [self._value(output.name) for output in self._graph.output]

    def _own_names(self, given: Sequence[Value | None]) -> Iterator[Reason]:
        for tensor in self._graph.initializer:
            problems = list(problems_of_tensor(tensor))
            for code, message in problems:
                yield self._no(code, printable(tensor.name), message)
            yield from self._define(tensor.name, depends=False)
            self._values[tensor.name] = None if problems else stored(tensor)
        for place, wanted in enumerate(self._graph.input):
            if wanted.name in self._values:
                yield self._no("onnx.io", printable(wanted.name), "is both an input and a stored constant")
                continue
            yield from self._define(wanted.name, depends=True)
            self._values[wanted.name] = given[place] if place < len(given) else None
            if self._outer is None and self._values[wanted.name] is None:
                yield self._no("onnx.io", printable(wanted.name), "is an input whose dimensions are not given")

    def _define(self, name: str, *, depends: bool) -> Iterator[Reason]:
        if self._depends(name) is not None:
            yield self._no("onnx.graph", printable(name), "is defined twice")
        self._names[name] = depends

    def _depends(self, name: str) -> bool | None:
        """Whether what `name` holds depends on request values; None for a name nothing has made yet."""
        found = self._names.get(name)
        return self._outer._depends(name) if found is None and self._outer else found  # noqa: SLF001 (one class)

    def _value(self, name: str) -> Value | None:
        if name in self._values or self._outer is None:
            return self._values.get(name)
        return self._outer._value(name)  # noqa: SLF001 (one class)

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

    def _attributes(self, node: Any, where: str, inner: dict[str, "_Graph"]) -> Iterator[Reason]:
        """Reasons against its attributes; the graphs among them are noted in `inner`."""
        names = [attribute.name for attribute in node.attribute]
        if len(set(names)) < len(names):
            yield Reason(code="onnx.graph", where=where, message="has an attribute twice")
        for attribute in node.attribute:
            place = f"{where}.{printable(attribute.name)}"
            for code, message in problems_of_attribute(attribute):
                yield Reason(code=code, where=place, message=message)
            for tensor in [*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors]:
                for code, message in problems_of_tensor(tensor):
                    yield Reason(code=code, where=place, message=message)
            for graph in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
                inner[attribute.name] = _Graph(graph, place, self._imported, self)
                yield from inner[attribute.name].reasons(self._given_to_body(node, graph))

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

    def _growth(self, node: Any, where: str, inner: Mapping[str, "_Graph"]) -> Iterator[Reason]:
        """Whether every output has a bound, and a small one."""
        values = [self._value(name) if name else None for name in node.input]
        self._values.update(dict.fromkeys(node.output))
        domain = _DOMAINS.get(node.domain)
        unbounded = any(name and value is None for name, value in zip(node.input, values, strict=True))
        if unbounded or domain is None or node.op_type in _REFUSED_OPERATORS or node.op_type not in OPERATORS[domain]:
            return  # a reason was given already
        if any(self._depends(name) for name in _sizing(node)):
            message = f"{node.op_type} makes an output as large as a value in the request says"
            yield Reason(code="onnx.size_from_values", where=where, message=message)
            return
        try:
            made = self._made(node, domain, values, inner)
        except Unbounded as problem:
            message = f"{node.op_type} is not admitted here: {problem}"
            yield Reason(code="onnx.size_unknown", where=where, message=message)
            return
        for name, value in zip(node.output, made, strict=False):
            in_file = node.op_type == "Constant"  # and so within the limits of the file
            words = "" if value is None or in_file else self._budget.problem(value, values)
            if words:
                yield Reason(code="onnx.too_large_output", where=where, message=f"{node.op_type} {words}")
            else:
                self._values[name] = value

    def _made(
        self, node: Any, domain: str, values: Sequence[Value | None], inner: Mapping[str, "_Graph"]
    ) -> Sequence[Value | None]:
        """The bounds of the outputs of a node."""
        if self._outer is not None and not all(_is_constant(self._value(name)) for name in _sizing(node)):
            raise Unbounded("inside a branch, only a constant may say how large something becomes")
        if domain or node.op_type not in ("If", "Scan"):
            return grown(Asked(node, values), domain)
        if any(graph.is_blind for graph in inner.values()):
            raise Unbounded("how large the inputs of its graphs are cannot be told")
        results = {name: graph.results() for name, graph in inner.items()}
        if any(value is None for found in results.values() for value in found):
            return [None] * len(node.output)  # a reason was given in the branch
        made = _branched(results) if node.op_type == "If" else _scanned(Asked(node, values), results)
        if len(made) < len(node.output):
            raise Unbounded("it has more outputs than its graphs")
        return made

    def _given_to_body(self, node: Any, body: Any) -> Sequence[Value | None]:
        values = [self._value(name) if name else None for name in node.input]
        if node.op_type != "Scan" or any(value is None for value in values) or len(values) != len(body.input):
            return []  # opset 8 has another input, and other rules
        try:
            return given_to_body(Asked(node, values))
        except Unbounded:
            return []  # `_made` says why

    def _no(self, code: str, name: str, message: str) -> Reason:
        return Reason(code=code, where=f"{self._where}/{name}" if name else self._where, message=message)


def _given(wanted: Any, rows: Size) -> Value | None:
    """The bound of an input: what its declaration leaves open is the number of rows."""
    declared = wanted.type.tensor_type
    if not wanted.type.HasField("tensor_type") or not declared.HasField("shape"):
        return None
    sizes = [size.dim_value if size.HasField("dim_value") else None for size in declared.shape.dim]
    if sum(size is None for size in sizes) > 1 or any(size is not None and size < 0 for size in sizes):
        return None
    return value_of([rows if size is None else Size(size) for size in sizes])


def _sizing(node: Any) -> list[str]:
    """The inputs of a node that say how large its output becomes."""
    places = SIZED_BY.get(node.op_type, ()) if _DOMAINS.get(node.domain) == "" else ()
    return [node.input[place] for place in places if place < len(node.input) and node.input[place]]


def _is_constant(value: Value | None) -> bool:
    return value is not None and value.held is not None and all(isinstance(one, (int, float)) for one in value.held)


def _branched(results: Mapping[str, Sequence[Value | None]]) -> list[Value]:
    """If: whichever of two branches is taken."""
    if set(results) != {"then_branch", "else_branch"}:
        raise Unbounded("it has other graphs than two branches")
    pairs = zip(results["then_branch"], results["else_branch"], strict=False)
    return [either(one, other) for one, other in pairs if one is not None and other is not None]


def _scanned(asked: Asked, results: Mapping[str, Sequence[Value | None]]) -> list[Value]:
    if set(results) != {"body"}:
        raise Unbounded("it has other graphs than a body")
    return after_scan(asked, [value for value in results["body"] if value is not None])
