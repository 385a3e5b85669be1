"""Redis on another machine is reached over TLS, and only where its certificate is of the CA and the name we know."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki import Pki
from sealwright.engines import Amount, Ask, CountersSilent, Quota, RedisCounters, RedisPlace

QUOTA = Quota(per_second=1.0, burst=10, units_a_day=10, extras_a_day=1, slots=1)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = Pki(tmp_path_factory.mktemp("pki"))
    made.certificate("server", names=("localhost",))
    made.certificate("ours", usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    other = made.folder / "other"
    other.mkdir()
    Pki(other)
    return made


@pytest.fixture(scope="module")
def port(pki: Pki) -> Iterator[int]:
    """A Redis that speaks TLS only and asks for a certificate of the CA."""
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server here")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    files = {"tls-cert-file": "server.pem", "tls-key-file": "server.key", "tls-ca-cert-file": "ca.pem"}
    options = [part for option, name in files.items() for part in (f"--{option}", str(pki.folder / name))]
    command = [program, "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", "", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=pki.folder)
    try:
        for _ in range(200):
            if process.poll() is not None:
                pytest.skip("this redis-server cannot speak TLS")
            with socket.socket() as tried:
                if not tried.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def _place(folder: Path, port: int, *, host: str = "localhost", ca: str = "ca.pem") -> RedisPlace:
    return RedisPlace(
        host=host, port=port, ca=str(folder / ca), certificate=str(folder / "ours.pem"), key=str(folder / "ours.key")
    )


def test_counters_are_reached_over_tls_with_certificates_of_both_sides(pki: Pki, port: int) -> None:
    with contextlib.closing(RedisCounters(_place(pki.folder, port), prefix="t:")) as counters:
        (grant,) = counters.draw([Ask(key="k", quota=QUOTA, most=Amount(3, 0, 0))])
    assert grant.more.units == 3


@pytest.mark.parametrize("wrong", [{"ca": "other/ca.pem"}, {"host": "127.0.0.1"}, {"ca": "missing.pem"}])
def test_a_redis_of_another_ca_or_name_is_not_believed(pki: Pki, port: int, wrong: dict[str, str]) -> None:
    with pytest.raises(CountersSilent):
        RedisCounters(_place(pki.folder, port, **wrong), prefix="t:")


def test_a_redis_that_speaks_tls_is_not_asked_without(port: int) -> None:
    with pytest.raises(CountersSilent):
        RedisCounters(RedisPlace(port=port, tls=False), prefix="t:")
