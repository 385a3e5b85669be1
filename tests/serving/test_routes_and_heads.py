"""Deny by default: what is not in the table does not exist, and what two HTTP readers could read differently is refused."""

import pytest

from sealwright.kernel import InvalidInput, Refused
from sealwright.serving import ServeConfig
from sealwright.serving.config import MOST_CONFIG_BYTES, ModelConfig
from sealwright.serving.problems import (
    BadRequest,
    BodyTooLarge,
    HttpRefusal,
    LengthRequired,
    MethodNotAllowed,
    Misdirected,
    NoSuchRoute,
    UnsupportedBody,
)
from sealwright.serving.routes import Permission, Route, RouteTable
from sealwright.serving.transport.admission import read_head
from sealwright.serving.transport.config import allowed_hosts

_HOSTS = frozenset({b"localhost", b"127.0.0.1", b"::1"})


def _handler() -> None:
    """Stands in for a handler."""


def test_an_entry_without_permission_does_not_start() -> None:
    for permission in (None, "", "predict", True):
        with pytest.raises(Refused, match="no permission"):
            RouteTable([Route("GET", "/v2", permission, _handler)])  # type: ignore[arg-type]


def test_an_entry_that_stands_twice_or_cannot_be_matched_does_not_start() -> None:
    entry = Route("GET", "/v2/models/{model}", Permission.PREDICT, _handler)
    with pytest.raises(Refused, match="twice"):
        RouteTable([entry, Route("GET", "/v2/models/{name}", Permission.OPEN, _handler)])
    for path in ("v2", "/v2/", "/v2/{a}{b}", "//", ""):
        with pytest.raises(Refused, match="cannot be matched"):
            RouteTable([Route("GET", path, Permission.OPEN, _handler)])


@pytest.mark.parametrize(
    "path",
    ["/", "", "/v2/", "//v2", "/V2", "/v2/models", "/v2/models/", "/v2/models/a/b", "/v2/models/a/ready/", "/v2/./health/live",
     "/v2/health/live%2f", "/v2%2fhealth/live", "/v2/health/live;x", "/admin", "/metrics", "/docs", "/openapi.json"],
)  # fmt: skip
def test_an_address_outside_the_table_does_not_exist(path: str) -> None:
    table = RouteTable(
        [
            Route("GET", "/v2/health/live", Permission.OPEN, _handler),
            Route("GET", "/v2/models/{model}", Permission.PREDICT, _handler),
            Route("GET", "/v2/models/{model}/ready", Permission.PREDICT, _handler),
        ]
    )
    with pytest.raises(NoSuchRoute):
        table.find("GET", path)
    assert table.find("GET", "/v2/models/m").values == {"model": "m"}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "get"])
def test_another_method_is_refused_and_told_which_are_allowed(method: str) -> None:
    table = RouteTable([Route("GET", "/v2", Permission.PREDICT, _handler)])
    with pytest.raises(MethodNotAllowed) as refusal:
        table.find(method, "/v2")
    assert refusal.value.headers == ((b"allow", b"GET"),)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ([], BadRequest),
        ([(b"host", b"localhost"), (b"host", b"localhost")], BadRequest),
        ([(b"host", b"localhost"), (b"authorization", b"a"), (b"authorization", b"b")], BadRequest),
        ([(b"host", b"localhost"), (b"content-length", b"5"), (b"content-length", b"5")], BadRequest),
        ([(b"host", b"localhost"), (b"content-type", b"a"), (b"content-type", b"b")], BadRequest),
        ([(b"host", b"localhost"), (b"content-length", b"-1")], BadRequest),
        ([(b"host", b"localhost"), (b"content-length", b"1e3")], BadRequest),
        ([(b"host", b"localhost"), (b"content-length", b"9" * 400)], BadRequest),
        ([(b"host", b"localhost"), (b"content-length", b"1001")], BodyTooLarge),
        ([(b"host", b"localhost"), (b"transfer-encoding", b"chunked")], LengthRequired),
        ([(b"host", b"localhost"), (b"transfer-encoding", b"identity")], LengthRequired),
        ([(b"host", b"evil.example")], Misdirected),
        ([(b"host", b"localhost.evil.example")], Misdirected),
        ([(b"host", b"evil.example:8443")], Misdirected),
        ([(b"host", b"localhost:abc")], Misdirected),
        ([(b"host", b"localhost@evil")], Misdirected),
        ([(b"host", b"")], Misdirected),
        ([(b"host", b"127.0.0.1.")], Misdirected),
        ([(b"host", b"0x7f.1")], Misdirected),
    ],
)
def test_heads_that_cannot_be_trusted_are_refused(headers: list[tuple[bytes, bytes]], kind: type[HttpRefusal]) -> None:
    with pytest.raises(kind):
        read_head(headers, hosts=_HOSTS, most_body=1000)


@pytest.mark.parametrize("host", [b"localhost", b"LOCALHOST:8443", b"127.0.0.1:1", b"[::1]:8443", b"[::1]"])
def test_our_own_names_are_accepted_with_and_without_port(host: bytes) -> None:
    assert read_head([(b"host", host)], hosts=_HOSTS, most_body=1).length is None


