"""The kernel refuses what two programs could read differently, and never leaves half a file."""

import json
import os
import re
import resource
import stat
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import (
    InvalidInput,
    Refused,
    canonical_json,
    check_name,
    digest_of,
    digest_of_file,
    from_rfc3339,
    hex_of,
    new_id,
    new_ids,
    private_folder,
    read_limited,
    rfc3339,
    strict_json,
    strict_yaml,
    write_atomically,
    yaml_comment,
    yaml_value,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_canonical_json_read_back_is_the_same_value_and_the_same_bytes(value: object) -> None:
    written = canonical_json(value)
    assert canonical_json(strict_json(written)) == written
    assert strict_json(written) == value


@given(
    st.recursive(
        json_values
        | st.floats(-1e-3, 1e-3)
        | st.floats(1e14, 1e22)
        | st.sampled_from([-0.0, 1e-4, 9.999999999999999e-5, 1e15, 1e21, 5e-324]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
        max_leaves=8,
    )
)
def test_the_fast_way_writes_the_same_bytes_as_the_reference(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, -(2**53), "\ud800", {1: 2}, {"a": object()}, b"bytes"]
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="no canonical JSON form"):
        canonical_json(value)


def test_canonical_json_matches_the_rfc_8785_example() -> None:
    """RFC 8785 section 3.2.2 and 3.2.3, sample object."""
    sample = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\x0f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical_json(sample).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        "[NaN]",
        "[Infinity]",
        "[1e999]",
        "[" * 100_000,
        "\ufeff1",
        "1 2",
        "",
        "{'a':1}",
        "9007199254740993",
        "1" * 5000,
        '{"a":{"b":1,"b":2}}',
    ],
)
def test_json_that_parsers_disagree_about_is_refused_t23(text: str) -> None:
    with pytest.raises(InvalidInput, match="not valid JSON"):
        strict_json(text)


def test_json_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InvalidInput):
        strict_json(b"\xff\xfe1\x00")


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    assert strict_json(json.dumps(["[" * 500, '\\"{[' * 40])) == ["[" * 500, '\\"{[' * 40]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: &x [1]\nb: *x", "line 1: anchors"),
        ("a: !!python/object/apply:os.system ['true']", "tags"),
        ("a: 1\nb: 2\na: 3", "line 3: 'a' appears twice"),
        ("a: 1\n---\nb: 2", "one document"),
        ("a: [1", "not YAML"),
        ("? [1, 2]\n: 3", "plain text"),
        ("a: \x01", "not YAML"),
        ("[" * 40 + "]" * 40, "too deep"),
        (b"a: \xff", "not UTF-8"),
        ("a: " + "x" * (1 << 20), "at most"),
    ],
)
def test_yaml_that_surprises_is_refused_with_its_line_t35(text: str | bytes, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        strict_yaml(text, what="sealwright.yaml")


def test_a_yaml_alias_bomb_is_refused_before_it_grows_t35() -> None:
    """T-35: nine levels of nine aliases would be 387 million items."""
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
    with pytest.raises(InvalidInput, match="anchors and aliases"):
        strict_yaml(bomb, what="bomb.yaml")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
        max_leaves=8,
    )
)
def test_what_is_written_as_yaml_reads_back_the_same(value: object) -> None:
    comment = "\n".join(yaml_comment("one\nb: 2\u2028c: 3 " + "word " * 60, ""))
    assert all(line.startswith("#") and len(line) <= 118 for line in comment.splitlines())
    assert strict_yaml(f"{comment}\nheld: {yaml_value(value)}\n", what="f").value == {"held": value}


def test_yaml_words_stay_words_and_keys_know_their_line() -> None:
    found = strict_yaml("categories: [yes, no, off, 2020-01-01, 012]\nlimits:\n  memory: 5\n", what="f")
    assert found.value["categories"] == ["yes", "no", "off", "2020-01-01", "012"]
    assert found.lines["limits", "memory"] == 3


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a..b", "a/b", "a b", "a\x1b[31m", "x" * 65, "ä"])
def test_names_that_are_unsafe_in_paths_or_terminals_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_name(name, what="project")
    assert "\x1b" not in str(caught.value)


def test_digests_have_one_spelling(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert digest_of(b"abc") == digest_of_file(tmp_path / "f")
    assert hex_of(digest_of(b"abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(InvalidInput):
        hex_of("sha256:ABC")


def test_times_without_a_zone_are_refused_and_the_rest_round_trips() -> None:
    assert rfc3339(from_rfc3339("2026-11-22T16:04:05.678+01:00")) == "2026-11-22T15:04:05.678Z"
    with pytest.raises(InvalidInput):
        rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive one is the point
    for text in ("yesterday", "2026-01-01", "2026-01-01T00:00:00"):
        with pytest.raises(InvalidInput):
            from_rfc3339(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"])
def test_a_time_outside_the_calendar_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInput, match="outside the calendar"):
        from_rfc3339(text)


def test_an_atomic_write_is_private_and_replaces_whole(tmp_path: Path) -> None:
    target = tmp_path / "f"
    write_atomically(target, b"one")
    write_atomically(target, b"two")
    assert target.read_bytes() == b"two"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_full_disk_keeps_the_old_file_and_leaves_no_draft(tmp_path: Path) -> None:
    """A child with a 4 KiB file size limit stands in for the full disk; the write really fails in the kernel."""
    target = tmp_path / "f"
    write_atomically(target, b"old")
    program = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom sealwright.kernel import write_atomically\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    write_atomically(Path(sys.argv[1]), b'x' * 100_000)\nexcept OSError:\n    sys.exit(7)\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program, str(target)], env=dict(os.environ), check=False)
    assert done.returncode == 7
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096


def test_a_folder_others_can_enter_is_refused(tmp_path: Path) -> None:
    open_one = tmp_path / "open"
    open_one.mkdir(mode=0o755)
    open_one.chmod(0o755)
    with pytest.raises(Refused, match="chmod 700"):
        private_folder(open_one)
    made = private_folder(tmp_path / "made")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    (tmp_path / "link").symlink_to(made)
    with pytest.raises(Refused, match="not a file or a link"):
        private_folder(tmp_path / "link")


def test_reading_follows_no_link_and_keeps_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    assert read_limited(tmp_path / "f", 5) == b"12345"
    with pytest.raises(InvalidInput, match="at most"):
        read_limited(tmp_path / "f", 4)
    (tmp_path / "l").symlink_to(tmp_path / "f")
    with pytest.raises(InvalidInput, match="Cannot open"):
        read_limited(tmp_path / "l", 5)
    with pytest.raises(InvalidInput, match=r"Cannot open|not a regular file"):
        read_limited(tmp_path, 5)
    os.mkfifo(tmp_path / "p")
    with pytest.raises(InvalidInput, match="not a regular file"):
        read_limited(tmp_path / "p", 5)


def test_the_version_is_one_everywhere() -> None:
    import tomllib
    from pathlib import Path

    import sealwright
    from sealwright.kernel import VERSION

    written = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    assert VERSION == sealwright.__version__ == written


def test_ids_made_together_are_as_long_and_as_different_as_those_made_alone() -> None:
    together = new_ids("dec", 500)
    assert len(set(together)) == 500
    assert all(re.fullmatch("dec_[0-9a-f]{24}", one) for one in [*together, new_id("dec")])
    assert new_ids("dec", 0) == []
