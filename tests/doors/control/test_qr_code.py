"""The picture beside the key of an authenticator app says exactly the link, to a reader that is not ours."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from people_house import Bank

from sealwright.doors.control.qr_code import qr_code

LINK = "otpauth://totp/Example%20%3Cb%3EBank:ada?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Example"


def modules(svg: str) -> set[tuple[int, int]]:
    """The dark squares of the picture, from the strokes it is drawn with."""
    (path,) = re.findall(r'stroke="#000" d="([^"]+)"', svg)
    x = y = 0.0
    dark = set()
    for kind, numbers in re.findall(r"([Mmhl])([-0-9. ]+)", path):
        values = [float(one) for one in re.findall(r"-?[0-9.]+", numbers)]
        if kind in "Mm":
            x, y = (values[0], values[1]) if kind == "M" else (x + values[0], y + values[1])
        else:
            dark |= {(int(x) + step, int(y)) for step in range(int(values[0]))}
            x += values[0]
    return dark


def test_the_picture_holds_no_text_script_or_style_of_the_link() -> None:
    svg = str(qr_code(LINK))
    assert svg.startswith("<svg ")
    for word in ("secret", "JBSWY", "otpauth", "<script", "style=", "href", "on"):
        assert word not in re.sub(r'd="[^"]+"', "", svg).replace("QR code", "").replace('version="1.1"', "")


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbarimg (package zbar-tools) is not installed")
def test_another_reader_finds_the_link(tmp_path: Path) -> None:
    dark = modules(str(qr_code(LINK)))
    size, zoom = max(max(pair) for pair in dark) + 5, 6
    pixels = bytes(0 if (x // zoom, y // zoom) in dark else 255 for y in range(size * zoom) for x in range(size * zoom))
    (tmp_path / "qr.pgm").write_bytes(b"P5 %d %d 255\n" % (size * zoom, size * zoom) + pixels)
    done = subprocess.run(
        ["zbarimg", "--quiet", "--raw", str(tmp_path / "qr.pgm")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == LINK


def test_the_page_of_an_app_shows_it(bank: Bank) -> None:
    browser = bank.signed_in("ada")
    page = browser.get("/account/app")
    assert page.text.count('class="qr"') == 1
    assert "script-src" not in page.headers["content-security-policy"]
