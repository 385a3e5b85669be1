"""Reading our own documentation: its fenced blocks, its commands, its links and headings.

A comment right above a fence says what a test does with the block:

    <!-- not run: WHY -->     the commands are checked against the program, but not executed
    <!-- file: NAME -->       the block is the content of a file of the example
    <!-- in: NAME -->         the block replaces settings of a project file, section by section
    <!-- by: MODULE -->       the block is run by the Python with other people's tools (`make oracles`), where it has MODULE
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "PAGES", "ROOT", "Block", "Step", "anchors_of", "blocks_of", "links_of", "name_of", "steps_of"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

_FENCE = re.compile(r"^```(?P<language>[a-z]*)\s*$")
_NOTE = re.compile(r"^<!-- (?P<note>(?:not run|file|in|by): .+) -->$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block. `note` is the comment above it, without its brackets."""

    page: Path
    line: int  # of the fence, 1-based
    language: str
    text: str
    note: str

    @property
    def where(self) -> str:
        return f"{name_of(self.page)}, line {self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a console block, and what the page shows as its output ("" where it shows nothing)."""

    command: str
    output: str
    where: str


def name_of(page: Path) -> str:
    """A page as people name it: "docs/index.md"."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    note, language, start, text = "", "", 0, None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if text is None and fence:
            language, start, text = fence["language"], number, []
        elif text is not None and line == "```":
            body = "\n".join(text) + "\n"
            found.append(Block(page=page, line=start, language=language, text=body, note=note))
            note, text = "", None
        elif text is not None:
            text.append(line)
        else:
            said = _NOTE.match(line)
            note = said["note"] if said else ""
    assert text is None, f"{name_of(page)}: the block of line {start} does not end"
    return found


def steps_of(block: Block) -> Iterator[Step]:
    """The commands of a console block. A command goes on in the next line after a backslash."""
    lines = block.text.splitlines()
    while lines:
        first = lines.pop(0)
        assert first.startswith("$ "), f"{block.where}: {first!r} is neither a command nor the output of one"
        command = first[2:]
        while command.endswith("\\"):
            command = command + "\n" + lines.pop(0)
        output = []
        while lines and not lines[0].startswith("$ "):
            output.append(lines.pop(0))
        yield Step(command=command, output="\n".join(output), where=block.where)


def links_of(page: Path) -> list[str]:
    """The targets of all links of a page, outside blocks and code."""
    return [found["target"] for found in _LINK.finditer(_CODE.sub("", _prose(page)))]


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page: its headings, spelled as code hosts spell them, and the places named in it."""
    prose = _prose(page)
    headings = re.findall(r"^#{1,6} (.+)$", prose, flags=re.MULTILINE)
    named = set(re.findall(r'<a id="([\w-]+)"></a>', prose))
    return named | {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _prose(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
