"""What goes back: pages for browsers, problem documents (RFC 9457) for programs, files as attachments.

Answers: in which form does this caller read a refusal? A browser says that it takes HTML; whoever does not gets JSON.
A fault on our side is one fixed sentence and an id that also stands in the log; no answer holds a trace, a path or a version.
"""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from sealwright.doors.control.csrf import FORM_FIELD
from sealwright.doors.control.headers import ATTACHMENT_POLICY
from sealwright.doors.control.templates import render
from sealwright.serving import HttpRefusal, InternalFault, problem_body

__all__ = ["attachment", "fault_answer", "page", "refusal_answer"]

_PASSIVE = frozenset({"application/json", "text/plain", "text/csv"})  # what no browser runs; everything else is octets
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def page(request: Request, name: str, *, status: int = 200, **facts: Any) -> HTMLResponse:
    """A page from a template; what every page shows is filled in."""
    caller = getattr(request.state, "caller", None)
    console = request.app.state.console
    bound = caller.session if caller is not None and caller.session else getattr(request.state, "visit", "")
    token = request.app.state.door.tokens.of(bound) if bound else ""
    path = request.url.path if request.method == "GET" else getattr(request.state, "back", "/")
    common = {"caller": caller, "console": console, "form_field": FORM_FIELD, "form_token": token, "path": path}
    values: Mapping[str, Any] = {**common, **facts}
    return HTMLResponse(render(f"{name}.html.j2", values), status_code=status)


def refusal_answer(request: Request, refusal: HttpRefusal) -> Response:
    """A refusal, in the form its reader takes."""
    headers = {name.decode(): value.decode() for name, value in refusal.headers}
    if refusal.closes:
        headers["connection"] = "close"
    if _reads_html(request):
        answer: Response = page(
            request, "refused", status=refusal.status, title=refusal.title, detail=refusal.detail, number=refusal.status
        )
    else:
        answer = Response(problem_body(refusal), refusal.status, media_type="application/problem+json")
    answer.headers.update(headers)
    return answer


def fault_answer(request: Request, fault: str) -> Response:
    """What is said when we failed: the id under which the log has it."""
    refusal = InternalFault(f"Quote this id when you report it: {fault}.")
    return refusal_answer(request, refusal)


def attachment(data: bytes, *, name: str, media_type: str) -> Response:
    """A file to be kept, never shown: whatever it holds, a browser does not run it in our name.

    Parameters
    ----------
    name : str
        Letters, digits, dot, dash and underscore; anything else becomes an underscore.
    media_type : str
        Kept where it is passive (JSON, plain text, CSV); else octets.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:100]
    shown = safe if _FILE_NAME.fullmatch(safe) else "download"
    kind = media_type if media_type in _PASSIVE else "application/octet-stream"
    headers = {
        "content-disposition": f'attachment; filename="{shown}"',
        "content-security-policy": ATTACHMENT_POLICY,
        "x-content-type-options": "nosniff",
    }
    return Response(data, media_type=kind, headers=headers)


def _reads_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