@pytest.mark.parametrize(
    ("kind", "extra"),
    [
        (b"", []),
        (b"text/plain", []),
        (b"application/json-patch+json", []),
        (b"application/octet-stream", []),
        (b"application/x-python-pickle", []),
        (b"multipart/form-data; boundary=x", []),
        (b"application/json; charset=utf-16", []),
        (b"application/json", [(b"content-encoding", b"gzip")]),
        (b"application/json", [(b"content-encoding", b"zstd")]),
        (b"application/json", [(b"inference-header-content-length", b"10")]),
    ],
)
def test_only_plain_json_bodies_are_read(kind: bytes, extra: list[tuple[bytes, bytes]]) -> None:
    head = read_head(
        [(b"host", b"localhost"), (b"content-type", kind), (b"content-length", b"5"), *extra],
        hosts=_HOSTS,
        most_body=10,
    )
    with pytest.raises(UnsupportedBody):
        head.need()


@pytest.mark.parametrize(
    "kind",
    [b"application/json", b"Application/JSON", b"application/json; charset=utf-8", b'application/json;charset="UTF-8"'],
)
def test_json_is_accepted_in_its_usual_spellings(kind: bytes) -> None:
    head = read_head(
        [(b"host", b"localhost"), (b"content-type", kind), (b"content-length", b"5")], hosts=_HOSTS, most_body=10
    )
    head.need()  # raises where it is another kind
    assert head.length == 5


def test_a_body_of_unknown_length_is_refused() -> None:
    with pytest.raises(LengthRequired):
        read_head([(b"host", b"localhost"), (b"content-type", b"application/json")], hosts=_HOSTS, most_body=10).need()


def _model(project: str = "german-credit", channel: str = "live") -> ModelConfig:
    return ModelConfig(project=project, channel=channel, person_key="ef" * 32)


def _config(**changes: object) -> ServeConfig:
    values: dict[str, object] = {
        "workspace": "ws_1", "models": [_model()], "home": "/tmp/w", "trust_root": "{}", "decision_key": "ab" * 32,
        "token_issuer": "i", "token_audience": "a", "host": "127.0.0.1", "port": 0, "hosts": ["localhost"],
        "tls_certificate": None, "tls_key": None,
    }  # fmt: skip
    return ServeConfig(**(values | changes))  # type: ignore[arg-type]


def test_settings_survive_the_pipe() -> None:
    assert ServeConfig.from_bytes(_config().to_bytes()) == _config()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_without_tls_only_this_machine_is_listened_to(host: str) -> None:
    with pytest.raises(Refused, match="Without TLS"):
        _config(host=host).checked()
    _config(host=host, tls_certificate="/c", tls_key="/k").checked()


@pytest.mark.parametrize(
    "change",
    [
        {"tls_certificate": "/c"},
        {"tls_key": "/k"},
        {"hosts": []},
        {"home": "relative"},
        {"models": [_model("../x")]},
        {"models": [_model("x", "a/b")]},
        {"models": [_model(channel="live"), _model(channel="trial")]},
        {"models": [_model("one"), _model("two")], "platform": "sagemaker", "behind_platform": True},
    ],
)
def test_half_or_unsafe_settings_do_not_start(change: dict[str, object]) -> None:
    with pytest.raises((Refused, InvalidInput)):
        _config(**change).checked()


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b'{"format":2}', b"\xff", b"[" * 100_000])
def test_settings_that_cannot_be_read_are_refused_without_being_repeated(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        ServeConfig.from_bytes(data)


def test_an_unknown_setting_is_refused() -> None:
    data = _config().to_bytes().replace(b'"port"', b'"verify":false,"port"')
    with pytest.raises(InvalidInput):
        ServeConfig.from_bytes(data)


def test_settings_too_large_for_the_pipe_are_refused() -> None:
    with pytest.raises(InvalidInput, match="handed over"):
        _config(trust_root="x" * MOST_CONFIG_BYTES).to_bytes()


def test_settings_do_not_show_their_keys() -> None:
    config = _config(decision_key="cd" * 32)
    for text in (repr(config), str(config), f"{config}"):
        assert "cd" * 8 not in text


def test_loopback_answers_to_its_own_names_only() -> None:
    assert allowed_hosts("127.0.0.1", ["credit.example"]) == ["localhost", "127.0.0.1", "::1", "credit.example"]
    assert allowed_hosts("10.0.0.5", []) == ["10.0.0.5"]
    assert allowed_hosts("0.0.0.0", ["credit.example"]) == ["localhost", "127.0.0.1", "::1", "credit.example"]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([b"1"], True),
        ([b"0", b"1"], True),
        ([b"0"], False),
        ([b"true"], False),
        ([b"11"], False),
        ([b" 1"], False),
        ([], False),
    ],
)
def test_the_signal_of_a_browser_is_exactly_one(values: list[bytes], found: bool) -> None:
    """W3C Global Privacy Control."""
    headers = [(b"host", b"localhost"), (b"dnt", b"1"), *((b"sec-gpc", value) for value in values)]
    assert read_head(headers, hosts=_HOSTS, most_body=1).gpc is found
