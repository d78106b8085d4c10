"""`python -m bff build` for function hosts: a function for each page, groups, archives, other Pythons, budgets."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from bff.cli import main
from bff.cli.building.archive import archive
from bff.deploy import TARGETS, Bundler
from bff.deploy.aws_lambda import MAX_FILE
from bff.deploy.python import running_python, running_version
from tests.deploy.aws_built import layers_in
from tests.project import write_project

ROOT = Path(__file__).resolve().parents[2]
TARGET = "aws-lambda"
PLAIN = """
    route: GET /plain
    auth: none
    input:
      query:
        page: {type: integer, minimum: 1}
    steps:
      todos: {client: todos, get: /todos}
    shape: todos
    """
ASKING = """
    route: GET /asking
    auth: none
    input:
      query:
        day: {type: string, format: date}
    shape: query.day
    """
MINE = "route: GET /mine\nshape: user.id\n"


def shop(folder: Path) -> Path:
    root = write_project(folder / "shop", {"plain": PLAIN, "asking": ASKING, "mine": MINE})
    (root / "requirements.txt").write_text((ROOT / "requirements.txt").read_text())
    return root


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shop(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a build of all pages, and what it printed."""
    root = shop(tmp_path_factory.mktemp("whole"))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status, out = built(root, "--all")
    assert status == 0
    return out, printed.getvalue()


def built(project: Path, *arguments: str) -> tuple[int, Path]:
    out = project.parent / "out"
    return main(["--root", str(project), "build", "--target", TARGET, "--out", str(out), *arguments]), out


def functions_in(out: Path) -> set[str]:
    return {path.parent.name for path in out.glob("*/pages.compiled")}


def packages_of(out: Path, page: str) -> set[str]:
    """The packages in a function's folder and in its layers."""
    places = [out / page, *(layer / "python" for layer in layers_in(out, page))]
    return {path.name.partition("-")[0] for place in places for path in place.glob("*.dist-info")}


def digest(folder: Path) -> str:
    content = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return content.hexdigest()


@pytest.mark.full  # a build each
def test_a_group_is_one_function(project: Path) -> None:
    status, out = built(project, "plain", "mine", "--group", "both")
    assert (status, functions_in(out)) == (0, {"both"})


