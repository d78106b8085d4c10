"""`--group NAME --with-public`: one function has pages and files, and answers every path as `flask run` does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from bff.deploy import TARGETS, Bundler, Project
from bff.deploy.aws_lambda import MAX_FILE
from bff.deploy.python import running_python
from clients.local.pocketbase import free_port
from tests.conftest import missing
from tests.deploy.aws_built import HANDLER
from tests.deploy.aws_emulator import emulated, missing_parts
from tests.deploy.aws_events import Asked as Event
from tests.deploy.aws_events import answer_of, function_url, http_api, rest_api
from tests.deploy.aws_function import aws_function
from tests.deploy.azure_app import function_app
from tests.deploy.container_host import image_of, running
from tests.deploy.isolated import BARE, serving
from tests.deploy.small import built, project_of, small_project
from tests.deploy.test_aliyun import command_of
from tests.deploy.test_google import framework
from tests.deploy.visits import PNG, Answer, Ask, Asked, over_http
from tests.fakes import FakeBackend, answer
from tests.servers import ROOT, layer

PAGES, GROUP = ("of_one", "undone"), "pages"
LETTERS = "茶" * 400
FILES = {
    "index.html": "<title>Todos 茶</title>".encode(),
    "app.4f1d2c.js": f"const tea = '{LETTERS}'".encode(),
    "assets/logo.png": PNG,
    "favicon.ico": b"\0\0\1\0icon",
    "robots.txt": b"User-agent: *\n",
    "old.txt": "Grüße".encode("latin-1"),  # no text in UTF-8
}
PACKED = (("Accept-Encoding", "gzip"),)
ASKED = {
    "root": Asked("GET", "/"),
    "deep link": Asked("GET", "/list/table?current=2"),
    "script": Asked("GET", "/app.4f1d2c.js"),
    "packed script": Asked("GET", "/app.4f1d2c.js", PACKED),
    "half a letter": Asked("GET", "/app.4f1d2c.js", (("Range", "bytes=0-13"),)),
    "picture": Asked("GET", "/assets/logo.png"),
    "icon": Asked("GET", "/favicon.ico"),
    "robots": Asked("GET", "/robots.txt"),
    "another encoding": Asked("GET", "/old.txt"),
    "no file": Asked("GET", "/assets/none.js"),
    "folder": Asked("GET", "/assets"),
    "head": Asked("HEAD", "/list/table"),
    "post": Asked("POST", "/list/table"),
    "api": Asked("GET", "/api"),
    "api with a slash": Asked("GET", "/api/"),
    "no page": Asked("GET", "/api/nothing"),
    "no page of several segments": Asked("GET", "/api/one/2/three"),
    "page": Asked("GET", "/api/one/2"),
    "head of a page": Asked("HEAD", "/api/one/2"),
    "another method": Asked("DELETE", "/api/one/2"),
    "no api": Asked("GET", "/apix"),
    "health": Asked("GET", "/healthz"),
}
KEPT = ("allow", "cache-control", "content-encoding", "content-range", "content-type", "etag", "vary")


@pytest.fixture(scope="module")
def bundler(tmp_path_factory: pytest.TempPathFactory) -> Bundler:
    """The small project with the files of an app in the browser."""
    root = small_project(tmp_path_factory.mktemp("with_public") / "my_todos")
    for name, content in FILES.items():
        (root / "public" / name).parent.mkdir(exist_ok=True)
        (root / "public" / name).write_bytes(content)
    return Bundler(root, running_python(), "x86_64")


@pytest.fixture(scope="module")
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as found:
        found.on("GET /part/2", answer(json="茶"))
        yield found


@pytest.fixture(scope="module")
def variables(backend: FakeBackend) -> dict[str, str]:
    return dict.fromkeys(("NOTICES_URL", "PEOPLE_URL", "TODOS_URL"), backend.url)


@pytest.fixture(scope="module")
def resident(
    bundler: Bundler, variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ask]:
    """The project under `flask run`."""
    root = bundler.root
    (root / "wsgi.py").write_text("from bff import create_app\n\napp = create_app()\n")
    folder = tmp_path_factory.mktemp("resident")
    with layer("", folder, root=root, by_flask=True, PYTHONPATH=str(ROOT), **variables) as started:
        yield over_http(started.url)


# What runs.


OFTEN = ("aliyun-fc", "http api")
HOSTS = ("function url", "rest api", "google", "azure", "container", "knative")


@pytest.fixture(
    scope="module", params=[*OFTEN, *(pytest.param(host, marks=pytest.mark.full) for host in HOSTS)]
)
def host(
    request: pytest.FixtureRequest,
    bundler: Bundler,
    variables: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ask]:
    """What asks a function of some pages and the files on a host."""
    name, folder = str(request.param), tmp_path_factory.mktemp("host")
    with ExitStack() as started:
        yield started.enter_context(_host(name, bundler, variables, folder))


def _host(name: str, bundler: Bundler, variables: dict[str, str], folder: Path) -> Any:
    if name in ("container", "knative"):
        return _container(name, bundler, variables, folder)
    if name in ("aliyun-fc", "google"):
        return _server(name, bundler, variables, folder)
    if name == "azure":
        return _azure(bundler, variables, folder)
    return _aws(name, bundler, variables, folder)


@contextmanager
def _server(name: str, bundler: Bundler, variables: dict[str, str], folder: Path) -> Iterator[Ask]:
    out, port = built(bundler, name, folder / "out", *PAGES, group=GROUP, with_public=True), free_port()
    if name == "google":
        command = framework(port, *BARE, "-m", "functions_framework")
    else:
        [function, _] = yaml.safe_load((out / "s.yaml").read_text())["resources"].values()
        command = command_of(function["props"], port)
    with serving(out / GROUP, command, port, variables, folder / "log"):
        yield over_http(f"http://127.0.0.1:{port}")


@contextmanager
def _container(name: str, bundler: Bundler, variables: dict[str, str], folder: Path) -> Iterator[Ask]:
    out = built(bundler, name, folder / "out", *PAGES, group=GROUP, with_public=True)
    image = image_of(out if TARGETS[name].alone else out / GROUP, folder / "files")
    for place in (folder, *folder.parents[:2]):
        place.chmod(0o755)  # its user has no rights here
    with running(image, folder / "run", variables) as started:
        yield over_http(started.url)


@contextmanager
def _azure(bundler: Bundler, variables: dict[str, str], folder: Path) -> Iterator[Ask]:
    out = built(bundler, "azure", folder / "out", *PAGES, group=GROUP, with_public=True)
    with function_app(out, **variables) as app:
        yield app.asking("https://shop.example")


@contextmanager
def _aws(name: str, bundler: Bundler, variables: dict[str, str], folder: Path) -> Iterator[Ask]:
    out = built(bundler, "aws-lambda", folder / "out", *PAGES, group=GROUP, with_public=True) / GROUP
    form = {"http api": http_api, "function url": function_url, "rest api": rest_api}[name]
    with aws_function(out, folder / "log", **variables) as function:

        def ask(asked: Asked) -> Answer:
            path, _, query = asked.path.partition("?")
            found = answer_of(function.hand(form(Event(asked.method, path, query, asked.headers))))
            return Answer(found.status, found.headers, found.body)

        yield ask


def seen(given: Answer, method: str) -> tuple[int, dict[str, str], object]:
    """What must be the same everywhere; a problem has its own id each time, and an answer to HEAD no body."""
    headers = {name.lower(): value for name, value in given.headers if name.lower() in KEPT}
    if (
        "content-type" in headers
    ):  # which of its two names a script has, each machine's own list of types says
        headers["content-type"] = headers["content-type"].replace("application/java", "text/java")
    if headers.get("content-type") == "application/problem+json" and given.body:
        return given.status, headers, {**given.json, "instance": "…"}
    return given.status, headers, b"" if method == "HEAD" else given.body


@pytest.mark.parametrize("case", ASKED)
def test_every_path_is_answered_as_by_flask_run(case: str, host: Ask, resident: Ask) -> None:
    asked = ASKED[case]
    assert seen(host(asked), asked.method) == seen(resident(asked), asked.method)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        *(
            (case, (200, FILES["index.html"]))
            for case in ("root", "deep link", "no file", "folder", "no api")
        ),
        *((case, (404, None)) for case in ("api", "api with a slash", "no page")),
        *((("icon", (200, FILES["favicon.ico"])), ("robots", (200, FILES["robots.txt"])))),
        *((("half a letter", (206, FILES["app.4f1d2c.js"][:14])), ("page", (200, '"茶"'.encode())))),
    ],
)
def test_that_is_the_app_outside_the_api_and_404_in_it(
    case: str, expected: tuple[int, bytes | None], resident: Ask
) -> None:
    found = resident(ASKED[case])
    assert (found.status, None if found.status == 404 else found.body) == expected


def test_the_largest_file_fits_into_an_answer_of_lambda(variables: dict[str, str], tmp_path: Path) -> None:
    if reason := missing_parts():
        missing(reason)
    root = small_project(tmp_path / "my_todos")
    (root / "public" / "film.webm").write_bytes(bytes(MAX_FILE))
    bundler = Bundler(root, running_python(), "x86_64")
    out = built(bundler, "aws-lambda", tmp_path / "out", "of_one", group=GROUP, with_public=True)
    with emulated(out / GROUP, HANDLER, variables, tmp_path / "work") as function:
        found = function.invoke(http_api(Event("GET", "/film.webm")))
    assert answer_of(found).body == bytes(MAX_FILE)
    assert len(json.dumps(found)) < 6 * 2**20


# What is written.


def project(bundler: Bundler, target: str) -> Project:
    return project_of(bundler, target, *PAGES, group=GROUP, python="3.11", with_public=True)


@pytest.mark.parametrize("target", TARGETS)
def test_the_function_has_the_files_and_nothing_is_beside_it_for_them(target: str, bundler: Bundler) -> None:
    made = project(bundler, target)
    [function] = made.functions
    own = function.bundle.own
    assert {path: own[path] for path in own if path.startswith("public/")} == {
        f"public/{name}": content for name, content in FILES.items()
    }
    manifests = TARGETS[target].manifests(made)
    assert not [name for name in manifests if name.startswith("public/")]
    for name, content in manifests.items():
        for word in (b"CloudFront", b"S3::Bucket", b"BUCKET", b"api-gateway"):
            assert word not in content, name


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_project_makes_the_same_bytes(target: str, bundler: Bundler) -> None:
    again = Bundler(bundler.root, running_python(), "x86_64")
    one, other = project(bundler, target), project(again, target)
    assert one.functions[0].bundle.files == other.functions[0].bundle.files
    assert TARGETS[target].manifests(one) == TARGETS[target].manifests(other)


def test_a_domain_of_alibaba_sends_every_path_and_method_to_it(bundler: Bundler) -> None:
    found = yaml.safe_load(TARGETS["aliyun-fc"].manifests(project(bundler, "aliyun-fc"))["s.yaml"])
    assert list(found["resources"]) == [GROUP, "domain"]
    assert found["resources"]["domain"]["props"]["routeConfig"]["routes"] == [
        {
            "functionName": GROUP,
            "path": "/*",
            "methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            "qualifier": "LATEST",
        }
    ]


def test_the_serverless_framework_sends_every_path_and_method_to_it(bundler: Bundler) -> None:
    found = yaml.safe_load(TARGETS["aws-lambda"].manifests(project(bundler, "aws-lambda"))["serverless.yml"])
    assert found["functions"][GROUP]["events"] == [
        {"httpApi": {"method": "*", "path": "*"}},
    ]


def test_google_deploys_the_function_and_nothing_else(bundler: Bundler) -> None:
    found = TARGETS["google"].manifests(project(bundler, "google"))
    assert list(found) == ["deploy.sh"]
    asked = [line for line in found["deploy.sh"].decode().splitlines() if line.startswith("gcloud")]
    assert asked == [f"gcloud functions deploy {GROUP} --gen2 --quiet \\"]


def test_on_knative_every_path_leads_to_it(bundler: Bundler) -> None:
    found = TARGETS["knative"].manifests(project(bundler, "knative"))
    [route, _] = yaml.safe_load_all(found["routes.yaml"])
    [rule] = route["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert rule["filters"][0]["urlRewrite"]["hostname"] == f"{GROUP}.default.svc.cluster.local"
    [service] = yaml.safe_load_all(found["knative.yaml"])
    assert service["metadata"]["labels"]["networking.knative.dev/visibility"] == "cluster-local"
