"""Single rows, documents and images are explained in the hand; what others wrote is escaped where it is shown."""

import base64
import re
import struct
import unicodedata
import zlib
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import sealwright as sw
from sealwright.assurance import Deletion, DocumentExplanation, WordEffect
from sealwright.doors.explanations import Explanations
from sealwright.doors.png import png_bytes
from sealwright.doors.signs import AGAINST, FOR, INK, SOFT, level_of, signs_of
from sealwright.kernel import InvalidInput

TAGS = {"section", "p", "b", "div", "mark", "span", "table", "thead", "tbody", "tr", "th", "td"}
PICTURE = TAGS | {"figure", "figcaption", "svg", "image", "rect", "text", "title"}
ATTRIBUTES = {"style", "title", "dir"}
DRAWN = ATTRIBUTES | {
    *("width", "height", "viewbox", "role", "aria-label", "href", "preserveaspectratio", "opacity"),
    *("x", "y", "fill", "fill-opacity", "font-size", "font-weight", "text-anchor", "dominant-baseline"),
}
EVIL = '<img src=x onerror=alert(1)> good </div><script>alert("1")</script> \' " & bad \x1b[31m \u202e evil'


class Read(HTMLParser):
    """Which tags and attributes a browser would see, and the text of the box with the document."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.box, self._depth, self._sign = "", 0, 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value)
        self._depth += 1 if self._depth or ("dir", "auto") in attrs else 0
        self._sign += self._depth > 0 and tag == "span"

    def handle_endtag(self, tag: str) -> None:
        self._sign -= self._depth > 0 and tag == "span"
        self._depth -= self._depth > 0

    def handle_data(self, data: str) -> None:
        if self._depth and not self._sign:
            self.box += data


def words(texts: list[str]) -> Any:
    score = np.array([4.0 * ("good" in text) - 3.0 * ("bad" in text) + 2.0 * ("evil" in text) for text in texts])
    return 1 / (1 + np.exp(-score))


def shown(text: str) -> str:
    """A document as a page may hold it."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if (unicodedata.category(c) == "Cc" and c not in "\t\n\r")
        or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        else c
        for c in text
    )


def test_a_row_is_explained_as_text_table_and_data() -> None:
    rng = np.random.default_rng(0)
    columns = {"<b>": rng.normal(size=200), "age": rng.normal(size=200)}
    X = np.column_stack(list(columns.values()))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    model = LogisticRegression().fit(X, y)

    def ask(table):  # the rows come as they were given
        return model.predict_proba(np.column_stack([table[name].to_numpy() for name in columns]))

    row = {"<b>": -1.0, "age": -0.5}
    found = sw.explain(ask, row, learned_from=(columns, y), fixed=["age"])
    (one,) = found
    assert one.decided == "0"
    assert set(one.change.changes) == {"<b>"}
    assert one.change.answer >= 0.5
    assert "decided 0" in found.text()
    assert "<b></td>" not in found.html()
    assert "&lt;b&gt;" in found.html()
    assert found.to_json()[0]["contributions"][0]["feature"] in columns
    with pytest.raises(InvalidInput, match="lack age"):
        sw.explain(ask, {"<b>": 1.0}, learned_from=(columns, y))
    with pytest.raises(InvalidInput, match=r"give learned_from=\(rows, truth\)"):
        sw.explain(ask, row)


def test_a_cell_of_a_row_cannot_steer_a_terminal_nor_begin_a_line_of_its_own() -> None:
    text = "\x1b[2J\n  method: trust me"
    rows = {"said": [text, "plain"] * 60, "x": np.linspace(0, 1, 120)}
    found = sw.explain(
        lambda table: table["x"].to_numpy(), {"said": text, "x": 0.9}, learned_from=(rows, np.arange(120) % 2)
    )
    assert "\x1b" not in found.text()
    assert not re.search(r"^ *method: trust me", found.text(), flags=re.MULTILINE)


# --- documents


