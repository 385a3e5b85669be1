"""What bodies are read: one plain form, or one strict JSON value. Everything else is refused before it is parsed.

Answers: can only one thing be read out of these bytes? Does not answer: is it what the handler wants.
Multipart is not among them: nothing is uploaded here, and its parsers are where trouble starts.
"""

from urllib.parse import parse_qsl

from sealwright.doors.control.refusals import BodyUnsupported, FormRefused
from sealwright.serving import Head, strict_body

__all__ = ["check_kind", "form_of", "is_json", "need_strict_json"]

_FORM, _JSON = b"application/x-www-form-urlencoded", b"application/json"
_MOST_FIELDS = 100
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})


def check_kind(method: str, head: Head) -> None:
    """Refuse a body by what its head says of it.

    Raises
    ------
    BodyUnsupported
        Compressed, multipart, of another type or charset, or a body where there is none.
    """
    if head.encoded or head.json_length is not None:
        raise BodyUnsupported
    if not head.length:
        return
    kind, _, rest = head.content_type.partition(b";")
    charset = rest.strip().lower().replace(b'"', b"")
    if method in _BODILESS or kind.strip().lower() not in (_FORM, _JSON) or charset not in (b"", b"charset=utf-8"):
        raise BodyUnsupported


def is_json(head: Head) -> bool:
    return head.content_type.partition(b";")[0].strip().lower() == _JSON


def need_strict_json(body: bytes) -> None:
    """Refuse JSON that two readers could read differently: repeated keys, NaN, deep nesting, text after it.

    Raises
    ------
    BodyMalformed, DuplicateKey
    """
    strict_body(body, frozenset())


def form_of(body: bytes) -> dict[str, str]:
    """The fields of a form, each once.

    Raises
    ------
    FormRefused
        Not such a form, more than 100 fields, or one of them twice.
    """
    if not body:
        return {}
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except (ValueError, UnicodeDecodeError):
        raise FormRefused(f"It is not a form of at most {_MOST_FIELDS} fields in UTF-8.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise FormRefused("A field stands there twice. Send each once.")
    return fields
