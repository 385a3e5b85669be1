"""How the command line words a failure: never a stack trace for a user's mistake."""

import errno
import json
import os
import sys
import traceback

from typer import Abort
from typer.exceptions import TyperException

from sealwright.kernel import SealwrightError, VerificationFailed, safe

__all__ = ["INTERRUPTED", "exit_code_of", "tell"]

INTERRUPTED = 130

_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
}


def exit_code_of(error: BaseException) -> int:
    """0 is never among them: 1 the machine could not, 2 usage, 3 policy, 4 verification, 130 interrupted."""
    if isinstance(error, (SealwrightError, TyperException)):
        return error.exit_code
    if isinstance(error, (KeyboardInterrupt, Abort)):
        return INTERRUPTED
    return 1


def tell(error: BaseException, *, as_json: bool) -> None:
    """Print one error on standard error, as words or as one JSON object."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return  # the help was printed when it was raised
    code, message = _words(error)
    if as_json:
        body = {"error": code, "message": message}
        if isinstance(error, VerificationFailed) and error.link:
            body["link"] = error.link
        print(json.dumps(body), file=sys.stderr)  # noqa: T201 - this is the door's own output
        return
    where = f" at {error.link}" if isinstance(error, VerificationFailed) and error.link else ""
    print(safe(f"{_title(error)}{where} ({code})\n{message}"), file=sys.stderr)  # noqa: T201


def _words(error: BaseException) -> tuple[str, str]:
    if isinstance(error, SealwrightError):
        return error.code, str(error)
    if isinstance(error, TyperException):
        where = getattr(getattr(error, "ctx", None), "command_path", "sealwright")
        return "usage", f"{error.format_message()}\nSee: {where} --help"
    if isinstance(error, (KeyboardInterrupt, Abort)):
        return "interrupted", "Stopped. Finished steps are kept; the same command goes on from there."
    if isinstance(error, BrokenPipeError):
        return "operation.failed", "The reader of our output went away."
    if isinstance(error, OSError):
        reason = _FULL.get(error.errno or 0) or (error.strerror or type(error).__name__).lower()
        named = f" ({error.filename})" if error.filename else ""
        return (
            "operation.failed",
            f"The machine could not do it: {reason}{named}.\nNothing half-written was kept. Mend that, then try again.",
        )
    if os.environ.get("SEALWRIGHT_DEBUG") == "1":
        traceback.print_exception(error)
    return "internal", (
        f"This is a fault in Sealwright, not in what you did: {type(error).__name__}.\n"
        "Nothing half-written was kept. Please report it with the output of SEALWRIGHT_DEBUG=1."
    )


def _title(error: BaseException) -> str:
    titles = {2: "Cannot do that", 3: "Stopped by policy", 4: "Verification failed", 130: "Interrupted"}
    return titles.get(exit_code_of(error), "It did not work")
