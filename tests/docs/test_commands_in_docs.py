"""Every command in the documentation exists as written, and the how-to guides do what they show."""

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docs_pages import DOCS, PAGES, ROOT, Block, Step, blocks_of, name_of, steps_of
from docs_reader import Reader, as_shown, merged, reading

from sealwright.doors.cli.app import program

HOW_TO = sorted((DOCS / "how-to").glob("*.md"))
ORACLES = ROOT / ".oracles" / "bin" / "python"
LANGUAGES = {"console", "python", "text", "yaml", "json", "toml", "ini", "xml"}

_ASSIGNED = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=\S*$")
_SHELL = re.compile(r"^(?:[0-9]*[<>]+.*|[|&;]+|\d*>&\d)$")
_INLINE = re.compile(r"`sealwright ([^`]+)`")


def commands_of(block: Block) -> Iterator[Step]:
    if block.language == "console":
        yield from steps_of(block)


def our_words(command: str) -> list[str] | None:
    """The arguments of `sealwright` in a line of shell, without what belongs to the shell; None if it is not there."""
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    while words and _ASSIGNED.match(words[0]):
        words.pop(0)
    if not words or words[0] != "sealwright":
        return None
    ours = []
    for word in words[1:]:
        if _SHELL.match(word):
            break
        ours.append(word)
    return ours


def refuse_unknown(words: list[str]) -> None:
    """Let the program itself read a command line, without executing it."""
    group: Any = program()
    context = group.make_context("sealwright", list(words), resilient_parsing=True)
    while hasattr(group, "commands"):
        if getattr(group, "invoke_without_command", False) and words and words[0].startswith("--") and group.name:
            group.make_context(group.name, list(words), parent=context)  # a verb of its own, besides its sub-verbs
            return
        assert words, "a verb is missing"
        assert words[0] in group.commands, f"there is no verb {words[0]!r}"
        group, words = group.commands[words[0]], words[1:]
        context = group.make_context(
            group.name, list(words), parent=context, resilient_parsing=hasattr(group, "commands")
        )


WRITTEN = [
    pytest.param(step, id=f"{name_of(page)}:{block.line}")
    for page in PAGES
    for block in blocks_of(page)
    for step in commands_of(block)
    if our_words(step.command) is not None
]


@pytest.mark.parametrize("step", WRITTEN)
def test_a_command_in_the_docs_is_one_the_program_understands(step: Step) -> None:
    words = our_words(step.command)
    assert words is not None
    if words == ["--help"]:
        return
    try:
        refuse_unknown(words)
    except Exception as error:
        raise AssertionError(f"{step.where}: {step.command}\nis not understood: {error}") from error


def test_verbs_and_options_named_in_a_sentence_exist() -> None:
    group: Any = program()
    wrong = []
    for page in PAGES:
        for found in _INLINE.finditer(re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)):
            words = found[1].replace("…", "").split()
            here = group
            while words and hasattr(here, "commands"):
                here = here.commands.get(words.pop(0))
            known = {name for one in getattr(here, "params", ()) for name in one.opts} | {"--help"}
            bad = [word for word in words if word.startswith("--") and word not in known]
            if here is None or bad:
                wrong.append(f"{name_of(page)}: `sealwright {found[1]}`: {', '.join(bad) or 'no such verb'}")
    assert not wrong, "\n".join(wrong)


def test_every_block_says_its_language_and_every_command_that_is_not_run_says_why() -> None:
    for page in PAGES:
        for block in blocks_of(page):
            assert block.language in LANGUAGES, f"{block.where}: say the language of this block: {sorted(LANGUAGES)}"
            if block.note.startswith("not run"):
                assert len(block.note) > len("not run: because"), f"{block.where}: say why it is not run"


def _follow(page: Path, folder: Path, reader: Reader) -> None:
    """Do what a page says, block by block."""
    for block in blocks_of(page):
        kind, _, name = block.note.partition(": ")
        if kind == "not run":
            continue
        if kind == "file":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(block.text)
        elif kind == "in":
            (folder / name).write_text(merged((folder / name).read_text(), block.text))
        elif block.language == "python":
            (folder / ".block.py").write_text(block.text)
            others = f"{os.environ.get('SEALWRIGHT_ORACLES', ORACLES)}"
            if kind == "by" and reader.type(f"{others} -c 'import {name}'")[1] != 0:
                continue  # they are not installed, or without it
            got, status = reader.type(f"{others if kind == 'by' else 'python -W error'} .block.py")
            assert status == 0, f"{block.where} ended with status {status}:\n{got}"
        elif block.language == "console":
            _type(list(steps_of(block)), reader)


def _type(steps: list[Step], reader: Reader) -> None:
    for place, step in enumerate(steps):
        got, status = reader.type(step.command)
        assert as_shown(step.output, got), f"{step.where}: {step.command}\nprints:\n{got}"
        told = place + 1 < len(steps) and steps[place + 1].command == "echo $?"
        assert status == 0 or told, f"{step.where}: {step.command}\nended with status {status}:\n{got}"


def _does_something(page: Path) -> bool:
    return any(
        block.language in {"console", "python"} and not block.note.startswith("not run") for block in blocks_of(page)
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in HOW_TO if _does_something(page)], ids=lambda page: page.stem)
def test_a_how_to_guide_does_what_it_shows(page: Path, copy: Path, warm_tools: Path) -> None:
    """Each page goes on from the folder the tutorial left."""
    with reading(copy, warm_tools) as reader:
        _follow(page, copy, reader)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("bare_db_url", ["postgres"], indirect=True)
def test_the_postgresql_page_does_what_it_shows(bare_db_url: str, copy: Path, warm_tools: Path) -> None:
    page = DOCS / "how-to" / "use-postgresql.md"
    shown = "postgresql://sealwright@db.example.org/sealwright?sslmode=verify-full"
    steps = [step for block in blocks_of(page) for step in commands_of(block) if our_words(step.command)]
    assert any(shown in step.command for step in steps)
    with reading(copy, warm_tools) as reader:
        _type([replace(step, command=step.command.replace(shown, bare_db_url)) for step in steps], reader)


def test_the_checks_above_notice_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no verb 'launch'"):
        refuse_unknown(["launch", "credit"])
    with pytest.raises(Exception, match=r"(?i)no such option"):
        refuse_unknown(["promote", "credit", "1", "--because", "x"])
    with pytest.raises(Exception, match=r"(?i)missing (option|parameter)"):
        refuse_unknown(["promote", "credit", "1"])
    assert our_words("A=1 sealwright verify x --trust t 3< f | head") == ["verify", "x", "--trust", "t"]
    assert not as_shown("one\n...\nthree", "one\ntwo")
    assert merged("a:\n  b: 1\n  c:\n    d: 2\n\ne:\n  {}\n", "a:\n  b: 3\ne:\n  f: 4\n") == (
        "a:\n  b: 3\n  c:\n    d: 2\n\n\ne:\n  f: 4\n\n"
    )
