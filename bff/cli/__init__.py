"""The commands: `python -m bff [--root DIR] COMMAND`. Each is a function that gives the exit status.

0: all is well; 1: the project's files hold mistakes; 2: the command was used wrongly.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bff.errors import AuthorError, OperatorError
from bff.text import parse_duration


def main(argv: Sequence[str]) -> int:
    """Run one command; every error that an author or operator can cause ends here, in words."""
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as end:
        # argparse has said what is wrong (2), or printed the help (0).
        return int(end.code or 0)
    try:
        return int(arguments.run(arguments))
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bff", description="Pages from recipes.", allow_abbrev=False
    )
    parser.add_argument(
        "--root", type=Path, default=Path(), help="the project folder, that of wsgi.py (default: this one)"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    checking = commands.add_parser("check", help="say every mistake in recipes, clients and functions")
    checking.add_argument("pages", nargs="*", metavar="PAGE", help="recipes to check (default: all)")
    checking.set_defaults(run=_check)
    testing = commands.add_parser("test", help="ask the pages while their backends fail in every way")
    testing.add_argument("--faults", action="store_true", required=True, help="every request × every fault")
    testing.add_argument("pages", nargs="*", metavar="PAGE", help="recipes to test (default: all)")
    testing.set_defaults(run=_test)
    building = commands.add_parser(
        "build", help="write pages in compiled form, in a folder that runs by itself"
    )
    building.add_argument("pages", nargs="*", metavar="PAGE", help="recipes to build")
    building.add_argument("--all", action="store_true", help="every page, with the files of public/")
    building.add_argument("--target", default="wsgi", help="the kind of host (default: %(default)s)")
    building.add_argument("--out", type=Path, default=Path("build"), help="the folder (default: %(default)s)")
    building.add_argument(
        "--zip", action="store_true", help="an archive of each function instead of a folder"
    )
    building.add_argument(
        "--arch", choices=("x86_64", "arm64"), default="x86_64", help="(default: %(default)s)"
    )
    building.add_argument("--python", metavar="3.x", help="the host's Python (default: the running one)")
    building.add_argument("--python-bin", type=Path, help="where that Python is, which makes its bytecode")
    building.add_argument("--group", metavar="NAME", help="all of these pages in one function of this name")
    building.add_argument(
        "--with-public", action="store_true", help="the files of public/ in that function too"
    )
    building.add_argument(
        "--max-mb", type=int, help="the most MiB of a function (default: what the host takes)"
    )
    building.add_argument("--show-files", action="store_true", help="list every file")
    building.set_defaults(run=_build)
    serving = commands.add_parser("serve", help="serve the app of wsgi.py as in production")
    serving.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    # Hosts of containers say by PORT where they expect an answer, and their commands know no variables.
    port = os.environ.get("PORT") or "8000"
    serving.add_argument("--port", type=_port, default=port, help="(default: $PORT, or else 8000)")
    serving.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    serving.add_argument("--threads", type=int, default=128, help="threads of each (default: %(default)s)")
    serving.add_argument(
        "--drain",
        type=_duration,
        default=5.0,
        help="how long to go on after SIGTERM, while /readyz says that it stops (default: 5s)",
    )
    serving.set_defaults(run=_serve)
    printing = commands.add_parser("schema", help="print the JSON Schema of recipe files")
    printing.set_defaults(run=_schema)
    return parser


# Each imports what it needs itself: a server starts without the checker, a check without the server.


def _check(given: argparse.Namespace) -> int:
    from bff.cli.check import check

    return check(given.root, given.pages)


def _build(given: argparse.Namespace) -> int:
    from bff.cli.build import Wanted, build

    if bool(given.pages) == given.all:
        raise OperatorError("build takes the names of pages, or --all")
    wanted = Wanted(
        pages=given.pages,
        target=given.target,
        out=given.out,
        zipped=given.zip,
        arch=given.arch,
        python=given.python,
        python_bin=given.python_bin,
        group=given.group,
        with_public=given.with_public,
        max_mb=given.max_mb,
        show_files=given.show_files,
    )
    return build(given.root, wanted)


def _test(given: argparse.Namespace) -> int:
    from bff.cli.test import test_faults

    return test_faults(given.root, given.pages)


def _schema(given: argparse.Namespace) -> int:
    from bff.cli.schema import schema

    return schema()


def _serve(given: argparse.Namespace) -> int:
    gc.disable()  # while modules are imported there is nothing to collect, and more and more to look at
    try:
        from bff.cli.serve import Serving, serve
    finally:
        gc.enable()

    return serve(given.root, Serving(given.host, given.port, given.workers, given.threads, drain=given.drain))


def _port(text: str) -> int:
    """A port; what came is not shown, because $PORT may be anything."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError("expected a port, from 0 to 65535")
    return int(text)


def _duration(text: str) -> float:
    seconds = parse_duration(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write it like 500ms, 5s or 1m")
    return seconds
