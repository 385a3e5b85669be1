"""A package folder is plain files with plain names, read once; anything else is refused, never repaired."""

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import VerificationFailed
from sealwright.registry.folder import ReadLimits, open_trusted_files
from sealwright.registry.names import REQUIRED, UnsafeNames, check_layout, check_names, in_identity

LAYOUT = (*REQUIRED, "statements/gate.json", "statements/approval-1.json", "model.sig")


@pytest.mark.parametrize(
    "name",
    [
        "../model.onnx",
        "/etc/passwd",
        "a/../b",
        "a//b",
        "./a",
        ".git",
        ".github/workflows/x.yml",
        ".gitattributes",
        "a/.hidden",
        "a b",
        "a\\b",
        "C:model",
        "a\x00.onnx",
        "a\n",
        "modèle.onnx",
        "mode\u200bl.onnx",
        "model.onnx.",
        "CON",
        "statements/nul.json",
        "com1.txt",
        "x" * 101,
        "a/b/c/d/e",
        "",
        "a/",
    ],
)
def test_unsafe_names_are_refused_not_repaired_t44(name: str) -> None:
    with pytest.raises(UnsafeNames):
        check_names([name])


def test_names_that_collide_where_case_does_not_count_are_refused_t46() -> None:
    with pytest.raises(UnsafeNames, match="collides"):
        check_names(["card.md", "CARD.md"])


def test_too_many_names_are_refused() -> None:
    with pytest.raises(UnsafeNames, match="501 files"):
        check_names([f"a{i}" for i in range(501)])


@given(st.text(max_size=30))
def test_a_name_that_passes_is_the_same_everywhere(name: str) -> None:
    try:
        check_names([name])
    except UnsafeNames:
        return
    assert name.isascii()
    assert name.isprintable()
    assert ".." not in name.split("/")
    assert not name.startswith(("/", "."))


def test_the_layout_of_a_package_is_closed() -> None:
    check_layout(LAYOUT, sealed=True)
    check_layout([*REQUIRED, "statements/quality.json"], sealed=False)
    for missing in (*REQUIRED, "model.sig", "statements/gate.json"):
        with pytest.raises(UnsafeNames, match="is missing") as caught:
            check_layout([name for name in LAYOUT if name != missing], sealed=True)
        assert caught.value.link == f"package/{missing}"
    for extra in ("model.pkl", "README.md", "statements/x.txt", "statements/deep/x.json", "statements/approval-0.json"):
        with pytest.raises(UnsafeNames) as caught:
            check_layout([*LAYOUT, extra], sealed=True)
        assert caught.value.link == f"package/{extra}"
    for late in ("model.sig", "statements/gate.json", "statements/approval-1.json"):
        with pytest.raises(UnsafeNames):
            check_layout([*REQUIRED, late], sealed=False)


def test_the_package_digest_leaves_out_only_what_is_made_after_it() -> None:
    out = [name for name in LAYOUT if not in_identity(name)]
    assert sorted(out) == ["model.sig", "statements/approval-1.json", "statements/gate.json"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "package"
    (root / "inner").mkdir(parents=True)
    for name in ("one", "inner/two"):
        (root / name).write_bytes(name.encode())
        (root / name).chmod(0o644)
    return root


def test_every_file_is_read_once_by_its_relative_name(folder: Path) -> None:
    assert open_trusted_files(folder) == {"inner/two": b"inner/two", "one": b"one"}
    (folder / "one").chmod(0o600)
    (folder / "inner/two").chmod(0o444)
    assert len(open_trusted_files(folder)) == 2


def _symlink(root: Path) -> None:
    (root / "link").symlink_to("one")


def _folder_link(root: Path) -> None:
    (root / "link").symlink_to("inner")


def _hard_link(root: Path) -> None:
    os.link(root / "one", root / "link")


def _fifo(root: Path) -> None:
    os.mkfifo(root / "link", 0o644)


def _socket(root: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(root)
    try:
        server.bind("link")
    finally:
        os.chdir(here)
        server.close()


def _empty_folder(root: Path) -> None:
    (root / "link").mkdir()


def _odd_name(root: Path) -> None:
    (root / "link\n").write_bytes(b"")


@pytest.mark.parametrize(
    "plant", [_symlink, _folder_link, _hard_link, _fifo, _socket, _empty_folder, _odd_name], ids=lambda f: f.__name__
)
def test_links_devices_and_empty_folders_are_refused_t45(plant: Callable[[Path], None], folder: Path) -> None:
    plant(folder)
    with pytest.raises(VerificationFailed) as caught:
        open_trusted_files(folder)
    assert caught.value.link.startswith("package/")
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("mode", [0o755, 0o4644, 0o2644, 0o1644, 0o666, 0o664, 0o777, 0o400 | 0o4000])
def test_executable_setuid_and_writable_files_are_refused_t45(mode: int, folder: Path) -> None:
    (folder / "one").chmod(mode)
    with pytest.raises(VerificationFailed, match=f"mode {mode:o}"):
        open_trusted_files(folder)


def test_the_folder_itself_may_not_be_a_link_or_a_file_or_missing(folder: Path) -> None:
    link = folder.with_name("link")
    link.symlink_to(folder)
    for path in (link, folder / "one", folder / "nowhere"):
        with pytest.raises(VerificationFailed, match="not a folder we can read"):
            open_trusted_files(path)


def test_sizes_and_counts_are_limited_while_reading_t47(folder: Path) -> None:
    for limits, words in (
        (ReadLimits(file_bytes=8), "at most 8 are read"),
        (ReadLimits(total_bytes=10), "is 3 bytes; at most 1 are read"),
        (ReadLimits(files=1), "more than 1 files"),
        (ReadLimits(depth=1), "nested deeper than 1"),
    ):
        with pytest.raises(VerificationFailed, match=words):
            open_trusted_files(folder, limits)


def test_a_file_swapped_while_we_look_is_never_followed_t49(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"secret")
    target, stop = folder / "one", threading.Event()

    def swap() -> None:
        while not stop.is_set():
            target.unlink(missing_ok=True)
            target.symlink_to(outside)
            target.unlink(missing_ok=True)
            draft = tmp_path / "draft"
            draft.write_bytes(b"one")
            draft.chmod(0o644)
            draft.rename(target)
            time.sleep(0.001)

    racer = threading.Thread(target=swap)
    racer.start()
    good = 0
    try:
        for _ in range(1_000):
            try:
                good += open_trusted_files(folder)["one"] == b"one"
            except (VerificationFailed, KeyError):
                continue
            assert b"secret" not in open_or_nothing(folder)
    finally:
        stop.set()
        racer.join()
    assert good


def open_or_nothing(folder: Path) -> list[bytes]:
    try:
        return list(open_trusted_files(folder).values())
    except VerificationFailed:
        return []