@pytest.mark.full  # a build each
def test_a_group_of_all_has_every_page(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = built(project, "--all", "--group", "shop")
    assert (status, functions_in(out)) == (0, {"shop"})
    assert capsys.readouterr().err.startswith(f"3 pages for {TARGET} in {out}: ")


def with_files(project: Path, **more: bytes) -> Path:
    (project / "public").mkdir()
    for name, content in {"index.html": b"<title>Shop</title>", **more}.items():
        (project / "public" / name).write_bytes(content)
    return project


def test_a_group_with_the_files_is_all_that_is_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = built(with_files(project), "--all", "--group", "shop", "--with-public")
    assert (status, functions_in(out)) == (0, {"shop"})
    assert sorted(path.name for path in out.iterdir()) == [
        ".built",
        "serverless.yml",
        "shop",
        "template.yaml",
    ]
    assert (out / "shop" / "public" / "index.html").read_bytes() == b"<title>Shop</title>"
    assert re.search(r"^ +19 B  public/$", capsys.readouterr().out, re.MULTILINE)


def test_a_file_that_no_answer_holds_is_refused_with_what_to_do(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_files(project, **{"film.webm": bytes(MAX_FILE + 1), "fits.webm": bytes(MAX_FILE)})
    status, out = built(project, "plain", "--group", "shop", "--with-public")
    assert (status, out.exists()) == (2, False)
    assert capsys.readouterr().err == (
        "bff: public/film.webm has 4.5 MiB, and an answer of aws-lambda holds a file of 4.5 MiB at most: make it "
        "smaller, or take it out of public/ and serve it from a bucket or a CDN\n"
    )


def test_where_all_pages_come_with_the_files_that_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_files(project)
    both = []
    for option in ((), ("--with-public",)):
        status, out = built(project, "--all", "--target", "wsgi", "--group", "shop", *option)
        assert status == 0
        both.append((digest(out), capsys.readouterr().err.splitlines()[:-1]))
    assert both == [
        (both[0][0], []),
        (both[0][0], ["--with-public adds nothing: with --all wsgi has the files anyway"]),
    ]


def test_files_without_the_page_that_an_app_begins_with_are_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert built(project, "plain", "--group", "shop", "--with-public")[0] == 2
    place = project / "public" / "index.html"
    assert capsys.readouterr().err == (
        f"bff: --with-public needs {place}, which every path without a page answers\n"
    )


def test_each_page_is_a_function_of_its_own(whole: tuple[Path, str]) -> None:
    assert functions_in(whole[0]) == {"plain", "asking", "mine"}


def test_a_function_has_only_the_packages_that_its_page_needs(whole: tuple[Path, str]) -> None:
    out, _ = whole
    for page, has in {"plain": set(), "asking": {"jsonschema_rs"}, "mine": {"cffi", "cryptography"}}.items():
        found = packages_of(out, page)
        assert found & {"cffi", "cryptography", "jsonschema_rs", "pycparser", "pyjwt", "redis"} == has, page
        assert found >= {"flask", "requests", "tenacity", "cachetools", "msgspec"}
        assert found & {"pyyaml", "pytest", "granian", "limits", "prometheus_client"} == set()


def test_functions_share_their_packages_and_one_alone_has_them_in_its_folder(
    project: Path, whole: tuple[Path, str]
) -> None:
    shared, told = whole
    layers = sorted(path.name for path in (shared / "lambda-layers").iterdir())
    assert [name.partition("-")[0] for name in layers] == ["base", "schemas", "session"]
    table = [line.split() for line in told.split("\n\n")[1].splitlines()]
    assert table[0] == ["layer", "files", "size", "packages", "functions"]
    assert [[row[0], *row[4:]] for row in table[1:]] == [
        [layers[0], "17", "packages", "all"],
        [layers[1], "jsonschema-rs", "asking"],
        [layers[2], "cffi,", "cryptography", "mine"],
    ]
    _, alone = built(project, "mine")
    assert not (alone / "lambda-layers").exists()
    assert packages_of(alone, "mine") == packages_of(shared, "mine")
    for path in (shared / "mine").rglob("*"):
        assert path.is_dir() or path.read_bytes() == (alone / path.relative_to(shared)).read_bytes()


CACHED = "{client: todos, get: /todos, cache: {ttl: 1m}}"


@pytest.mark.parametrize(
    ("more", "settings", "has"),
    [
        (f"rate_limit: 10/s\nsteps: {{todos: {CACHED}}}\n", [], {"limits"}),
        (f"steps: {{todos: {CACHED}}}\n", ["BFF_STATE_URL"], {"cryptography"}),
        (f"steps: {{todos: {CACHED}}}\n", ["BFF_CACHE_URL"], {"cryptography", "redis"}),
        ("rate_limit: 10/s\n", ["BFF_STATE_URL"], {"cryptography", "limits", "redis"}),
        ("rate_limit: 10/s\n", ["BFF_CACHE_URL"], {"cryptography", "limits"}),
        ("", ["BFF_JWT_JWKS"], {"cryptography", "pyjwt"}),
    ],
)
def test_the_packages_of_a_setting_go_along_where_the_build_is_told_of_it(
    more: str, settings: list[str], has: set[str], project: Path
) -> None:
    shape = "todos" if "steps" in more else "1"
    text = f"route: GET /plain\nauth: none\n{more}shape: {shape}\n"
    (project / "orchestrations" / "plain.yaml").write_text(text)
    bundle = Bundler(project, running_python(), "x86_64", settings).bundle(["plain"], TARGETS[TARGET].need)
    assert bundle.packages.keys() & {"cryptography", "limits", "pyjwt", "redis"} == has


def test_a_function_has_the_clients_of_its_page_and_no_others(whole: tuple[Path, str]) -> None:
    out, _ = whole
    assert {path.name for path in (out / "plain" / "clients").glob("*.py")} == {"todos.py"}
    assert not (out / "mine" / "clients").exists()


def test_an_archive_holds_what_the_folder_does_and_is_the_same_bytes_each_time(
    project: Path, whole: tuple[Path, str]
) -> None:
    _, out = built(project, "--all", "--zip")
    for place in ("plain", "lambda-layers/*"):
        [folder, *_] = whole[0].glob(place)
        paths = [path for path in folder.rglob("*") if path.is_file()]
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in reversed(paths)}
        packed = out / f"{folder.relative_to(whole[0])}.zip"
        assert packed.read_bytes() == archive(files)
        with ZipFile(packed) as unpacked:
            assert {name: unpacked.read(name) for name in unpacked.namelist()} == files


def test_the_same_project_makes_the_same_bytes(project: Path, whole: tuple[Path, str]) -> None:
    _, out = built(project, "--all")
    assert digest(out) == digest(whole[0])


def test_wheels_are_for_the_machine_that_is_named(project: Path) -> None:
    _, out = built(project, "plain", "--arch", "arm64")
    libraries = [path.name for path in (out / "plain").rglob("*.so")]
    assert libraries and not [name for name in libraries if "x86_64" in name]


def test_a_terminal_is_told_of_each_function_as_it_is_made(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert built(project, "plain", "asking")[0] == 0
    *made, last = capsys.readouterr().err.splitlines()
    assert [re.sub(r"[\d.]+", "N", line) for line in made] == [
        "plain: N files, N MiB",
        "asking: N files, N MiB",
    ]
    assert last.startswith("2 pages for aws-lambda in ")


def test_elsewhere_only_the_end_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert built(project, "plain", "asking")[0] == 0
    [last] = capsys.readouterr().err.splitlines()
    assert last.startswith("2 pages for aws-lambda in ")


@pytest.mark.parametrize("options", [("asking",), ("asking", "plain"), ("asking", "plain", "--zip")])
def test_a_start_is_that_of_what_was_written(
    project: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    assert built(project, *options)[0] == 0
    table = capsys.readouterr().out.partition("function  ")[2].partition("\n\n")[0]
    assert [line.split()[-1] for line in table.splitlines()[1:]] == ["ms"] * (len(set(options) - {"--zip"}))


def test_a_python_that_is_not_here_gets_no_bytecode_and_the_cost_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = built(project, "plain", "--python", "3.12")
    told = capsys.readouterr().out
    assert status == 0
    assert list((out / "plain").rglob("*.pyc")) == []
    assert re.search(r"^plain +\d+ +\d+\.\d MiB +not run here$", told, re.MULTILINE)
    assert (
        "No bytecode: Python 3.12 is not the running one, and the start takes about four times as long. "
        "Name one with --python-bin.\n"
    ) in told


def test_a_python_that_is_named_by_its_place_makes_the_bytecode(
    project: Path, whole: tuple[Path, str]
) -> None:
    status, out = built(project, "--all", "--python", running_version(), "--python-bin", sys.executable)
    assert (status, digest(out)) == (0, digest(whole[0]))


def test_a_function_over_the_budget_is_not_written_and_its_largest_packages_are_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = built(project, "plain", "--max-mb", "1")
    assert (status, out.exists()) == (2, False)
    said = re.sub(r"[\d.]+ (MiB|KiB)", "_", capsys.readouterr().err)
    assert (
        said
        == "bff: plain has _, more than _; its largest packages: werkzeug _, charset-normalizer _, jinja2 _\n"
    )


def test_layers_count_for_the_budget_of_each_function_that_has_them(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = built(project, "--all", "--max-mb", "10")
    assert (status, out.exists()) == (2, False)
    said = re.sub(r"[\d.]+ (MiB|KiB)", "_", capsys.readouterr().err)
    assert said == (
        "bff: asking has _, more than _; its largest packages: jsonschema-rs _, werkzeug _, charset-normalizer _\n"
        "mine has _, more than _; its largest packages: cryptography _, werkzeug _, charset-normalizer _\n"
    )


@pytest.mark.full  # a build each
def test_every_file_is_listed_on_demand(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = built(project, "plain", "--show-files")
    listed = {
        line.split("  ", 1)[1].strip()
        for line in capsys.readouterr().out.split("\n\n")[0].splitlines()
        if line
    }
    written = {
        path.relative_to(out / "plain").as_posix() for path in (out / "plain").rglob("*") if path.is_file()
    }
    assert {line.split()[-1] for line in listed} == written


def test_variables_are_listed_with_the_functions_that_need_them(whole: tuple[Path, str]) -> None:
    table = whole[1].split("\n\n")[2].splitlines()
    assert [line.split() for line in table] == [
        ["variable", "value", "functions"],
        ["BFF_SESSION_KEYS", "must", "be", "set", "mine"],
        ["TODOS_URL", "http://todos.test", "plain"],
    ]


def test_an_address_that_is_the_function_itself_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "from bff import Client, env\nclient = Client(base_url=env('TODOS_URL', default='http://127.0.0.1:3000'))\n"
    (project / "clients" / "todos.py").write_text(url)
    built(project, "plain")
    told = "There TODOS_URL would lead to the function itself: set the backend's address"
    assert told in capsys.readouterr().out.splitlines()


def test_what_has_no_effect_on_the_host_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "orchestrations" / "plain.yaml").write_text(
        "route: GET /plain\nauth: none\nrate_limit: 10/s\ndeploy: {concurrency: 4}\nsteps:\n"
        "  todos: {client: todos, get: /todos, cache: {ttl: 1m, stale_while_revalidate: 1m, shared: true}}\n"
        "shape: todos\n"
    )
    built(project, "plain")
    assert capsys.readouterr().out.split("\n\n")[-1].splitlines() == [
        "No effect on aws-lambda, or less than elsewhere:",
        "  deploy.concurrency (plain): aws-lambda has no such setting",
        "  rate_limit (plain): each instance counts for itself, unless BFF_STATE_URL names a Redis",
        "  todos.cache (plain): each instance keeps its own, unless BFF_CACHE_URL names a Redis",
        "  todos.cache.shared (plain): an instance serves one request at a time: "
        "nobody asks for the same at the same time",
        "  todos.cache.stale_while_revalidate (plain): the host stops an instance between requests (BFF_BACKGROUND=0)",
        "  breaker of todos (plain): an instance serves one request at a time: it knows of no failures of others",
        "  concurrency of todos (plain): an instance serves one request at a time: it bounds the requests of a page, "
        "not of the backend",
    ]


def test_what_a_client_imports_must_be_pinned(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = project / "clients" / "todos.py"
    client.write_text(f"import responses\n{client.read_text()}")
    assert built(project, "plain")[0] == 2
    assert capsys.readouterr().err == (
        f"bff: {project / 'requirements.txt'} does not pin responses, which the bundle needs\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plain", "--target", "aws-lamda"], "no target aws-lamda; did you mean aws-lambda?  there are: "),
        (
            ["plain", "--setting", "BFF_STAT_URL"],
            "--setting BFF_STAT_URL brings no package; did you mean BFF_STATE_URL?  there are: BFF_SESSION_KEYS, ",
        ),
        (["plain", "--python", "3.9"], "--python 3.9: expected 3.11 or newer, such as 3.12"),
        (
            ["plain", "--with-public"],
            "--with-public puts the files of public/ into one function: name it with --group NAME\n",
        ),
        (
            ["plian"],
            "no recipe orchestrations/plian.yaml; did you mean plain?  there are: asking, mine, plain",
        ),
    ],
)
def test_a_wrong_use_is_one_line(
    arguments: list[str], message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert built(project, *arguments)[0] == 2
    assert capsys.readouterr().err.startswith(f"bff: {message}")
