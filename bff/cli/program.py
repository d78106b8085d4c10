"""The commands with their options. Each imports what it needs itself: a server starts without the checker."""

from __future__ import annotations

import gc
from pathlib import Path

import click

import bff
from bff.cli.command import Commands, Parsed
from bff.errors import OperatorError
from bff.text import parse_duration

SECTIONS = {
    "Write": ("new", "add", "check", "schema"),
    "Look": ("routes", "explain", "types", "graph", "eval"),
    "Try": ("dev", "call", "introspect", "test", "serve"),
    "Ship": ("build", "preview"),
}


def _port(text: str) -> int | None:
    is_port = text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535
    return int(text) if is_port else None


PORT = Parsed("PORT", _port, "a port, from 0 to 65535")
DURATION = Parsed("TIME", parse_duration, "a duration like 500ms, 5s or 1m")


@click.group(cls=Commands, sections=SECTIONS)
@click.version_option(bff.__version__, prog_name="bff")
def program() -> None:
    """Pages from recipes: one YAML file says what a page shows, the engine asks the backends side by side."""


_query = click.option(
    "-q", "query", multiple=True, metavar="NAME=VALUE", help="Of the path or the query; more than once."
)
_who = click.option(
    "--as",
    "who",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Who asks: JSON with user and tokens.",
)
"""Options of the commands that ask pages."""


@program.command(example="bff new shop --template list")
@click.argument("name")
@click.option("--backend", metavar="URL", help="Ask this address once, and begin with a page of what it has.")
@click.option(
    "--template",
    type=click.Choice(["blank", "list", "sign-in"]),
    default="list",
    show_default=True,
    help="What the first pages are about.",
)
def new(name: str, backend: str | None, template: str) -> int:
    """Begin a project in the folder NAME.

    It has a page, a client, tests, and what a coding assistant should know of recipes. Nothing that is there is written
    over.
    """
    from bff.cli.new import new

    return new(name, template, backend)


@program.command(example="bff add page orders --client backend --get /orders")
@click.argument("kind", type=click.Choice(["page", "client", "ci", "vite"]))
@click.argument("name", required=False)
@click.option("--client", metavar="CLIENT", help="Whom the page asks.")
@click.option("--get", "path", metavar="PATH", help="What the page asks for.")
@click.pass_obj
def add(root: Path, kind: str, name: str | None, client: str | None, path: str | None) -> int:
    """Add a page with its test, a client, CI, or a plugin for Vite.

    Nothing that is there is written over.
    """
    from bff.cli.new import add

    return add(root, kind, name, client=client, path=path)


@program.command(example="bff check home --format github")
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or for the annotations of GitHub Actions.",
)
@click.pass_obj
def check(root: Path, pages: tuple[str, ...], form: str) -> int:
    """Say every mistake in recipes, clients and functions.

    With names of pages, only what is wrong in these recipes.
    """
    from bff.cli.check import check

    return check(root, pages, form)


@program.command(example="bff schema > recipe.schema.json")
def schema() -> int:
    """Print the JSON Schema of recipe files, for editors."""
    from bff.cli.schema import schema

    return schema()


@program.command(example="bff routes")
@click.pass_obj
def routes(root: Path) -> int:
    """List the routes: method, path, page and who may ask."""
    from bff.cli.routes import print_routes

    return print_routes(root)


@program.command(example="bff explain home")
@click.argument("page")
@click.pass_obj
def explain(root: Path, page: str) -> int:
    """Say what a page does, and what breaks it.

    What starts when, how long it can take, the most requests, what fails with what, what is kept, and what is used of
    each reply.
    """
    from bff.cli.explain import explain

    return explain(root, page)


@program.command(example="bff types home --stats --max-unknown 0")
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
@click.option("--stats", is_flag=True, help="How many fields are typed, and why each other is not.")
@click.option("--max-unknown", type=click.IntRange(0), metavar="N", help="Fail where more are unknown.")
@click.pass_obj
def types(root: Path, pages: tuple[str, ...], stats: bool, max_unknown: int | None) -> int:
    """Say of what type the answers of pages are.

    Told from what the backends promise, before anything runs. What nothing enforces is marked as unverified.
    """
    from bff.cli.types import types

    return types(root, pages, stats=stats, most_unknown=max_unknown)


@program.command(example="bff graph home > home.svg")
@click.argument("page")
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "mermaid"]),
    default="svg",
    show_default=True,
    help="A picture, or text for Mermaid.",
)
@click.pass_obj
def graph(root: Path, page: str, form: str) -> int:
    """Draw what of a page waits for what."""
    from bff.cli.graph import graph

    return graph(root, page, form)


@program.command("eval", example='bff eval "[todo.title for todo in todos]" --data todos.json')
@click.argument("expression")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A JSON object with a member for each name that the expression may use.",
)
@click.pass_obj
def evaluate(root: Path, expression: str, data: Path | None) -> int:
    """Work out one expression, and print what it gives as JSON."""
    from bff.cli.eval import evaluate

    return evaluate(root, expression, data)


@program.command(example="bff dev --run 'npm run dev'")
@click.option("--port", type=PORT, default=5000, show_default=True, help="Where to listen.")
@click.option("--run", metavar="COMMAND", default="", help="A shell line that runs beside it.")
@click.option(
    "--as",
    "who",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Who asks without having signed in: JSON with user and tokens.",
)
@click.option("--no-learn", is_flag=True, help="Write no types of replies into clients/.")
@click.pass_obj
def dev(root: Path, port: int, run: str, who: Path | None, no_learn: bool) -> int:
    """Serve the project while you write it.

    Files are followed, and mistakes are shown. A recipe with one takes down itself and what includes it,
    nothing else.
    """
    from bff.cli.dev import dev

    return dev(root, port, run, who, not no_learn)


