"""Objects in an S3-compatible store are read as files are, one version throughout, over https or with the project's word."""

import contextlib
import gzip
import http.server
import io
import logging
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from sealwright.data import (
    DataSpec,
    S3Source,
    Snapshot,
    Source,
    SourceUnreadable,
    TransportRefused,
    ingest,
    open_source,
)
from sealwright.data.sources import s3
from sealwright.data.sources.opening import _reader
from sealwright.data.sources.ranges import RangeStream
from sealwright.kernel import MissingExtra, canonical_json, digest_of
from sealwright.trust import Keyring

BLOCK = 4 << 20
SECRET = "S3cretWordThatNobodyMaySee"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store(endpoint: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of our own, with an empty bucket."""
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="credit")
    yield client
    for one in client.list_object_versions(Bucket="credit").get("Versions", ()):
        client.delete_object(Bucket="credit", Key=one["Key"], VersionId=one["VersionId"])
    client.delete_bucket(Bucket="credit")
    client.close()


def opened(endpoint: str, key: str, **more: Any) -> Source:
    return open_source(S3Source(s3=f"s3://credit/{key}", endpoint=endpoint, **more), Path())


def rows_of(source: Source) -> list[dict[str, Any]]:
    rows, numbers = [], []
    for batch in source.batches():
        rows += batch.rows.to_pylist()
        numbers += [*batch.numbers.tolist(), *(row.row for row in batch.rejected)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    return rows


def parquet_of(table: pa.Table, **more: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **more)
    return sink.getvalue()


TABLE = pa.table({"a": ["1", "2", None], "b": ["x", "y", "z"]})


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("in/x.csv", b"a,b\n1,x\n2,y\n,z\n"),
        ("x.csv.gz", gzip.compress(b"a,b\n1,x\n2,y\n,z\n", mtime=0)),
        ("x.jsonl", b'{"a":"1","b":"x"}\n{"a":"2","b":"y"}\n{"b":"z"}\n'),
        ("deep/down/x.parquet", parquet_of(TABLE, row_group_size=2)),
    ],
)
def test_an_object_is_read_as_a_file_is(endpoint: str, store: Any, tmp_path: Path, key: str, data: bytes) -> None:
    store.put_object(Bucket="credit", Key=key, Body=data)
    source = opened(endpoint, key)
    assert rows_of(source) == TABLE.to_pylist()
    (tmp_path / Path(key).name).write_bytes(data)
    local = open_source(Path(key).name, tmp_path)
    assert (source.digest, source.name, source.kind) == (local.digest, local.name, local.kind)
    assert source.digest == digest_of(data)
    assert (source.transport.encrypted, source.transport.how, source.transport.override_reason) == (
        False,
        "this machine",
        None,
    )


def test_its_snapshot_is_the_files_snapshot(
    endpoint: str,
    store: Any,
    take_in: Callable[..., Snapshot],
    contract: Callable[..., DataSpec],
    keyring: Keyring,
    snapshots: Path,
) -> None:
    spec = contract({"a": {"type": "integer"}})
    store.put_object(Bucket="credit", Key="x.csv", Body=b"y,a\ntrue,1\nfalse,2\n")
    far = ingest(opened(endpoint, "x.csv"), spec, snapshots=snapshots, keyring=keyring)
    assert far.digest == take_in("y,a\ntrue,1\nfalse,2\n", spec).digest


def test_a_large_parquet_file_is_read_in_ranges(endpoint: str, store: Any) -> None:
    """Larger than all the blocks kept in memory, its columns far apart."""
    table = pa.table({f"c{n}": pa.array(range(n, 400_000 + n), pa.int64()) for n in range(12)})
    data = parquet_of(table, compression="none", use_dictionary=False, row_group_size=300_000)
    assert len(data) > 8 * BLOCK
    store.put_object(Bucket="credit", Key="x.parquet", Body=data)
    source = opened(endpoint, "x.parquet")
    assert pa.Table.from_batches([batch.rows for batch in source.batches()]).equals(table)
    assert source.digest == digest_of(data)


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ({"s3": "s3://credit/none.csv"}, "there is no such object"),
        ({"s3": "s3://no-such-bucket/x.csv"}, "there is no such"),
        ({"s3": "s3://credit/x.csv", "version": "no-such-version"}, "does not give x.csv"),
        ({"s3": "s3://credit/empty.csv"}, "is empty"),
        ({"s3": "s3://credit/x.xlsx"}, "Known endings"),
        ({"s3": "s3://credit/none/"}, "names no file"),
        ({"s3": "s3://credit/x*.csv", "version": "v"}, "Leave out `version`"),
    ],
)
def test_what_is_not_there_is_refused_in_words(endpoint: str, store: Any, spec: Any, match: str) -> None:
    store.put_object(Bucket="credit", Key="x.csv", Body=b"a,b\n1,2\n")
    store.put_object(Bucket="credit", Key="empty.csv", Body=b"")
    with pytest.raises(SourceUnreadable, match=match) as refused:
        open_source(S3Source.model_validate({**spec, "endpoint": endpoint}), Path())
    assert refused.value.__cause__ is None
    assert SECRET not in str(refused.value)


def test_an_object_that_changes_while_it_is_read_is_refused(endpoint: str, store: Any) -> None:
    data = b'{"a":1}\n' * (4 * BLOCK // 8)
    store.put_object(Bucket="credit", Key="x.jsonl", Body=data)
    batches = opened(endpoint, "x.jsonl").batches()
    next(batches)
    store.put_object(Bucket="credit", Key="x.jsonl", Body=data.replace(b"1", b"2"))
    with pytest.raises(SourceUnreadable, match=r"x\.jsonl changed while it was read"):
        list(batches)


def test_an_object_that_changed_since_it_was_opened_is_refused(endpoint: str, store: Any) -> None:
    store.put_object(Bucket="credit", Key="x.csv", Body=b"a,b\n1,2\n")
    source = opened(endpoint, "x.csv")
    store.put_object(Bucket="credit", Key="x.csv", Body=b"a,b\n3,4\n")
    with pytest.raises(SourceUnreadable, match="changed"):
        rows_of(source)


def test_a_version_is_read_even_when_there_is_a_newer_one(endpoint: str, store: Any) -> None:
    store.put_bucket_versioning(Bucket="credit", VersioningConfiguration={"Status": "Enabled"})
    old = store.put_object(Bucket="credit", Key="x.csv", Body=b"a,b\n1,2\n")["VersionId"]
    newest = opened(endpoint, "x.csv")
    store.put_object(Bucket="credit", Key="x.csv", Body=b"a,b\n3,4\n")
    assert rows_of(newest) == [{"a": "1", "b": "2"}]  # pinned when it was opened
    assert rows_of(opened(endpoint, "x.csv", version=old)) == [{"a": "1", "b": "2"}]
    assert rows_of(opened(endpoint, "x.csv")) == [{"a": "3", "b": "4"}]


@pytest.mark.parametrize("key", ["parts/", "parts/*.jsonl", "parts/part-?.jsonl", "pa*/*"])
def test_parts_are_one_table_in_the_order_of_their_names(endpoint: str, store: Any, key: str) -> None:
    bodies = {"part-2.jsonl": b'{"a":2,"late":"x"}\n', "part-1.jsonl": b'{"a":1}\n{"a":1,"a":2}\n'}
    for name, body in bodies.items():
        store.put_object(Bucket="credit", Key=f"parts/{name}", Body=body)
    store.put_object(Bucket="credit", Key="parts/_SUCCESS", Body=b"")
    source = opened(endpoint, key)
    assert rows_of(source) == [{"a": 1, "late": None}, {"a": 2, "late": "x"}]
    prefix = "parts/" if key.startswith("pa*") else ""
    listed = [[prefix + name, digest_of(bodies[name])] for name in sorted(bodies)]
    assert source.digest == digest_of(canonical_json(listed))


# --- credentials


def test_no_credentials_say_what_to_set(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SourceUnreadable, match=r"no usable credentials(.|\n)*AWS_PROFILE"):
        opened(endpoint, "x.csv")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(SourceUnreadable, match="no usable credentials"):
        opened(endpoint, "x.csv")


@pytest.mark.parametrize(
    "spec",
    [
        {"s3": "s3://credit/x.csv", "endpoint": f"https://AKIA:{SECRET}@s3.example.org"},
        {"s3": "s3://credit/x.csv", "endpoint": "https://s3.example.org/?X-Amz-Signature=1"},
        {"s3": "s3://credit/x.csv", "secret_access_key": SECRET},
        {"s3": "https://credit.s3.example.org/x.csv"},
        {"s3": "s3://Credit!/x.csv"},
        {"s3": "s3://credit/"},
        {"s3": "s3://credit/x\n.csv"},
    ],
)
def test_the_project_file_holds_no_credentials_and_no_strange_addresses(spec: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        S3Source.model_validate(spec)


def test_neither_errors_nor_logs_show_a_secret(endpoint: str, store: Any, caplog: pytest.LogCaptureFixture) -> None:
    store.put_object(Bucket="credit", Key="x.csv", Body=b"a,b\n1,2\n")
    with caplog.at_level(logging.DEBUG):
        rows_of(opened(endpoint, "x.csv"))
        with pytest.raises(SourceUnreadable) as refused:
            opened(endpoint, "none.csv")
    assert SECRET not in caplog.text
    assert SECRET not in str(refused.value)
    assert "X-Amz-Signature" not in str(refused.value)


# --- the way


def test_a_store_elsewhere_is_asked_over_https_or_with_a_reason() -> None:
    with pytest.raises(TransportRefused, match=r"s3\.example\.org unencrypted \(http\)(.|\n)*https://"):
        s3.open_store(S3Source(s3="s3://credit/x.csv", endpoint="http://s3.example.org"))
    told = S3Source.model_validate(
        {
            "s3": "s3://credit/x.csv",
            "endpoint": "http://s3.example.org",
            "transport": {"unencrypted": "behind one switch"},
        }
    )
    transport = s3.open_store(told).client.transport
    assert (transport.encrypted, transport.override_reason) == (False, "behind one switch")
    for endpoint in ("https://s3.example.org", None):
        transport = s3.open_store(told.model_copy(update={"endpoint": endpoint})).client.transport
        assert (transport.encrypted, transport.override_reason) == (True, None)


def test_boto3_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(MissingExtra, match=r"sealwright\[s3\]"):
        opened(endpoint, "x.csv")


class _Strange(http.server.BaseHTTPRequestHandler):
    """A store that misbehaves in one way, and counts what it is asked."""

    protocol_version = "HTTP/1.1"
    data: ClassVar[bytes] = b"a,b\n" + b"1,2\n" * 100
    how: ClassVar[str] = ""
    asked: ClassVar[list[tuple[str, str]]] = []

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        type(self).asked.append((self.command, self.headers.get("Host", "")))
        gets = sum(verb == "GET" for verb, _ in self.asked)
        if self.how == "redirects":
            self.send_response(307)
            self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/elsewhere/x.csv")
            self.send_header("x-amz-bucket-region", "eu-west-1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.how == "is busy" or (self.how == "recovers" and self.command == "GET" and gets < 3):
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = self.data.replace(b"1,2", b"1,3") if self.how == "lies" and gets > 1 else self.data
        self.send_response(206 if body else 200)
        self.send_header("ETag", '"other"' if self.how == "forgets" and body else '"one"')
        self.send_header("Content-Length", str(len(data)))
        if body:
            first = 4 if self.how == "shifts" else 0
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if body and self.how == "is slow":
            time.sleep(1.5)
        if body:
            with contextlib.suppress(OSError):
                self.wfile.write(data[:50] if self.how == "cuts" else data)
        if self.how == "cuts":
            self.close_connection = True


@pytest.fixture
def strange() -> Iterator[Callable[[str], str]]:
    """The address of a store that behaves as it is told."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Strange)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def behave(how: str) -> str:
        _Strange.how, _Strange.asked = how, []
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield behave
    server.shutdown()
    server.server_close()
    thread.join()


def patient(endpoint: str) -> Source:
    spec = S3Source(s3="s3://credit/x.csv", endpoint=endpoint)
    return _reader(s3.open_store(spec, patience=0.3).object(), spec, spec)


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ("cuts", "breaks off"),
        ("is slow", "breaks off"),
        ("is busy", "does not give x.csv"),
        ("redirects", "does not give|leads to another address"),
        ("shifts", "another part"),
        ("forgets", "changed while it was read"),
        ("lies", "other bytes than before"),
    ],
)
def test_a_store_that_misbehaves_is_given_up_in_words_and_in_time(
    strange: Callable[[str], str], how: str, match: str
) -> None:
    address = strange(how)
    with pytest.raises(SourceUnreadable, match=match):
        rows_of(patient(address))
    assert len(_Strange.asked) <= 12
    assert {host for _, host in _Strange.asked} == {address.removeprefix("http://")}


