"""How large each operator of a model makes its outputs, at most, from how large its inputs are.

Answers: for one node, the bound of every output; or that there is none.
Does not answer: how large is too large (`graph`). An operator without a rule here has no bound and stays out.
Shapes follow https://onnx.ai/onnx/operators; where a dimension hangs on values, its upper bound stands for it.
"""

from collections.abc import Callable

from sealwright.registry.growth import figures, layers, making, moving
from sealwright.registry.growth.asked import Asked, Unbounded
from sealwright.registry.growth.sizes import Size, Value

__all__ = ["grown"]

_MOST_HELD = 64  # numbers of a value that are followed
_MOST_DIMENSIONS = 64
_LARGEST = 1 << 63

_SAME = """
Abs Acos Acosh Asin Asinh Atan Atanh BatchNormalization BitwiseNot CastLike Ceil Celu Clip Cos Cosh CumProd CumSum
DequantizeLinear Dropout DynamicQuantizeLinear Elu Erf Exp EyeLike Floor Gelu GroupNormalization HardSigmoid
HardSwish Hardmax InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Log LogSoftmax LpNormalization
MeanVarianceNormalization Mish Neg Not QuantizeLinear RMSNormalization Reciprocal RegexFullMatch Relu
ReverseSequence RotaryEmbedding Round Scatter ScatterElements ScatterND Selu Shrink Sigmoid Sign Sin Sinh Softmax
Softplus Softsign Sqrt Swish Tan Tanh TensorScatter ThresholdedRelu Trilu
"""
_PAIRWISE = """
Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod
Mul Or PRelu Pow StringConcat Sub Sum Xor
"""
_REDUCED = "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare"
_Rule = Callable[[Asked], Value | list[Value]]
_STANDARD: dict[str, _Rule] = {
    **dict.fromkeys(_SAME.split(), layers.same),
    **dict.fromkeys(_PAIRWISE.split(), figures.pairwise),
    **dict.fromkeys([f"Reduce{name}" for name in _REDUCED.split()], layers.reduced),
    **dict.fromkeys(("ArgMax", "ArgMin"), moving.best),
    **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul"), layers.matmul),
    **dict.fromkeys(("Conv", "ConvInteger", "MaxPool", "AveragePool", "LpPool"), layers.windowed),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"), layers.pooled_to_one),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), layers.recurrent),
    **dict.fromkeys(("HannWindow", "HammingWindow", "BlackmanWindow"), making.window),
    **dict.fromkeys(("Resize", "Upsample"), making.resized),
    "Cast": figures.cast,
    "Compress": moving.compressed,
    "Concat": moving.concatenated,
    "Constant": making.constant,
    "ConstantOfShape": making.filled,
    "Einsum": layers.einsum,
    "Expand": making.expanded,
    "Flatten": moving.flattened,
    "Gather": moving.gathered,
    "GatherElements": moving.gathered_apart,
    "GatherND": moving.gathered_deep,
    "Gemm": layers.gemm,
    "Identity": layers.passed,
    "NonZero": moving.not_zero,
    "OneHot": making.hot,
    "Pad": making.padded,
    "Range": making.range_of,
    "Reshape": moving.reshaped,
    "Shape": making.shape,
    "Size": making.elements,
    "Slice": moving.cut,
    "Split": moving.split,
    "Squeeze": moving.squeezed,
    "StringNormalizer": layers.shorter,
    "TfIdfVectorizer": layers.counted_words,
    "Tile": making.tiled,
    "TopK": moving.top,
    "Transpose": moving.transposed,
    "Unique": moving.unique,
    "Unsqueeze": moving.unsqueezed,
    "Where": figures.chosen,
}
_ML: dict[str, _Rule] = {
    **dict.fromkeys(("Imputer", "Scaler", "Normalizer", "Binarizer", "LabelEncoder", "CategoryMapper"), layers.same),
    **dict.fromkeys(("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier"), layers.classified),
    **dict.fromkeys(("LinearRegressor", "SVMRegressor", "TreeEnsembleRegressor", "TreeEnsemble"), layers.regressed),
    "ArrayFeatureExtractor": layers.features,
    "FeatureVectorizer": layers.joined,
    "OneHotEncoder": layers.encoded,
    "ZipMap": layers.same,
}
_RULES = {"": _STANDARD, "ai.onnx.ml": _ML}


def grown(asked: Asked, domain: str) -> list[Value]:
    """The outputs of a node.

    Raises
    ------
    Unbounded
        There is no rule for the operator, or a size in it cannot be followed.
    """
    rule = _RULES[domain].get(asked.operator)
    if rule is None:
        raise Unbounded("its output has no bound that we know")
    try:
        made = rule(asked)
    except Unbounded:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Unbounded(f"its sizes cannot be followed ({str(error)[:80] or type(error).__name__})") from None
    outputs = made if isinstance(made, list) else [made]
    if len(outputs) < asked.outputs:
        raise Unbounded("it has more outputs than its rule knows")
    if any(len(value.dims or ()) > _MOST_DIMENSIONS for value in outputs):
        raise Unbounded(f"its output has more than {_MOST_DIMENSIONS} dimensions")
    return [_within_reach(value) for value in outputs]


def _within_reach(value: Value) -> Value:
    """Without numbers that are too many, or too large to be a size: so this analysis cannot grow either."""
    if value.held is None or len(value.held) > _MOST_HELD:
        return value.shape
    held = tuple(
        None if isinstance(one, Size) and (one.times > _LARGEST or one.power > 4) else one for one in value.held
    )
    return Value(dims=value.dims, total=value.total, held=held)
