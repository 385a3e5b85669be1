"""Links lead somewhere, claims name tests that exist, and no page tells about a machine it was written on."""

import re
from pathlib import Path

import pytest
from docs_pages import DOCS, PAGES, ROOT, anchors_of, links_of, name_of

MEASURED = DOCS / "reference" / "benchmarks.md"  # written by `make bench`
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
_OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:work|root|tmp|home|Users|mnt)/\S*|\b[\w-]+@[\w-]+:~")
_ADDRESS = re.compile(r"https?://([^/\s)>`\"']+)")
_KNOWN_HOSTS = {
    "localhost",
    "localhost:5001",
    "localhost:8080",
    "localhost:8443",
    "localhost:8444",
    "control.example.org",
    "vault.example.org:8200",
    "127.0.0.1:8444",
    "credit.example.org",
    "credit.example.org:8443",
    "idp.example.org",
    "sealwright.example.org",
    "s3.example.org",
    "timestamp.example.org",
    "vault.example.org",
    "witness.example.org:7475",
    "in-toto.io",
    "slsa.dev",
}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    dead = []
    for target in links_of(page):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        if not place.exists() or (anchor and anchor not in anchors_of(place)):
            dead.append(target)
    assert not dead, f"{name_of(page)} links to what is not there: {dead}"


def test_every_page_can_be_reached_from_the_first_one() -> None:
    seen: set[Path] = set()
    todo = [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        todo += [(page.parent / target.partition("#")[0]).resolve() for target in links_of(page) if "://" not in target]
    lost = sorted(name_of(page) for page in DOCS.rglob("*.md") if page.resolve() not in seen)
    assert not lost, f"No page leads to {lost}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_test_that_a_page_names_exists(page: Path) -> None:
    missing = []
    for file, function in _TEST.findall(page.read_text()):
        path = ROOT / file
        if not path.is_file() or (function and f"def {function}(" not in path.read_text()):
            missing.append(f"{file}::{function}" if function else file)
    assert not missing, f"{name_of(page)} names tests that are not there: {missing}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_tells_nothing_about_the_machine_it_was_written_on(page: Path) -> None:
    text = page.read_text()
    assert not _OF_A_MACHINE.findall(text), f"{name_of(page)}: {_OF_A_MACHINE.findall(text)}"
    if page.parent.name != "reference":  # generated pages and formats name standards
        strange = {host for host in _ADDRESS.findall(text) if host not in _KNOWN_HOSTS and "$" not in host}
        assert not strange, f"{name_of(page)} names hosts we do not know: {sorted(strange)}"


def test_every_numbered_threat_is_in_the_tests_that_are_said_to_try_it() -> None:
    """A row of the table: numbers, the threat, files. In each file, at least one of the numbers is named."""
    page = (DOCS / "security" / "threat-model.md").read_text()
    rows = re.findall(r"^\| (T-\d+(?:, T-\d+)*) \|[^|]+\|([^|]+)\|$", page, flags=re.MULTILINE)
    assert len(rows) >= 15
    untried = []
    for numbers, files in rows:
        for number in numbers.split(", "):
            spelled = re.compile(rf"\b{number}\b|_t{number[2:]}(?![0-9])|_t\d+_t{number[2:]}\b")
            texts = {file: (ROOT / file).read_text() for file, _ in _TEST.findall(files)}
            if not any(spelled.search(text) for text in texts.values()):
                untried.append(number)
        for file, text in texts.items():
            if not any(re.search(rf"\b{n}\b|_t{n[2:]}(?![0-9])", text) for n in numbers.split(", ")):
                untried.append(f"{numbers} in {file}")
    assert not untried, f"These threats are not tried where the page says: {untried}"


def test_what_was_measured_is_told_with_its_machine_and_its_commands() -> None:
    page = MEASURED.read_text()
    assert "**Machine.**" in page
    commands = re.findall(r"^\$ python (benchmarks/\S+\.py)", page, flags=re.MULTILINE)
    assert commands
    assert [file for file in commands if not (ROOT / file).is_file()] == []
