"""The messages of the Open Inference Protocol's gRPC service, as classes made at run time.

Names, numbers and types are those of the specification (https://github.com/kserve/open-inference-protocol, specification/protocol, package
`inference`), written here as a table; protobuf makes the classes of it. They live in a pool of our own, so that they never meet
the classes of a client library in the same process.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

__all__ = ["MESSAGES", "message_class"]

# message -> field -> (number, type); "*" repeated, "{}" a map from string, "|" one of a choice
MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "ServerLiveRequest": {},
    "ServerLiveResponse": {"live": (1, "bool")},
    "ServerReadyRequest": {},
    "ServerReadyResponse": {"ready": (1, "bool")},
    "ModelReadyRequest": {"name": (1, "string"), "version": (2, "string")},
    "ModelReadyResponse": {"ready": (1, "bool")},
    "ServerMetadataRequest": {},
    "ServerMetadataResponse": {"name": (1, "string"), "version": (2, "string"), "extensions": (3, "*string")},
    "ModelMetadataRequest": {"name": (1, "string"), "version": (2, "string")},
    "TensorMetadata": {"name": (1, "string"), "datatype": (2, "string"), "shape": (3, "*int64")},
    "ModelMetadataResponse": {
        "name": (1, "string"), "versions": (2, "*string"), "platform": (3, "string"), "inputs": (4, "*TensorMetadata"),
        "outputs": (5, "*TensorMetadata"),
    },
    "InferParameter": {"bool_param": (1, "|bool"), "int64_param": (2, "|int64"), "string_param": (3, "|string")},
    "InferTensorContents": {
        "bool_contents": (1, "*bool"), "int_contents": (2, "*int32"), "int64_contents": (3, "*int64"),
        "uint_contents": (4, "*uint32"), "uint64_contents": (5, "*uint64"), "fp32_contents": (6, "*float"),
        "fp64_contents": (7, "*double"), "bytes_contents": (8, "*bytes"),
    },
    "InferInputTensor": {
        "name": (1, "string"), "datatype": (2, "string"), "shape": (3, "*int64"), "parameters": (4, "{}InferParameter"),
        "contents": (5, "InferTensorContents"),
    },
    "InferRequestedOutputTensor": {"name": (1, "string"), "parameters": (2, "{}InferParameter")},
    "ModelInferRequest": {
        "model_name": (1, "string"), "model_version": (2, "string"), "id": (3, "string"),
        "parameters": (4, "{}InferParameter"), "inputs": (5, "*InferInputTensor"),
        "outputs": (6, "*InferRequestedOutputTensor"), "raw_input_contents": (7, "*bytes"),
    },
    "InferOutputTensor": {
        "name": (1, "string"), "datatype": (2, "string"), "shape": (3, "*int64"), "parameters": (4, "{}InferParameter"),
        "contents": (5, "InferTensorContents"),
    },
    "ModelInferResponse": {
        "model_name": (1, "string"), "model_version": (2, "string"), "id": (3, "string"),
        "parameters": (4, "{}InferParameter"), "outputs": (5, "*InferOutputTensor"), "raw_output_contents": (6, "*bytes"),
    },
}  # fmt: skip

_FieldType = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    name: getattr(_FieldType, f"TYPE_{name.upper()}")
    for name in ("bool", "int32", "int64", "uint32", "uint64", "float", "double", "string", "bytes")
}


@cache
def message_class(name: str) -> Any:
    """The class of one message of `MESSAGES`."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"inference.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="sealwright/inference.proto", package="inference", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _add(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _add(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number)
    field.label = _FieldType.LABEL_REPEATED if kind[0] in "*{" else _FieldType.LABEL_OPTIONAL
    if kind.startswith("{}"):
        entry = message.nested_type.add(name="".join(part.title() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _add(entry, "key", 1, "string")
        _add(entry, "value", 2, kind[2:])
        field.type, field.type_name = _FieldType.TYPE_MESSAGE, f".inference.{message.name}.{entry.name}"
        return
    if kind[0] == "|":
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0
    kind = kind.lstrip("*|")
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _FieldType.TYPE_MESSAGE, f".inference.{kind}"
