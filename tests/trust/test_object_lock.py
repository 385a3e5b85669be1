"""Checkpoints in a bucket with Object Lock. The store is moto on a loopback socket: it speaks S3, and it is a fake."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from sealwright.kernel import InvalidInput, NotFound, OperationFailed, Refused, VerificationFailed
from sealwright.trust import Ledger, LocalSigner, LockedBucket, verify_ledger

ORIGIN = "sealwright/ws_1/ledger"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
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
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def client(endpoint: str) -> Iterator[Any]:
    made = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    yield made
    made.close()


@pytest.fixture
def archive(endpoint: str, client: Any, request: pytest.FixtureRequest) -> LockedBucket:
    name = f"archive-{abs(hash(request.node.name)) % 10**9}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return LockedBucket(name, days=400, endpoint=endpoint)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=SIGNER, create=True) as one:
        one.append("a.b", "s", {})
        yield one


def test_a_checkpoint_is_locked_away_and_cannot_be_removed(archive: LockedBucket, ledger: Ledger, client: Any) -> None:
    now = datetime.now(UTC)
    key = archive.put(ledger.checkpoint(), now=now)
    kept = client.head_object(Bucket=archive.bucket, Key=key)
    assert kept["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] - now > timedelta(days=399)
    (version,) = client.list_object_versions(Bucket=archive.bucket)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=archive.bucket, Key=key, VersionId=version["VersionId"])
    assert archive.newest(ORIGIN) == ledger.checkpoint()


def test_the_newest_shows_a_ledger_that_was_cut_off_t57(archive: LockedBucket, ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for _ in range(11):
        ledger.append("a.b", "s", {})
        archive.put(ledger.checkpoint(), now=datetime.now(UTC))
    ledger.close()
    verify_ledger(folder, [SIGNER.public()], ORIGIN, witnessed=[archive.newest(ORIGIN)])
    (folder / "checkpoint").unlink()
    for name, data in before.items():
        (folder / name).write_bytes(data)
    with pytest.raises(VerificationFailed, match="ends before"):
        verify_ledger(folder, [SIGNER.public()], ORIGIN, witnessed=[archive.newest(ORIGIN)])


def test_the_same_one_again_is_kept_once(archive: LockedBucket, ledger: Ledger, client: Any) -> None:
    for _ in range(3):
        archive.put(ledger.checkpoint(), now=datetime.now(UTC))
    assert len(client.list_object_versions(Bucket=archive.bucket)["Versions"]) == 1


def test_a_bucket_that_locks_nothing_is_refused(endpoint: str, client: Any, ledger: Ledger) -> None:
    client.create_bucket(Bucket="open-bucket")
    bucket = LockedBucket("open-bucket", endpoint=endpoint)
    with pytest.raises(Refused, match="no Object Lock"):
        bucket.put(ledger.checkpoint(), now=datetime.now(UTC))
    assert "Contents" not in client.list_objects_v2(Bucket="open-bucket")


def test_a_store_that_is_away_or_says_no_is_told_without_secrets(endpoint: str, ledger: Ledger) -> None:
    for bucket in (
        LockedBucket("nobody-made-this", endpoint=endpoint),
        LockedBucket("b-c-d", endpoint="http://127.0.0.1:1"),
    ):
        with pytest.raises(OperationFailed) as caught:
            bucket.put(ledger.checkpoint(), now=datetime.now(UTC))
        assert SECRET not in str(caught.value)


def test_what_nobody_put_there_is_not_found(archive: LockedBucket) -> None:
    with pytest.raises(NotFound, match="holds no checkpoint"):
        archive.newest(ORIGIN)


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_days_that_make_no_sense_are_refused(days: int) -> None:
    with pytest.raises(InvalidInput):
        LockedBucket("archive", days=days)
