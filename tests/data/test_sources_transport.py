"""Rows of a query cross a network under TLS, or the source does not open, or the project file says why they may."""

import contextlib
import datetime as dt
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sealwright.data import SourceUnreadable, SqlSource, TransportRefused
from sealwright.data.sources.network import is_this_machine
from sealwright.data.sources.sql import DatabaseQuery
from sealwright.data.sources.sql_transport import planned_transport

WHY = {"unencrypted": "a dedicated line between two racks"}
FAR = "postgresql+psycopg://ada:S3cretWord@db.example.org/credit"


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)


def plan(address: str, transport: Any = None, is_local: Any = is_this_machine) -> Any:
    spec = SqlSource.model_validate({"sql": "SELECT 1", "url_env": "DB_URL", "transport": transport})
    return planned_transport(sa.make_url(address), spec, is_local)


# --- before anything is sent


@pytest.mark.parametrize(
    "sslmode", ["", "?sslmode=disable", "?sslmode=allow", "?sslmode=prefer", "?sslrootcert=/ca.pem"]
)
def test_a_server_elsewhere_is_not_asked_without_tls(sslmode: str) -> None:
    with pytest.raises(
        TransportRefused, match=r"db\.example\.org.*TLS is not required(.|\n)*sslmode=verify-full"
    ) as no:
        plan(FAR + sslmode)
    assert "S3cretWord" not in str(no.value)
    assert "transport: {unencrypted" in str(no.value)
    assert (no.value.code, no.value.exit_code) == ("data.transport_refused", 3)


@pytest.mark.parametrize("sslmode", ["require", "verify-ca", "verify-full"])
def test_a_server_elsewhere_is_asked_where_tls_is_required(sslmode: str) -> None:
    found = plan(f"{FAR}?sslmode={sslmode}")
    assert (found.local, found.sslmode, found.reason) == (False, sslmode, None)


def test_the_projects_reason_lets_it_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan(FAR, WHY).reason == WHY["unencrypted"]
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert plan(FAR, WHY).reason is None  # not needed, so not made use of


@pytest.mark.parametrize("reason", ["", "x", "       x      "])
def test_a_reason_says_something(reason: str) -> None:
    with pytest.raises(ValueError, match="at least 8 characters"):
        plan(FAR, {"unencrypted": reason})


def test_the_variables_the_driver_reads_count_as_the_driver_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert plan(FAR).sslmode == "verify-full"
    with pytest.raises(TransportRefused, match="sslmode=prefer"):
        plan(FAR + "?sslmode=prefer")  # what the address says comes first
    monkeypatch.setenv("PGSSLMODE", "disable")
    with pytest.raises(TransportRefused, match="sslmode=disable"):
        plan(FAR)
    assert plan(FAR + "?sslmode=verify-full").sslmode == "verify-full"
    assert plan("postgresql+psycopg:///credit").local  # the Unix socket of this machine
    monkeypatch.setenv("PGHOST", "db.example.org")
    with pytest.raises(TransportRefused, match=r"db\.example\.org"):
        plan("postgresql+psycopg:///credit")


def test_a_service_file_counts_as_the_driver_reads_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "services").write_text(
        "[far]\nhost=db.example.org\nsslmode=allow\n[safe]\nhost=db.example.org\nsslmode=verify-full\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGSERVICE", "far")
    with pytest.raises(TransportRefused, match=r"db\.example\.org.*sslmode=allow"):
        plan("postgresql+psycopg:///credit")
    monkeypatch.setenv("PGSERVICE", "safe")
    assert plan("postgresql+psycopg:///credit").sslmode == "verify-full"
    with pytest.raises(TransportRefused, match="service file"):
        plan("postgresql+psycopg:///credit?service=safe")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://ada@127.0.0.1/credit",
        "postgresql+psycopg://ada@127.8.8.8/credit",
        "postgresql+psycopg://ada@[::1]/credit",
        "postgresql+psycopg://ada@localhost/credit",
        "postgresql+psycopg://ada@/credit?host=/run/postgresql",
        "postgresql+psycopg://ada@/credit?host=localhost:5432&host=127.0.0.1:5433",
        "postgresql+psycopg://ada@db.example.org/credit?hostaddr=127.0.0.1",
        "sqlite:////folder/file.db",
        "mysql+pymysql://ada@127.0.0.1/credit",
    ],
)
def test_this_machine_needs_no_tls(address: str) -> None:
    assert plan(address).local


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://ada@127.0.0.1/credit?hostaddr=192.0.2.1",
        "postgresql+psycopg://ada@/credit?host=localhost:5432&host=db.example.org:5432",
        "postgresql+psycopg://ada@localhost.example.org/credit",
        "postgresql+psycopg://ada@127.0.0.1.example.org/credit",
        "postgresql+psycopg://ada@10.0.0.1/credit",
        "postgresql+pg8000://ada@db.example.org/credit?sslmode=verify-full",
        "mysql+pymysql://ada@db.example.org/credit?ssl_ca=/ca.pem",
        "mysql+pymysql://ada@127.0.0.1/credit?read_default_file=/etc/my.cnf",
        "mssql+pyodbc:///?odbc_connect=Server%3Ddb.example.org",
        "oracle+oracledb://ada@db.example.org/credit",
    ],
)
def test_what_only_looks_local_or_cannot_be_told_is_refused(address: str) -> None:
    with pytest.raises(TransportRefused):
        plan(address)
    assert plan(address, WHY).reason == WHY["unencrypted"]