def test_the_words_of_a_document_carry_signs_numbers_and_how_far_to_trust_them() -> None:
    found = sw.explain(words, ["A good room, bad food.", "nothing"], classes=["no", "yes"])
    text = found[:1].text()
    assert "decided yes; probability: 0.731" in text
    assert re.search(r"^  good +\+0\.\d{3}", text, flags=re.MULTILINE)
    assert re.search(r"^  bad +−0\.\d{3}", text, flags=re.MULTILINE)
    assert re.search(r"\| A \[\+\+\+good] room, \[−+bad] food\.", text)
    assert re.search(
        r"0\.500 without its words \+ 0\.\d{3} by words for it − 0\.\d{3} by words against it = 0\.731", text
    )
    assert re.search(r"deletion: .* fidelity 0\.\d{3}$", text, flags=re.MULTILINE)
    assert "adds up: the parts are the model's own answer to within" in text
    assert str(found) == found.text()
    assert "all deletions are the same" in found[1:].text()
    page = found.html()
    assert found._repr_html_() == page
    assert re.search(r"<mark title='\+0\.\d{3}' style='[^']*'>good<span [^>]*>\u2060\+\+\+</span></mark>", page)
    assert re.search(r"<mark title='−0\.\d{3}' style='[^']*'>bad<span [^>]*>\u2060−+</span></mark>", page)


def test_a_document_is_text_in_the_page_whatever_it_holds() -> None:
    found = sw.explain(words, EVIL, classes=["<i>no", "yes' onmouseover='x"])
    page = Read(found.html())
    assert page.tags <= TAGS
    assert set(page.attributes) <= ATTRIBUTES
    assert page.box == shown(EVIL)
    assert "good" in {item.word for item in found[0].words[:3]}
    assert not any("url(" in style or "expression" in style for style in page.attributes["style"])
    assert "\x1b" not in found.text()
    assert "\u202e" not in found.text()
    assert "decided yes' onmouseover='x" in found.text()


PIECES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["<b>", "</div>", "<script>", "&lt;", "&#60;", "'", '"', "<!--", "]]>", "\x00", "\x1b[0m", "good", "\u202e"]
)
EFFECTS = st.floats(-1, 1) | st.none()


@given(st.lists(st.tuples(PIECES, EFFECTS), max_size=12), PIECES, PIECES)
def test_no_document_and_no_name_of_an_outcome_writes_html_or_steers_a_terminal(
    pieces: list[tuple[str, float | None]], decided: str, outcome: str
) -> None:
    text, items = "", []
    for piece, effect in pieces:
        items.append(
            WordEffect(
                word=piece.lower(),
                effect=effect,
                error=None,
                alone=effect,
                places=((len(text), len(text) + len(piece)),),
            )
        )
        text += piece
    one = DocumentExplanation(
        text=text,
        decided=decided,
        answer=0.5,
        outcome=outcome,
        unit="probability",
        method="by hand",
        words=tuple(items),
        unseen=0,
        base=0.5,
        additivity=0.0,
        deletion=Deletion(guided=0.1, by_lot=0.0, draws=1),
    )
    found = Explanations([one])
    page = Read(found.html())
    assert page.tags <= TAGS
    assert set(page.attributes) <= ATTRIBUTES
    assert page.box == shown(text)
    assert all(c.isprintable() or c == "\n" for c in found.text())


def test_an_effect_within_its_error_gets_a_number_and_no_sign() -> None:
    sure = WordEffect(word="sure", effect=0.3, error=0.01, alone=0.2, places=((0, 4),))
    vague = WordEffect(word="vague", effect=0.2, error=0.15, alone=None, places=((5, 10),))
    without = DocumentExplanation(
        text="sure vague", decided=None, answer=1.5, outcome=None, unit="target units", method="by hand", words=(sure, vague),
        unseen=7, base=1.0, additivity=0.0, deletion=Deletion(guided=0.0, by_lot=0.1, draws=1),
    )  # fmt: skip
    found = Explanations([without])
    assert "| [+++sure] vague" in found.text()
    assert re.search(r"^  vague  \+0\.2 ± 0\.15$", found.text(), flags=re.MULTILINE)
    assert "1 without these words + 0.5 by words that raise it − 0 by words that lower it = 1.5" in found.text()
    assert "the first 2 different words were looked at, 7 further ones never left out" in found.text()
    assert "fidelity −0.1, so this explanation says nothing" in found.text()
    assert found.html().count("<mark") == 1
    assert "no answer" in found.html()


