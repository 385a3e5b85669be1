"""Keys that could leave their home, secrets from the wrong place and answers of another form are refused."""

import os
import secrets
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import InvalidInput, Refused, SealwrightError
from sealwright.trust.backends.errors import BackendLied, BackendRefused, BackendUnavailable
from sealwright.trust.backends.secret_source import SecretDescriptor, SecretFile
from sealwright.trust.backends.unlocks import KmsUnlock, Pkcs11Unlock, VaultUnlock
from sealwright.trust.errors import KeyFileUnsafe

from .fake_transit import FakeTransit

PATH = "sealwright/ws_1/root/v1"


@pytest.fixture
def engine() -> Any:
    with FakeTransit() as made:
        yield made


def secret(folder: Path, text: str = "a-token-of-the-fake\n") -> SecretFile:
    path = folder / secrets.token_hex(4)
    path.write_text(text)
    path.chmod(0o600)
    return SecretFile(path)


@pytest.mark.parametrize(
    "key",
    [
        {"derived": False},
        {"exportable": True},
        {"allow_plaintext_backup": True},
        {"type": "ed25519", "derived": False},
    ],
    ids=str,
)
def test_a_transit_key_that_binds_nothing_or_can_be_taken_out_is_not_used(
    engine: Any, tmp_path: Path, key: dict[str, Any]
) -> None:
    engine.answer("POST", ["v1", "transit", "keys", "root"], {"type": "aes256-gcm96", "derived": True} | key)
    backend = VaultUnlock(url=engine.url, key="root", token=secret(tmp_path)).open()
    with pytest.raises(BackendRefused, match="must be of type aes256-gcm96, derived"):
        backend.wrap(b"x" * 32, PATH)
    assert not [one for one in engine.seen if one["verb"] == "encrypt"]


@pytest.mark.parametrize("said", [{"ciphertext": "x" * 50}, {"ciphertext": None}, {}, {"plaintext": "eA=="}], ids=str)
def test_an_answer_that_is_no_ciphertext_is_not_written_down(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]
) -> None:
    backend = VaultUnlock(url=engine.url, key="root", token=secret(tmp_path)).open()
    backend.make_root_key()
    monkeypatch.setattr(engine, "_encrypt", lambda *_: {"note": 1, **said})
    with pytest.raises(BackendLied):
        backend.wrap(b"x" * 32, PATH)