# --- a server with TLS


@dataclass(frozen=True, kw_only=True)
class Server:
    port: int
    folder: Path  # ca.pem, other.pem, server.pem, server.key

    def address(self, **more: str) -> str:
        given = "&".join(f"{name}={value}" for name, value in more.items())
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres?{given}"


def _programs() -> Path | None:
    """The folder with initdb and pg_ctl."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _certificate(folder: Path, name: str) -> None:
    """A self-made certificate for 127.0.0.1."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=24))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(encoded)
    (folder / f"{name}.key").chmod(0o600)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL of our own on a loopback port, with TLS."""
    programs = _programs()
    as_user: dict[str, Any] = {}
    if programs is None:
        pytest.skip("initdb is not installed: TLS to a real PostgreSQL was not tested")
    if os.geteuid() == 0:
        import pwd

        try:
            person = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not start as root, and there is no user postgres: TLS was not tested")
        as_user = {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}
    folder = Path(tempfile.mkdtemp(prefix="pg-tls-"))
    for name in ("server", "other"):
        _certificate(folder, name)
    if as_user:
        for path in (folder, *folder.iterdir()):
            os.chown(path, as_user["user"], as_user["group"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "db"), *arguments]
        subprocess.run(
            command,
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            **as_user,
        )

    settings = [
        f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off", "ssl=on",
        f"ssl_cert_file={folder}/server.pem", f"ssl_key_file={folder}/server.key",
    ]  # fmt: skip
    try:
        run("initdb", "-U", "postgres", "-A", "trust", "--no-sync")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", " ".join(f"-c {one}" for one in settings), "start")
        yield Server(port=port, folder=folder)
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def elsewhere(_host: str) -> bool:
    """The server counts as another machine."""
    return False


def query(address: str, transport: Any = None, *, is_local: Any = elsewhere) -> DatabaseQuery:
    spec = SqlSource.model_validate({"sql": "SELECT 1 AS a", "url_env": "DB_URL", "transport": transport})
    return DatabaseQuery(spec, {"DB_URL": address}, is_local=is_local)


@pytest.mark.postgres
def test_a_verified_server_is_read_and_says_so(server: Server) -> None:
    source = query(server.address(sslmode="verify-full", sslrootcert=f"{server.folder}/server.pem"))
    assert [batch.rows.to_pylist() for batch in source.batches()] == [[{"a": 1}]]
    assert (source.transport.encrypted, source.transport.override_reason, source.notes) == (True, None, ())
    assert source.transport.how == "TLSv1.3, server verified (sslmode=verify-full)"


@pytest.mark.postgres
def test_a_server_that_is_not_verified_is_read_and_the_report_says_what_that_means(server: Server) -> None:
    source = query(server.address(sslmode="require"))
    assert source.transport.encrypted
    assert "whoever can reroute the connection can pose as it" in source.notes[0]
    weaker = query(server.address(sslmode="verify-ca", sslrootcert=f"{server.folder}/server.pem"))
    assert "not that it is this host's" in weaker.notes[0]


@pytest.mark.postgres
def test_a_server_with_another_certificate_is_refused(server: Server) -> None:
    for sslmode in ("verify-full", "verify-ca"):
        with pytest.raises(SourceUnreadable, match="certificate verify failed"):
            query(server.address(sslmode=sslmode, sslrootcert=f"{server.folder}/other.pem"))
    by_name = server.address(sslmode="verify-full", sslrootcert=f"{server.folder}/server.pem")
    with pytest.raises(SourceUnreadable, match="does not match host name"):
        query(by_name.replace("127.0.0.1", "localhost"))


@pytest.mark.postgres
def test_nothing_is_sent_before_tls_is_sure(server: Server) -> None:
    """Not even a connection is made, so no password can leave."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.2)
        address = f"postgresql+psycopg://ada:S3cretWord@127.0.0.1:{listening.getsockname()[1]}/credit?sslmode=prefer"
        with pytest.raises(TransportRefused):
            query(address)
        with pytest.raises(TimeoutError):
            listening.accept()


