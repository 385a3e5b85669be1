"""Operators that reckon: sums, products, layers of networks, and the models of ai.onnx.ml."""

from sealwright.registry.growth.asked import Asked, Unbounded
from sealwright.registry.growth.figures import product_of
from sealwright.registry.growth.sizes import ONE, Size, Value, broadcast, product, value_of, widest

__all__ = [
    "classified", "counted_words", "encoded", "features", "passed", "matmul", "einsum", "gemm", "pooled_to_one",
    "recurrent", "reduced", "regressed", "same", "shorter", "windowed", "joined",
]  # fmt: skip


def same(asked: Asked) -> list[Value]:
    """The first output is like the first input; others (a mean, a scale, a mask) are no larger."""
    value = asked.value(0)
    return [value.shape, *[Value(dims=None, total=value.total.loose)] * (asked.outputs - 1)]


def passed(asked: Asked) -> Value:
    """Identity: the very same."""
    return asked.value(0)


def shorter(asked: Asked) -> Value:
    return value_of([one.loose for one in asked.dims(0)])


def reduced(asked: Asked) -> Value:
    value, axes, keep = asked.value(0), asked.axes(1, "axes"), bool(asked.whole("keepdims", 1))
    if not axes and asked.whole("noop_with_empty_axes"):
        return value.shape
    held = product_of(value) if asked.operator == "ReduceProd" else None
    if not axes and not keep:
        return value_of([], held)
    dims = value.known
    gone = {range(len(dims))[axis] for axis in axes} if axes else set(range(len(dims)))
    left = [ONE if place in gone else one for place, one in enumerate(dims) if keep or place not in gone]
    return value_of(left, held if len(gone) == len(dims) else None)


def matmul(asked: Asked) -> Value:
    left, right = asked.dims(0), asked.dims(3 if asked.operator == "QLinearMatMul" else 1)
    outer = broadcast([value_of(left[:-2]), value_of(right[:-2])]).known
    return value_of([*outer, *left[-2:-1], *(right[-1:] if len(right) > 1 else ())])


def gemm(asked: Asked) -> Value:
    (a, b), (c, d) = asked.dims(0), asked.dims(1)
    return value_of([b if asked.whole("transA") else a, c if asked.whole("transB") else d])


def einsum(asked: Asked) -> Value:
    words = asked.attribute("equation")
    left, arrow, right = ("" if words is None else words.s.decode().replace(" ", "")).partition("->")
    if not arrow or not (left.replace(",", "") + right).isalpha():
        raise Unbounded("its equation is of a kind that has no rule here")
    sizes: dict[str, Size] = {}
    for letters, value in zip(left.split(","), asked.values(), strict=True):
        for letter, size in zip(letters, value.known, strict=True):
            sizes[letter] = widest(sizes.get(letter, ONE), size)
    return value_of([sizes[letter] for letter in right])


def windowed(asked: Asked) -> list[Value]:
    """Convolution and pooling: no output is longer than its padded input."""
    dims = asked.dims(0)
    pads = asked.wholes("pads") or [0] * (2 * (len(dims) - 2))
    conv = asked.operator in ("Conv", "ConvInteger")
    along = [
        (one + Size(abs(pads[place])) + Size(abs(pads[place + len(dims) - 2]))).loose
        for place, one in enumerate(dims[2:])
    ]
    return [value_of([dims[0], asked.dims(1)[0] if conv else dims[1], *along])] * 2


def pooled_to_one(asked: Asked) -> Value:
    dims = asked.dims(0)
    return value_of([*dims[:2], *[ONE] * (len(dims) - 2)])


def recurrent(asked: Asked) -> list[Value]:
    first, second, _ = asked.dims(0)
    directions, _, hidden = asked.dims(2)
    if asked.whole("layout"):
        last = value_of([first, directions, hidden])
        return [value_of([first, second, directions, hidden]), last, last]
    last = value_of([directions, second, hidden])
    return [value_of([first, directions, second, hidden]), last, last]


def encoded(asked: Asked) -> Value:
    return value_of([*asked.dims(0), Size(asked.listed("cats_strings", "cats_int64s"))])


def features(asked: Asked) -> Value:
    return value_of([*asked.dims(0)[:-1], asked.value(1).total])


def joined(asked: Asked) -> Value:
    """FeatureVectorizer of tables."""
    tables = [value.known for value in asked.values()]
    if any(len(table) != 2 for table in tables):
        raise Unbounded("it joins other things than tables")
    width = tables[0][1]
    for _, more in tables[1:]:
        width = width + more
    return value_of([tables[0][0], width.loose])


def classified(asked: Asked) -> list[Value]:
    names = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
    labels = asked.listed(*names)
    width = max(labels, asked.listed("intercepts"), asked.listed("rho"), 2)
    rows = _rows(asked)
    return [value_of([rows]), value_of([rows, Size(width, exact=width == labels)])]


def regressed(asked: Asked) -> Value:
    return value_of([_rows(asked), Size(max(asked.whole("n_targets", 1), asked.whole("targets", 1)))])


def _rows(asked: Asked) -> Size:
    dims = asked.dims(0)
    return product(dims[:-1]) if len(dims) > 1 else ONE


def counted_words(asked: Asked) -> Value:
    """TfIdfVectorizer."""
    width = max(asked.wholes("ngram_indexes") or [0]) + 1
    return value_of([*asked.dims(0)[:-1], Size(width)])
