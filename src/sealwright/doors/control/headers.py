"""The headers every answer carries. What each is for stands in docs/reference/transport.md.

Answers: what may a browser do with this answer? As little as possible: no script, no frame, no cache, no other origin.
"""

from sealwright.doors.control.router import Access

__all__ = ["ATTACHMENT_POLICY", "security_headers"]

_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SCRIPTS = "; script-src 'self'; connect-src 'self'"  # files of ours, on pages that need one; never inline
ATTACHMENT_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"

_NO_FEATURES = ", ".join(
    f"{name}=()"
    for name in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
        "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock",
        "serial", "usb", "web-share", "xr-spatial-tracking",
    )
)  # fmt: skip
_KEYS = "publickey-credentials-get=(self), publickey-credentials-create=(self)"
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # with no-referrer, browsers send "Origin: null" with our own forms
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"permissions-policy", f"{_NO_FEATURES}, {_KEYS}".encode()),
    (b"x-frame-options", b"DENY"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_NO_STORE = (b"cache-control", b"no-store")
_KEEP = (b"cache-control", b"public, max-age=31536000, immutable")  # the digest of a static file is in its name
_LOCAL = (b"localhost", b"127.", b"[::1]")


def security_headers(access: Access | None, *, status: int, secured: bool, host: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of one answer, content policy included.

    Parameters
    ----------
    access : Access or None
        The route that answered, if one did.
    secured : bool
        Over TLS. A browser that was told so never comes without it again; not told for this machine's own names,
        where other programs serve, too.
    host : bytes
        The Host header.
    """
    policy = _PAGE_POLICY + (_SCRIPTS if access is not None and access.scripts else "")
    kept = access is not None and access.kind == "file" and status == 200
    headers = [*_ALWAYS, (b"content-security-policy", policy.encode()), _KEEP if kept else _NO_STORE]
    if secured and not host.startswith(_LOCAL):
        headers.append(_HSTS)
    return headers