@pytest.mark.postgres
def test_the_projects_reason_is_handed_on_where_it_was_needed(server: Server, postgres_url: str) -> None:
    plain = query(server.address(sslmode="disable"), WHY)
    assert (plain.transport.encrypted, plain.transport.override_reason) == (False, WHY["unencrypted"])
    lucky = query(server.address(sslmode="prefer"), WHY)
    assert (lucky.transport.encrypted, lucky.transport.override_reason) == (True, WHY["unencrypted"])
    assert "neither required nor verified" in lucky.transport.how
    required = query(server.address(sslmode="require"), WHY)
    assert (required.transport.encrypted, required.transport.override_reason) == (True, None)


@pytest.mark.postgres
def test_the_server_at_hand_is_this_machine(server: Server) -> None:
    source = query(server.address(sslmode="disable"), is_local=is_this_machine)
    assert (source.transport.encrypted, source.transport.how, source.transport.override_reason) == (
        False,
        "this machine",
        None,
    )


@pytest.mark.postgres
def test_a_name_that_counts_as_local_and_leads_elsewhere_is_refused(server: Server) -> None:
    def by_name_only(host: str) -> bool:
        return host == "localhost"

    address = server.address(sslmode="prefer").replace("127.0.0.1", "localhost")
    with pytest.raises(TransportRefused, match="uses no TLS, or TLS that nobody required"):
        query(address, is_local=by_name_only)


@contextlib.contextmanager
def _pooler(server: Server, behind: tuple[str, int]) -> Iterator[int]:
    """Speaks TLS to us and, to the database behind it, nothing of the kind."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.folder / "server.pem", server.folder / "server.key")
    listening = socket.create_server(("127.0.0.1", 0))

    def pump(source: Any, sink: Any) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listening.accept()
                plain.recv(8)  # "may we speak TLS?"
                plain.sendall(b"S")
                with context.wrap_socket(plain, server_side=True) as front, socket.create_connection(behind) as back:
                    answers = threading.Thread(target=pump, args=(back, front))
                    answers.start()
                    pump(front, back)
                    answers.join()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.mark.postgres
def test_tls_that_ends_before_the_database_is_found_out(server: Server) -> None:
    with _pooler(server, ("127.0.0.1", server.port)) as port:
        address = Server(port=port, folder=server.folder).address(
            sslmode="verify-full", sslrootcert=f"{server.folder}/server.pem"
        )
        with pytest.raises(TransportRefused, match=r"The server says(.|\n)*pooler or proxy"):
            query(address)


# --- memory

_MEMORY = """
import sys
from pathlib import Path
from sealwright.data import SqlSource, open_source
import pyarrow, sqlalchemy, psycopg, sqlite3

memory = lambda what: next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(what)) // 1024
Path("/proc/self/clear_refs").write_text("5")
before, rows = memory("VmRSS"), 0
for batch in open_source(SqlSource(sql=sys.argv[2], url_env="U"), Path(), environment={"U": sys.argv[1]}).batches():
    rows += batch.rows.num_rows
assert rows == int(sys.argv[3]), rows
print(memory("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_memory_does_not_grow_with_the_rows_of_a_query(
    engine: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    run_child: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    columns = ", ".join(f"i * {n} AS c{n}" if n % 3 else f"'text ' || i AS c{n}" for n in range(1, 21))
    grown = []
    for rows in (100_000, 1_000_000):
        if engine == "sqlite":
            url = f"sqlite:///{tmp_path / 'x.db'}"
            (tmp_path / "x.db").touch()
            sql = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT {columns} FROM n"
        else:
            url = request.getfixturevalue("postgres_url")
            sql = f"SELECT {columns} FROM generate_series(1::bigint, {rows}) AS i"
        ended = run_child(_MEMORY, url, sql, str(rows))
        assert ended.returncode == 0, ended.stderr
        grown.append(int(ended.stdout))
    assert grown[1] <= 200, grown
    assert grown[1] <= grown[0] + 50, grown
