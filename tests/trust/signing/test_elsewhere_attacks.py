"""Somebody who can write to the folder, ask the signer, swap the token or kill a process gets no signature, no key and no PIN.

On a real SoftHSM 2 token, unless a test says otherwise.
"""

import contextlib
import hashlib
import json
import os
import secrets
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust import (
    ECDSA_P256,
    Keyring,
    SignerRefused,
    SignerUnavailable,
)
from sealwright.trust.backends.errors import BackendLied, BackendRefused, BackendUnavailable
from sealwright.trust.backends.place import KeyHome, KeyPlace
from sealwright.trust.backends.place_file import read_place_file
from sealwright.trust.key_files import open_branch, open_root, place_of, placed_branch, signing_key_of
from sealwright.trust.signers import LocalSigner
from sealwright.trust.signing.client import Line, narrow
from sealwright.trust.signing.courier import MOST_BYTES, Failure, Made, Open, Signed, receive, send
from sealwright.trust.signing.couriers import Couriers, PlacedSigner
from sealwright.trust.signing.messages import Done, Join, Look, Renew
from sealwright.trust.signing.vault import open_vault

from .conftest import DECISIONS, SOURCE, Place
from .elsewhere import (
    Family,
    another_token,
    place_file,
    rotated,
    runs,
)
from .test_elsewhere import model_of, verified
from .test_parting import parted, stand

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can look into a process that is closed to looks")


def family_of(ring: Keyring) -> Family:
    started = ring._link._held.started
    assert started is not None
    return Family(started.pid)


def signing_key(place: Place) -> bytes:
    return signing_key_of(open_root(place.keys, place.unlock)[1])


# ---- the PIN, the token


def test_a_wrong_pin_is_tried_once(place: Place, tmp_path: Path, token: Any) -> None:
    if token.hsm.mode is None:
        pytest.skip("no C compiler here, so logins cannot be counted")
    rotated(place, "models", place_file(token, tmp_path))
    counter, pin = Path(f"{token.hsm.mode}.logins"), token.unlock.pin.path
    with place.open() as ring:
        model_of(ring)
        pin.write_text("000000\n")
        before = len(counter.read_bytes())
        for _ in range(5):
            with pytest.raises(BackendRefused, match="does not take the PIN"):
                model_of(ring)
        assert len(counter.read_bytes()) == before + 1
        pin.write_text("493817\n")
        model_of(ring)


def test_another_token_of_the_same_name_is_not_taken_for_ours(place: Place, tmp_path: Path, token: Any) -> None:
    """Not even if it has a key of the same name."""
    name = token.own("signing")
    first = token.backend.make_signing_key(name, ECDSA_P256)
    conf = tmp_path / "which.conf"
    conf.write_bytes(Path(os.environ["SOFTHSM2_CONF"]).read_bytes())
    variables = {"SOFTHSM2_CONF": str(conf)}
    library = str(Path("/usr/lib/softhsm/libsofthsm2.so").resolve())
    rotated(place, "models", place_file(token, tmp_path, library=library, variables=variables, key=name))
    with place.open() as ring:
        model_of(ring)
        assert ring.trust_root.in_use("models") == first.public()
    conf.write_bytes(another_token(token.hsm, tmp_path / "other").read_bytes())
    with place.open() as ring, pytest.raises(BackendRefused, match="no key pair"):
        model_of(ring)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from sealwright.trust.backends.place import KeyHome\n"
        "fields = {'library': sys.argv[2], 'token': 'first', 'pin_file': sys.argv[3]}\n"
        "KeyHome(method='pkcs11', fields=fields).open().make_signing_key(sys.argv[4], 'ecdsa-p256-sha256')\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, SOURCE, library, str(token.unlock.pin.path), name],
        check=True, env={"SOFTHSM2_CONF": str(conf)},
    )  # fmt: skip
    with place.open() as ring:
        with pytest.raises(BackendRefused, match="has another key"):
            model_of(ring)
        assert "another key" in ring.places(ask=True)[1]["models"]


def test_a_private_key_that_can_be_taken_out_is_not_taken_in(place: Place, tmp_path: Path, token: Any) -> None:
    name = token.own("loose")
    _import_key(token, name, LocalSigner(ECDSA_P256, b"\7" * 32), b"\7" * 32, extractable=True)
    with pytest.raises(BackendRefused, match="can be taken out"):
        rotated(place, "models", place_file(token, tmp_path, key=name))