@pytest.mark.parametrize("how", ["", "recovers"])
def test_a_store_that_recovers_is_read(strange: Callable[[str], str], how: str) -> None:
    assert len(rows_of(patient(strange(how)))) == 100


def test_a_proxy_gets_nothing_that_is_not_encrypted(
    strange: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert len(rows_of(patient(strange("")))) == 100


def test_another_endpoint_in_the_environment_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    for endpoint in ("https://s3.example.org", None):
        client = s3.open_store(S3Source(s3="s3://credit/x.csv", endpoint=endpoint, region="eu-west-1")).client._client
        assert client.meta.endpoint_url == (endpoint or "https://s3.eu-west-1.amazonaws.com")


@pytest.mark.parametrize("elsewhere", ["http://localhost:{port}/credit/x.csv", "https://127.0.0.1:{port}/credit/x.csv"])
def test_a_request_that_was_led_elsewhere_is_not_sent(strange: Callable[[str], str], elsewhere: str) -> None:
    """As boto3's own helper does, when a store says that the bucket is in another region."""
    address = strange("")
    spec = S3Source(s3="s3://credit/x.csv", endpoint=address)
    store = s3.open_store(spec, patience=0.3)

    def lead(request: Any, **_: Any) -> None:
        request.url = elsewhere.format(port=address.rpartition(":")[2])

    store.client._client.meta.events.register("request-created.s3", lead)
    with pytest.raises(SourceUnreadable, match="leads to another address"):
        _reader(store.object(), spec, spec)
    assert _Strange.asked == []


# --- ranges


def test_a_range_stream_is_a_file_like_any_other() -> None:
    data = bytes(range(256)) * (40 << 10)  # ten MiB
    asked: list[tuple[int, int]] = []

    def fetch(start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return data[start:stop]

    stream, plain = RangeStream(fetch, len(data), {}, "x"), io.BytesIO(data)
    for place, size in [(0, 10), (BLOCK - 1, 2), (len(data) - 3, 99), (5, 0), (2 * BLOCK + 7, 3 * BLOCK), (0, -1)]:
        assert stream.seek(place) == plain.seek(place)
        assert stream.read(size) == plain.read(size)
        assert stream.tell() == plain.tell()
    assert stream.seek(-5, io.SEEK_END) == plain.seek(-5, io.SEEK_END)
    buffer = bytearray(9)
    assert stream.readinto(buffer) == 5
    assert all(stop - start <= BLOCK and start % BLOCK == 0 for start, stop in asked)
    assert len(asked) == 3  # each block once


# --- memory

_MEMORY = """
import sys
from pathlib import Path
from sealwright.data import S3Source, open_source
import pyarrow, msgspec, boto3

memory = lambda what: next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(what)) // 1024
rows = lambda key: sum(
    batch.rows.num_rows for batch in open_source(S3Source(s3=f"s3://credit/{key}", endpoint=sys.argv[1]), Path()).batches()
)
rows("small" + Path(sys.argv[2]).suffix)  # what boto3 loads is no part of it
Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
assert rows(sys.argv[2]) == int(sys.argv[3])
print(memory("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_memory_does_not_grow_with_the_object(
    endpoint: str, store: Any, ending: str, run_child: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    grown = []
    for rows in (100, 200_000, 1_000_000):
        table = pa.table({f"c{n}": pa.array(range(rows * n, rows * (n + 1)), pa.int64()) for n in range(10)})
        sink = io.BytesIO()
        if ending == ".csv":
            pcsv.write_csv(table, sink)
        else:
            pq.write_table(table, sink, compression="none", use_dictionary=False, row_group_size=50_000)
        key = "small" if rows == 100 else f"x{rows}"
        store.put_object(Bucket="credit", Key=key + ending, Body=sink.getvalue())
        if rows > 100:
            ended = run_child(_MEMORY, endpoint, key + ending, str(rows))
            assert ended.returncode == 0, ended.stderr
            grown.append(int(ended.stdout))
    assert grown[1] <= 200, grown
    assert grown[1] <= grown[0] + 60, grown
