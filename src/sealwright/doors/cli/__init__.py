"""The command line: verbs a person guesses, honest exit codes, `--json` on every one.

Exit status everywhere: 0 done, 1 the machine could not, 2 wrong usage, 3 stopped by a policy, 4 verification failed.
"""

import sys

__all__ = ["main"]


def main() -> None:
    """The program `sealwright`."""
    from sealwright.doors.cli.errors import INTERRUPTED, exit_code_of, tell
    from sealwright.kernel import new_id
    from sealwright.trust import as_request

    arguments = sys.argv[1:]
    try:
        from sealwright.doors.cli.app import program

        with as_request(new_id("req")):
            status = program()(args=arguments, prog_name="sealwright", standalone_mode=False)
        if status == INTERRUPTED:  # Ctrl-C arrives here as a bare number
            raise KeyboardInterrupt
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - the one place where anything becomes words and a code
        tell(error, as_json="--json" in arguments)
        status = exit_code_of(error)
    sys.exit(status or 0)