@program.command(example="bff call home -q status=open --as visitor.json --trace")
@click.argument("page")
@_query
@click.option("-d", "data", metavar="TEXT", help="The body, or @FILE with it.")
@_who
@click.option("--trace", is_flag=True, help="When each step began and ended.")
@click.pass_obj
def call(
    root: Path, page: str, query: tuple[str, ...], data: str | None, who: Path | None, trace: bool
) -> int:
    """Ask one page, without a server, and print what it answers.

    Its backends are the real ones, where the environment says they are.
    """
    from bff.cli.call import call

    return call(root, page, query, data, who, trace=trace)


@program.command(example="bff introspect people -q id=7 --as visitor.json")
@click.argument("client")
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
@_query
@click.option("-d", "data", metavar="TEXT", help="The body of pages that take one, or @FILE with it.")
@_who
@click.pass_obj
def introspect(
    root: Path,
    client: str,
    pages: tuple[str, ...],
    query: tuple[str, ...],
    data: str | None,
    who: Path | None,
) -> int:
    """Learn the types of a backend's replies.

    It is asked through the pages' own reads; writes are never sent. Types go to clients/CLIENT.types.yaml, values
    nowhere.
    """
    from bff.cli.introspect import introspect

    return introspect(root, client, pages, query, data, who)


@program.command(example="bff test --faults home")
@click.option("--faults", is_flag=True, required=True, help="Every request × every fault.")
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
@click.pass_obj
def test(root: Path, pages: tuple[str, ...], faults: bool) -> int:
    """Ask the pages while their backends fail in every way.

    Nothing is asked over the network: the backends are played. The table says what a visitor gets.
    """
    from bff.cli.test import test_faults

    return test_faults(root, pages)


@program.command(example="bff serve --host 0.0.0.0 --port 8080 --workers 2")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
# Hosts of containers say by PORT where they expect an answer, and their commands know no variables.
@click.option("--port", type=PORT, envvar="PORT", default=8000, help="(default: $PORT, or else 8000)")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--threads", type=click.IntRange(1), default=128, show_default=True, help="Threads of each.")
@click.option(
    "--drain",
    type=DURATION,
    default="5s",
    show_default=True,
    help="How long to go on after SIGTERM, while /readyz says that it stops.",
)
@click.pass_obj
def serve(root: Path, host: str, port: int, workers: int, threads: int, drain: float) -> int:
    """Serve the app of wsgi.py as in production."""
    gc.disable()  # while modules are imported there is nothing to collect, and more and more to look at
    try:
        from bff.cli.serve import Serving, serve
    except ModuleNotFoundError as error:
        if error.name != "granian":
            raise
        from bff.settings import installing

        raise OperatorError(f"serve needs the package granian: {installing('granian')}") from None
    finally:
        gc.enable()

    return serve(root, Serving(host, port, workers, threads, drain=drain))


@program.command(example="bff build home --target aws-lambda --out build/aws")
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
@click.option("--all", "whole", is_flag=True, help="Every page, with the files of public/.")
@click.option("--target", default="wsgi", show_default=True, help="The kind of host.")
@click.option(
    "--out", type=click.Path(path_type=Path), default="build", show_default=True, help="The folder."
)
@click.option("--zip", "zipped", is_flag=True, help="An archive of each function instead of a folder.")
@click.option(
    "--arch",
    type=click.Choice(["x86_64", "arm64"]),
    default="x86_64",
    show_default=True,
    help="The host's processor.",
)
@click.option("--python", metavar="3.x", help="The host's Python (default: the running one).")
@click.option(
    "--python-bin", type=click.Path(path_type=Path), help="Where that Python is, which makes its bytecode."
)
@click.option("--group", metavar="NAME", help="All of these pages in one function of this name.")
@click.option("--with-public", is_flag=True, help="The files of public/ in that function too.")
@click.option(
    "--setting",
    "settings",
    multiple=True,
    metavar="NAME",
    help="A variable that the host will set and that needs a package, which then goes along; may be repeated.",
)
@click.option("--max-mb", type=int, help="The most MiB of a function (default: what the host takes).")
@click.option("--show-files", is_flag=True, help="List every file.")
@click.pass_obj
def build(
    root: Path,
    pages: tuple[str, ...],
    whole: bool,
    target: str,
    out: Path,
    zipped: bool,
    arch: str,
    python: str | None,
    python_bin: Path | None,
    group: str | None,
    with_public: bool,
    settings: tuple[str, ...],
    max_mb: int | None,
    show_files: bool,
) -> int:
    """Write pages in compiled form, in a folder that runs by itself.

    Targets are wsgi, container, knative, aws-lambda, google, aliyun-fc and azure.
    """
    from bff.cli.build import Wanted, build

    if bool(pages) == whole:
        raise OperatorError("build takes the names of pages, or --all")
    wanted = Wanted(
        pages=pages,
        target=target,
        out=out,
        zipped=zipped,
        arch=arch,
        python=python,
        python_bin=python_bin,
        group=group,
        with_public=with_public,
        settings=settings,
        max_mb=max_mb,
        show_files=show_files,
    )
    return build(root, wanted)


@program.command(example="bff preview build/aws --port 8080")
@click.argument("folder", type=click.Path(path_type=Path), default="build", metavar="[FOLDER]")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Where to listen.")
@click.pass_obj
def preview(root: Path, folder: Path, port: int) -> int:
    """Run what was built on this machine, under its host's runtime.

    FOLDER is what `bff build` has written. Where the runtime is not installed, it says which package to install.
    """
    from bff.cli.preview import preview

    return preview(root, folder, port)
