"""The commands: `bff [--root DIR] COMMAND`, or `python -m bff`. Each is a function that gives the exit status.

0: all is well; 1: the project's files hold mistakes; 2: the command was used wrongly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from bff.errors import AuthorError, OperatorError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; every error that an author or operator can cause ends here, in words."""
    import click

    from bff.cli.program import program

    colours = False if os.environ.get("NO_COLOR") else None
    try:
        status = program.main(
            argv if argv is None else list(argv), prog_name="bff", standalone_mode=False, color=colours
        )
        return int(status or 0)
    except click.ClickException as error:  # used wrongly
        error.show()
        return 2
    except click.Abort:
        return 130
    except AuthorError as error:
        print(error)
        return 1
    except OperatorError as error:
        print(f"bff: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("bff."):
            raise
        print(
            "bff: this command is for recipes, and in this folder are pages that were built", file=sys.stderr
        )
        return 2
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; nothing more may be written at exit.
        sys.stdout = None
        return 1
    except KeyboardInterrupt:
        return 130