def test_a_library_that_others_can_change_is_not_loaded(place: Place, tmp_path: Path, token: Any) -> None:
    loose = tmp_path / "loose.so"
    loose.write_bytes(Path("/usr/lib/softhsm/libsofthsm2.so").resolve().read_bytes())
    loose.chmod(0o755)
    file = place_file(token, tmp_path, library=str(loose))
    rotated(place, "models", file)
    loose.chmod(0o775)
    with place.open() as ring, pytest.raises(BackendRefused, match="could be replaced by others"):
        model_of(ring)
    with pytest.raises(BackendRefused, match="could be replaced by others"):
        rotated(place, "tls", file)


# ---- what stands in the folder


def test_no_changed_byte_of_a_description_opens(place: Place, tmp_path: Path, either: Any) -> None:
    rotated(place, "models", place_file(either, tmp_path))
    path = place.keys / "models.v2.json"
    whole = path.read_bytes()
    assert not [word for word in (b"first", b"softhsm", b"pin") if word in whole]
    for at in range(0, len(whole), 11):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(VerificationFailed, match=r"models\.v2\.json"):
            place.open()
        with pytest.raises(VerificationFailed, match=r"models\.v2\.json"):
            open_vault(place.keys, place.unlock)
    path.write_bytes(whole)
    with place.open() as ring:
        model_of(ring)


def test_descriptions_and_keys_do_not_change_places(place: Place, tmp_path: Path, either: Any) -> None:
    file = place_file(either, tmp_path)
    old = (place.keys / "models.v1.json").read_bytes()
    rotated(place, "models", file)
    rotated(place, "tls", file)
    models, tls = place.keys / "models.v2.json", place.keys / "tls.v2.json"
    whole, other = models.read_bytes(), tls.read_bytes()
    for planted in (other, old, b"{}"):
        models.write_bytes(planted)
        with pytest.raises(VerificationFailed, match=r"models\.v2\.json"):
            place.open()
    as_key = json.loads(whole)
    as_key["path"] = as_key["path"].removesuffix("/place")
    models.write_bytes(json.dumps(as_key, separators=(",", ":"), sort_keys=True).encode())
    with place.open() as ring, pytest.raises(VerificationFailed, match=r"models\.v2\.json"):
        verified(ring)  # as with a changed key: the signer finds it, before anything is signed
    models.write_bytes(whole)
    place.open().close()


def test_a_description_of_another_key_than_the_listed_one_is_refused(place: Place, tmp_path: Path, either: Any) -> None:
    """As after two histories of one folder: sealed by us, for this branch and version, and of another key."""
    rotated(place, "models", place_file(either, tmp_path))
    key, link = signing_key(place), "x"
    found = place_of(place.keys, key, "ws_1", "models", 2)
    assert found is not None
    other = msgspec.structs.replace(found, key_id="0" * 64)
    (place.keys / "models.v2.json").write_bytes(placed_branch(key, "ws_1", "models", 2, other))
    with pytest.raises(VerificationFailed, match="says where another key is than the trust root lists"):
        open_vault(place.keys, place.unlock)
    for odd in (b"", b"{}", b'{"home":{"method":"magic","fields":{}},"name":"x","key_id":"y"}', b"\xff"):
        with pytest.raises(VerificationFailed):
            KeyPlace.from_bytes(odd, link=link)


# ---- place files


def test_a_place_file_is_read_only_if_nobody_else_could_have_written_it(
    place: Place, tmp_path: Path, either: Any
) -> None:
    file = place_file(either, tmp_path)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    loose = place_file(either, tmp_path)
    loose.chmod(0o664)
    cases = [link, loose, tmp_path, tmp_path / "none.toml", Path("/dev/null")]
    if os.geteuid() == 0:
        theirs = place_file(either, tmp_path)
        os.chown(theirs, 65_431, -1)
        cases.append(theirs)
    for path in cases:
        with pytest.raises(SignerRefused) as error:
            rotated(place, "models", path)
        assert error.value.reason == "place.file", path
    with place.open() as ring, pytest.raises(SignerRefused, match="whole path"):
        ring._link.line().ask(Renew(branch="models", at="place.toml"), Done)
    file.chmod(0o644)  # nothing secret is in it
    rotated(place, "models", file)


