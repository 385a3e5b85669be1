"""A link as a picture that a phone reads from the screen (QR code, ISO/IEC 18004)."""

from markupsafe import Markup

__all__ = ["qr_code"]


def qr_code(link: str) -> Markup:
    """An SVG image with a quiet zone, black on white in every theme.

    Nothing of `link` stands in it as text, and it holds neither script nor style, so a strict content security policy
    shows it.
    """
    import segno

    drawn = segno.make(link, micro=False, error="m").svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True, title="QR code"
    )
    return Markup(drawn)  # noqa: S704 # nosec B704 - the picture is ours; nothing of the link stands in it as text