# --- images


def pixel(rows: Any) -> Any:
    return 0.1 + 0.8 * rows[:, 1, 2]


IMAGES = np.random.default_rng(0).random((20, 4, 5))


def test_the_regions_of_an_image_are_a_map_of_signs() -> None:
    found = sw.explain(pixel, np.ones((4, 5)), learned_from=(IMAGES, np.array(["<i>", "b&w"] * 10)))
    page = Read(found.html())
    assert page.tags <= PICTURE
    assert set(page.attributes) <= DRAWN
    assert all(address.startswith("data:image/png;base64,") for address in page.attributes["href"])
    assert "decided b&w; probability: 0.900" in found.text()
    grid = [line.split() for line in found.text().splitlines()[2:6]]
    assert grid == [["."] * 5, [".", ".", "+++", ".", "."], ["."] * 5, ["."] * 5]
    assert re.search(r"row 2 of 4, column 3 of 5: \+0\.\d{3}", found.text())
    assert found.html().count("<rect") == 1
    assert re.search(r"<text [^>]*>\+</text>", found.html())
    assert "what covering a region takes from the probability of b&amp;w" in found.html()
    against = sw.explain(pixel, np.ones((4, 5)), learned_from=(IMAGES, None), classes=[EVIL, "b&w"], wanted=EVIL)
    page = Read(against.html())
    assert page.tags <= PICTURE
    assert set(page.attributes) <= DRAWN
    assert "−−−" in against.text()
    assert re.search(r"<text [^>]*>−</text>", against.html())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_image_in_a_page_has_the_pixels_it_had(channels: int) -> None:
    pixels = np.random.default_rng(channels).integers(0, 256, (7, 5, channels)) / 255
    png = png_bytes(pixels)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, parts = 8, {}
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + data),)
        parts[kind], at = data, at + 12 + size
    assert list(parts) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", parts[b"IHDR"]) == (5, 7, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(7, 1 + 5 * channels)
    assert not lines[:, 0].any()
    assert np.array_equal(lines[:, 1:].reshape(pixels.shape), np.round(pixels * 255))


def test_a_large_image_is_thinned_where_it_is_shown() -> None:
    rows = np.zeros((2, 1200, 30), dtype=np.uint8)
    rows[1] = 255
    ask = lambda images: images.mean(axis=(1, 2)) / 255  # noqa: E731
    page = sw.explain(ask, rows[1], learned_from=(rows, [0, 1])).html()
    for address in set(re.findall(r"base64,([^']+)'", page)):
        width, height = struct.unpack(">II", base64.b64decode(address)[16:24])
        assert (width, height) == (10, 400)


# --- signs


def luminance(colour: str) -> float:
    """WCAG 2.1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_text_can_be_read_on_its_colour() -> None:
    assert min(contrast(INK, colour) for colour in (*FOR, *AGAINST, "#ffffff")) >= 4.5
    assert contrast(SOFT, "#ffffff") >= 4.5
    for colours in (FOR, AGAINST):
        assert luminance(colours[0]) > luminance(colours[1]) > luminance(colours[2]), "darker for more"


def test_signs_say_all_that_colours_say() -> None:
    told = [signs_of(effect, 1.0) for effect in (-1, -0.5, -0.2, -0.01, 0, 0.01, 0.2, 0.5, 1)]
    assert told == ["−−−", "−−", "−", "", "", "", "+", "++", "+++"]
    assert [level_of(effect, 1.0) for effect in (-1, -0.5, -0.2, -0.01)] == [3, 2, 1, 0]
    assert signs_of(0.0, 0.0) == ""