def test_nothing_of_a_file_that_is_no_place_file_is_repeated(place: Place, tmp_path: Path) -> None:
    for data in (
        secrets.token_bytes(32),
        b"s.A-secret-token",
        b"\xf3" * 8,
        b'secret = "s.A-secret-token"\n',
        b"x" * 20_000,
    ):
        planted = tmp_path / "planted"
        planted.write_bytes(data)
        planted.chmod(0o600)
        with pytest.raises(SignerRefused) as error:
            rotated(place, "models", planted)
        assert error.value.reason == "place.file"
        assert "A-secret-token" not in str(error.value)
        assert "0xf3" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "magic"}, "must say method"),
        ({"method": None}, "must say method"),
        ({"token": None}, "lacks: token"),
        ({"pin": "493817"}, "has besides: pin"),
        ({"pin_file": None, "pin_descriptor": 3}, "must name a pin_file"),
        ({"pin_file": None}, "pin_file or pin_descriptor"),
        ({"seconds": 60}, "at most 10"),
        ({"seconds": 0}, "above 0"),
        ({"key": ""}, "key must be"),
        ({"variables": {"LD_PRELOAD": "/tmp/evil.so"}}, "none of the loader's"),
        ({"variables": {"PYTHONPATH": "/tmp"}}, "none of the loader's"),
        ({"variables": {"lower": "x"}}, "none of the loader's"),
        ({"library": 1}, "must be text"),
    ],
    ids=str,
)
def test_a_place_file_with_anything_odd_is_refused(tmp_path: Path, token: Any, changes: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as error:
        read_place_file(place_file(token, tmp_path, **changes))
    assert "493817" not in str(error.value)


def test_paths_in_a_place_file_begin_where_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('method = "vault"\nurl = "https://v"\ntoken_file = "t"\nca = "ca.pem"\n')
    home, name = read_place_file(file)
    assert (home.secret_file, home.fields["ca"], name) == (tmp_path / "t", str(tmp_path / "ca.pem"), None)


# ---- who may ask


def test_a_predict_connection_places_nothing_looks_at_nothing_and_joins_nobody(
    place: Place,
    tmp_path: Path,
    either: Any,
) -> None:
    file = place_file(either, tmp_path)
    with place.open() as ring:
        line = Line(ring.lend_signer(DECISIONS))
        narrow(line, [DECISIONS])
        for asked in (Renew(branch="models", at=str(file)), Look(), Look(ask=True)):
            with pytest.raises(SignerRefused) as error:
                line.ask(asked, Done)
            assert error.value.reason == "role.not_allowed"
        mine, theirs = socket.socketpair()
        with mine, theirs:
            with pytest.raises(SignerRefused) as error:
                line.ask(Join(), Done, beside=theirs.fileno())
            assert error.value.reason == "role.not_allowed"
        with pytest.raises(SignerRefused) as error:
            line.ask(Join(), Done)
        line.close()
        assert ring.places(ask=True) == ({}, {})


# ---- processes


def test_the_signer_loads_no_library_and_its_couriers_no_key(place: Place, tmp_path: Path, token: Any) -> None:
    rotated(place, "models", place_file(token, tmp_path))
    with place.open() as ring:
        model_of(ring)
        family = family_of(ring)
        (courier,) = family.couriers
        assert b"softhsm" in Path(f"/proc/{courier}/maps").read_bytes()
        assert b"softhsm" not in Path(f"/proc/{family.signer}/maps").read_bytes()
        for pid in family.all:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
            assert b"493817" not in arguments
            assert Path(f"/proc/{pid}/stat").stat().st_uid == 0, "not dumpable: its files belong to root"
            assert "Max core file size        0                    0" in Path(f"/proc/{pid}/limits").read_text()
        for pid in (family.signer, courier):
            status = Path(f"/proc/{pid}/status").read_text()
            assert ("NoNewPrivs:\t1" in status, "Seccomp:\t2" in status) == (True, True)
        assert _sockets_of(family.dispatcher) == _sockets_of(courier) == 1, "a line of the signer's was kept"


@needs_root
def test_neither_the_pin_nor_a_key_is_where_it_need_not_be_t61(place: Place, tmp_path: Path, token: Any) -> None:
    rotated(place, "models", place_file(token, tmp_path))
    key = signing_key(place)
    keys = {"signing": key, "statements": open_branch(place.keys, key, "ws_1", "statements", 1)}
    with place.open() as ring:
        model_of(ring)
        family = family_of(ring)
        memory = {pid: _memory_of(pid) for pid in family.all}
        assert b"493817" in memory[family.couriers[0]], "the look into a process's memory saw nothing"
        assert key in memory[family.signer], "the look into a process's memory saw nothing"
        assert b"493817" not in memory[family.signer] + memory[family.dispatcher]
        for pid in (family.dispatcher, *family.couriers):
            assert [name for name, secret in keys.items() if secret in memory[pid]] == []


@needs_root
def test_a_private_key_in_the_token_is_in_no_file_and_not_in_the_signer(
    place: Place,
    tmp_path: Path,
    token: Any,
) -> None:
    """Brought into the token by us, so that we know what to look for. SoftHSM itself is a program, and in the courier."""
    import pkcs11

    name, secret = token.own("known"), hashlib.sha256(secrets.token_bytes(32)).digest()
    _import_key(token, name, LocalSigner(ECDSA_P256, secret), secret, extractable=False)
    with pkcs11.lib(str(token.hsm.library)).get_token(token_label="first").open(user_pin="493817") as session:
        wanted = {pkcs11.Attribute.LABEL: name, pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
        (private,) = session.get_objects(wanted)
        assert (private[pkcs11.Attribute.EXTRACTABLE], private[pkcs11.Attribute.SENSITIVE]) == (False, True)
        with pytest.raises(pkcs11.exceptions.PKCS11Error):
            private[pkcs11.Attribute.VALUE]
    rotated(place, "models", place_file(token, tmp_path, key=name))
    with place.open() as ring:
        model_of(ring)
        family = family_of(ring)
        places = {str(pid): _memory_of(pid) for pid in (family.signer, family.dispatcher)}
        for folder in (place.home, token.hsm.folder):
            places |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        forms = (secret, secret.hex().encode(), secret.hex().upper().encode())
        assert [name for name, data in places.items() for form in forms if form in data] == []


def test_a_courier_that_was_killed_is_replaced(place: Place, tmp_path: Path, either: Any, wait_until: Any) -> None:
    rotated(place, "models", place_file(either, tmp_path))
    with place.open() as ring:
        model_of(ring)
        family = family_of(ring)
        (courier,) = family.couriers
        os.kill(courier, signal.SIGKILL)
        wait_until(lambda: not runs(courier))
        with pytest.raises(BackendUnavailable, match="ended"):
            model_of(ring)
        verified(ring)
        time.sleep(1.6)
        model_of(ring)


def test_without_a_dispatcher_files_go_on_signing(place: Place, tmp_path: Path, either: Any, wait_until: Any) -> None:
    rotated(place, "models", place_file(either, tmp_path))
    with place.open() as ring:
        verified(ring)
        dispatcher = family_of(ring).dispatcher
        os.kill(dispatcher, signal.SIGKILL)
        wait_until(lambda: not runs(dispatcher))
        with pytest.raises(BackendUnavailable, match="Start the signer again"):
            model_of(ring)
        verified(ring)


def test_nobody_outlives_the_signer(place: Place, tmp_path: Path, either: Any, wait_until: Any) -> None:
    rotated(place, "models", place_file(either, tmp_path))
    for kill in (True, False):
        with place.open() as ring:
            model_of(ring)
            everybody = family_of(ring).all
            assert len(everybody) == 3
            if kill:
                os.kill(everybody[0], signal.SIGKILL)
            else:
                ring.close()
            wait_until(lambda pids=everybody: not any(runs(pid) for pid in pids))


def test_a_device_that_hangs_ends_its_courier_and_is_asked_anew(
    place: Place,
    tmp_path: Path,
    token: Any,
    wait_until: Any,
) -> None:
    if token.hsm.mode is None:
        pytest.skip("no C compiler here, so the token cannot be made to hang")
    rotated(place, "models", place_file(token, tmp_path))
    with place.open() as ring:
        model_of(ring)
        (courier,) = family_of(ring).couriers
        token.fault("hang")
        with pytest.raises(BackendUnavailable, match=r"did not answer within 1\.5 seconds"):
            model_of(ring)
        wait_until(lambda: not runs(courier))
        token.fault("hang", on=False)
        time.sleep(1.6)
        model_of(ring)


@pytest.mark.slow
def test_a_library_that_never_comes_back_does_not_keep_its_courier(
    place: Place, tmp_path: Path, token: Any, wait_until: Any
) -> None:
    """Not even where it lets no other thread of the courier run: the kernel ends it."""
    if token.hsm.mode is None:
        pytest.skip("no C compiler here, so the token cannot be made to hang")
    rotated(place, "models", place_file(token, tmp_path))
    token.fault("stuck")
    with place.open() as ring:
        with pytest.raises(BackendUnavailable):
            model_of(ring)
        for courier in family_of(ring).couriers:
            wait_until(lambda pid=courier: not runs(pid))
        verified(ring)
        token.fault("stuck", on=False)
        time.sleep(1.6)
        model_of(ring)


def test_a_signer_that_is_stopped_answers_first_who_waits_for_a_device(
    standing: Any, place: Place, tmp_path: Path, engine: Any
) -> None:
    rotated(place, "models", place_file(engine, tmp_path))
    process = standing()
    with place.open() as ring:
        model_of(ring)
        engine.fault("slow")
        ended: list[BaseException] = []

        def wait_for_it() -> None:
            try:
                model_of(ring)
            except (BackendUnavailable, SignerUnavailable) as error:
                ended.append(error)

        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        time.sleep(0.5)
        process.terminate()
        waiting.join()
        assert process.wait(20) == 0
    assert [type(error) for error in ended] == [BackendUnavailable]


def test_a_dispatcher_that_cannot_begin_does_not_go_on_as_the_signer() -> None:
    """What was parted must never return into the program that parted it."""
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from sealwright.trust.signing import courier\n"
        "def fail(line): raise RuntimeError('no /proc here')\n"
        "courier._alone = fail\n"
        "try:\n    courier.part_dispatcher(); os.wait()\nexcept (RuntimeError, ChildProcessError): pass\n"
        "print('here', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, SOURCE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["here"]


def test_junk_ends_no_more_than_the_courier_it_is_for(place: Place, tmp_path: Path, either: Any) -> None:
    """Whoever had the signer's line to a courier could ask it for signatures, and for nothing else."""
    with _dispatcher() as line:
        home = read_place_file(place_file(either, tmp_path))[0]
        for data in (
            b"\0\0\0\0",
            b"\xff" * 40,
            struct.pack(">I", MOST_BYTES + 1),
            b"\0\0\0\2\x80\x80",
            b"GET / HTTP/1.1\r\n\r\n",
        ):
            courier = _courier(line)
            courier.sendall(data)
            with contextlib.suppress(ConnectionResetError):
                courier.shutdown(socket.SHUT_WR)
                assert courier.recv(1) == b""
            courier.close()
        courier = _courier(line)
        send(courier, Open(home=home))
        read = msgspec.msgpack.Decoder(Any).decode
        assert receive(courier, read)["type"] == "Made"
        send(courier, Open(home=home))
        assert receive(courier, msgspec.msgpack.Decoder(Failure).decode).code == "input.invalid"
        courier.close()


@contextlib.contextmanager
def couriers_that_say(answers: list[Any], tmp_path: Path) -> Iterator[tuple[PlacedSigner, list[float]]]:
    """A signer whose couriers each answer one question so, and no more; bytes are sent as they are. And its clock."""
    ours, theirs = socket.socketpair()
    kept: list[socket.socket] = []

    def be_dispatcher() -> None:
        with contextlib.suppress(OSError, EOFError):
            while theirs.recv(1):
                mine, other = socket.socketpair()
                kept.append(mine)
                socket.send_fds(theirs, [b"\1"], [other.fileno()])
                other.close()
                receive(mine, msgspec.msgpack.Decoder(Any).decode)
                send(mine, Made())
                receive(mine, msgspec.msgpack.Decoder(Any).decode)
                said = answers.pop(0)
                if isinstance(said, bytes):
                    mine.sendall(said)
                elif said is not None:
                    send(mine, said)

    thread = threading.Thread(target=be_dispatcher, daemon=True)
    thread.start()
    moment = [0.0]
    couriers = Couriers(ours, clock=lambda: moment[0])
    home = KeyHome(method="vault", fields={"url": "https://v", "token_file": str(tmp_path / "t"), "seconds": 0.2})
    public = LocalSigner(ECDSA_P256, b"\7" * 32).public()
    yield couriers.signer(KeyPlace(home=home, name="k", key_id=public.key_id), public), moment
    couriers._way(home)._drop()
    ours.close()
    thread.join(5)
    for one in (*kept, theirs):
        one.close()


def test_a_courier_that_says_something_else_is_not_believed(tmp_path: Path) -> None:
    """Silence, junk, an answer to another question, a signature of nobody."""
    answers: list[Any] = [None, b"\0\0\0\1\xff", b"\xff\xff\xff\xff", Made(pem="x"), Signed(signature=b"x" * 64)]
    with couriers_that_say(answers, tmp_path) as (signer, moment):
        for kind, words in (
            (BackendUnavailable, "in time"),
            (BackendUnavailable, "ended"),
            (BackendUnavailable, "ended"),
            (BackendUnavailable, "another question"),
            (BackendLied, "did not make over this"),
        ):
            with pytest.raises(kind, match=words):
                signer.sign(b"data")
            moment[0] += 10


def test_after_a_refusal_another_courier_is_asked(tmp_path: Path) -> None:
    """The one that was refused may know what is not so any more: a token that was changed, a session that ended."""
    good = LocalSigner(ECDSA_P256, b"\7" * 32).sign(b"data")
    answers: list[Any] = [Failure(code="keys.backend_refused", message="stale"), Signed(signature=good)]
    with couriers_that_say(answers, tmp_path) as (signer, _):
        with pytest.raises(BackendRefused, match="stale"):
            signer.sign(b"data")
        assert signer.sign(b"data") == good


# ---- a signer of another user


def test_a_parted_signer_goes_on_with_keys_elsewhere(place: Place, tmp_path: Path, either: Any) -> None:
    rotated(place, "models", place_file(either, tmp_path))
    to, key = parted(place, os.geteuid())
    with stand(to, key, None) as process, place.open() as ring:
        try:
            model_of(ring)
            assert list(ring.places()[0]) == ["models"]
            rotated(place, "models")
            model_of(ring)
            assert ring.places() == ({}, {})
        finally:
            process.kill()
    with place.open() as ring, pytest.raises(SignerUnavailable):
        ring.places()


# ---- helpers


def _import_key(token: Any, name: str, signer: LocalSigner, secret: bytes, *, extractable: bool) -> None:
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    attribute, curve = pkcs11.Attribute, encode_named_curve_parameters("secp256r1")
    point = signer.public().raw()
    same = {
        attribute.KEY_TYPE: pkcs11.KeyType.EC,
        attribute.LABEL: name,
        attribute.TOKEN: True,
        attribute.EC_PARAMS: curve,
    }
    with pkcs11.lib(str(token.hsm.library)).get_token(token_label="first").open(rw=True, user_pin="493817") as session:
        session.create_object(
            {attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY, attribute.EC_POINT: b"\x04\x41" + point, **same}
        )
        session.create_object(
            {
                attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
                attribute.VALUE: secret,
                attribute.SENSITIVE: True,
                attribute.EXTRACTABLE: extractable,
                attribute.SIGN: True,
                **same,
            }
        )


def _sockets_of(pid: int) -> int:
    return sum(str(one.readlink()).startswith("socket:") for one in Path(f"/proc/{pid}/fd").iterdir())


def _memory_of(pid: int) -> bytes:
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            at, mode, *_ = line.split()
            if mode.startswith("rw") and "[v" not in line:
                start, end = (int(text, 16) for text in at.split("-"))
                memory.seek(start)
                with contextlib.suppress(OSError):
                    found.append(memory.read(end - start))
    return b"".join(found)


@contextlib.contextmanager
def _dispatcher() -> Any:
    """A dispatcher that a fresh process became; pytest has threads and is not forked."""
    code = (
        "import sys, socket; sys.path.insert(0, sys.argv[1])\n"
        "from sealwright.trust.signing.courier import dispatch\n"
        "dispatch(socket.socket(fileno=int(sys.argv[2])))\n"
    )
    ours, theirs = socket.socketpair()
    with subprocess.Popen(
        [sys.executable, "-c", code, SOURCE, str(theirs.fileno())], pass_fds=(theirs.fileno(),)
    ) as process:
        theirs.close()
        with ours:
            ours.settimeout(20)
            yield ours
        assert process.wait(10) == 0


def _courier(line: socket.socket) -> socket.socket:
    line.sendall(b"\1")
    _, (descriptor,), _, _ = socket.recv_fds(line, 1, 1)
    made = socket.socket(fileno=descriptor)
    made.settimeout(20)
    return made