def test_the_secret_is_sent_with_its_path_and_token_and_address_of_the_environment_are_not_looked_at_t61(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", engine.token)
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    good = VaultUnlock(url=engine.url, key="root", token=secret(tmp_path), seconds=5).open()
    good.make_root_key()
    good.wrap(b"x" * 32, PATH)
    sent = next(one for one in engine.seen if one["verb"] == "encrypt")
    assert sent["context"] == sent["associated_data"] != ""
    wrong = VaultUnlock(url=engine.url, key="root", token=secret(tmp_path, "not-it"), seconds=5).open()
    with pytest.raises(BackendRefused):
        wrong.wrap(b"x" * 32, PATH)


def test_aws_credentials_of_the_environment_are_not_looked_at(
    moto_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFROMENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-the-environment")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    unlock = KmsUnlock(key="alias/x", region="eu-central-1", endpoint=f"http://127.0.0.1:{moto_port}", seconds=5)
    with pytest.raises(BackendUnavailable, match="NoCredentialsError"):
        unlock.open().make_root_key()


@pytest.mark.parametrize("lines", ["one\n", "a\nb\nc\nd\n"])
def test_aws_credentials_of_another_form_are_refused_without_repeating_them(tmp_path: Path, lines: str) -> None:
    unlock = KmsUnlock(key="alias/x", region="eu-central-1", credentials=secret(tmp_path, lines))
    with pytest.raises(InvalidInput, match="two or three lines"):
        unlock.open()


def test_a_root_key_in_a_token_that_can_be_taken_out_is_not_used(hsm: Any, tmp_path: Path) -> None:
    import pkcs11

    label, attribute = f"loose-{secrets.token_hex(4)}", pkcs11.Attribute
    with pkcs11.lib(str(hsm.library)).get_token(token_label="first").open(rw=True, user_pin="493817") as session:
        session.generate_key(
            pkcs11.KeyType.AES,
            256,
            label=label,
            id=b"\0\1",
            store=True,
            template={attribute.SENSITIVE: False, attribute.EXTRACTABLE: True, attribute.ENCRYPT: True},
        )
    unlock = Pkcs11Unlock(library=hsm.library, token="first", key=label, pin=secret(tmp_path, "493817\n"))
    with pytest.raises(BackendRefused, match="can be taken out of it"):
        unlock.open().wrap(b"x" * 32, PATH)


@pytest.mark.parametrize("key", [{"exportable": True}, {"allow_plaintext_backup": True}], ids=str)
def test_a_signing_key_of_a_transit_engine_that_can_be_taken_out_is_not_used(
    engine: Any, tmp_path: Path, key: dict[str, Any]
) -> None:
    engine.answer("POST", ["v1", "transit", "keys", "pair"], {"type": "ed25519"} | key)
    backend = VaultUnlock(url=engine.url, key="root", token=secret(tmp_path)).open()
    with pytest.raises(BackendRefused, match="can be taken out of the transit engine"):
        backend.signer("pair")
    assert not [one for one in engine.seen if one["verb"] == "sign"]


@pytest.mark.parametrize(
    "keys", [None, {}, {"1": 1700000000}, {"one": {"public_key": "x"}}, {"1": {"public_key": "x"}}], ids=str
)
def test_a_pair_described_in_a_way_we_do_not_know_is_not_used(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: Any
) -> None:
    said = {"type": "ed25519", "exportable": False, "allow_plaintext_backup": False, "keys": keys}
    monkeypatch.setattr(engine, "answer", lambda *_: said)
    with pytest.raises(BackendLied, match="in a way we do not know"):
        VaultUnlock(url=engine.url, key="root", token=secret(tmp_path)).open().signer("pair")


def test_a_signing_key_that_kms_keeps_from_use_is_not_used(moto_port: int, tmp_path: Path) -> None:
    unlock = KmsUnlock(
        key="alias/x",
        region="eu-central-1",
        endpoint=f"http://127.0.0.1:{moto_port}",
        credentials=secret(tmp_path, "AKIAFAKE\nsecret-of-the-fake\n"),
    )
    backend: Any = unlock.open()
    name = f"pair-{secrets.token_hex(4)}"
    backend.make_signing_key(name, "ecdsa-p256-sha256")
    backend._client.disable_key(
        KeyId=backend._client.describe_key(KeyId=f"alias/sealwright-{name}")["KeyMetadata"]["KeyId"]
    )
    with pytest.raises(BackendRefused, match="is Disabled"):
        backend.signer(name)


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_library_that_others_can_write_to_is_not_loaded(hsm: Any, tmp_path: Path, mode: int) -> None:
    loose = tmp_path / "loose.so"
    loose.write_bytes(hsm.library.resolve().read_bytes())
    loose.chmod(mode)
    unlock = Pkcs11Unlock(library=loose, token="first", key="k", pin=secret(tmp_path, "493817\n"))
    with pytest.raises(BackendRefused, match="could be replaced by others"):
        unlock.open().wrap(b"x" * 32, PATH)


def test_a_library_that_is_not_there_is_told(tmp_path: Path) -> None:
    unlock = Pkcs11Unlock(library=tmp_path / "none.so", token="t", key="k", pin=secret(tmp_path, "493817\n"))
    with pytest.raises((BackendUnavailable, BackendRefused)) as told:
        unlock.open().wrap(b"x" * 32, PATH)
    assert "493817" not in str(told.value)


def test_a_secret_file_is_read_only_if_nobody_else_can_read_or_replace_it(tmp_path: Path) -> None:
    good = secret(tmp_path, "s3cret\n")
    assert good.read().reveal() == "s3cret"
    good.path.chmod(0o640)
    with pytest.raises(KeyFileUnsafe, match="can be read by others"):
        good.read()
    link = tmp_path / "link"
    link.symlink_to(secret(tmp_path).path)
    for path in (link, tmp_path, tmp_path / "none"):
        with pytest.raises(KeyFileUnsafe):
            SecretFile(path).read()
    for text in ("", "\n", "x" * 5000):
        with pytest.raises(KeyFileUnsafe, match="one secret"):
            secret(tmp_path, text).read()


def test_a_secret_comes_through_a_descriptor_once() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"s3cret\n")
    os.close(writing)
    assert SecretDescriptor(reading).read().reveal() == "s3cret"
    os.close(reading)
    with pytest.raises((InvalidInput, Refused)):
        SecretDescriptor(reading).read()


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:8200", "http://vault", "https://u:p@v", "https://v?x=1", "", "v:8200"]
)
def test_a_service_is_reached_over_tls_or_on_this_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(SealwrightError, match="https"):
        VaultUnlock(url=url, key="root", token=secret(tmp_path)).open()
    with pytest.raises(SealwrightError, match="https"):
        KmsUnlock(key="k", region="eu-central-1", endpoint=url or "x", credentials=secret(tmp_path, "a\nb\n")).open()
