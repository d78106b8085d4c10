"""The target `knative`: its Services and routes, and that every page's container answers as the resident app does."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from bff.cli import main
from bff.cli.building.folder import write
from bff.deploy import TARGETS, Bundler, Function, Need, Project
from bff.deploy.python import running_python, running_version
from bff.deploy.target import SITE
from bff.errors import OperatorError
from bff.recipe.model import Deploy
from clients.local.pocketbase import Backend
from tests.deploy.container_host import image_of, running
from tests.deploy.container_pages import ONCE, SAME, asked, both, of_strangers
from tests.deploy.manifest_schemas import invalid_custom_resources, unknown_keys
from tests.project import write_project
from tests.servers import SESSION_KEY, Layer, Visitor

ROOT = Path(__file__).resolve().parents[2]
TARGET = TARGETS["knative"]
PAGES = sorted(path.stem for path in (ROOT / "orchestrations").glob("*.yaml") if path.stem != "shell")
# One that reads with a session and one that writes; all of them are asked under `full`.
QUICK = ("home", "add_todo")


def functions_of(root: Path, deploy: Deploy | None = None) -> list[Function]:
    """A function for each page, with the same `deploy`, and the site; without the packages, of which none is told."""
    bundler = Bundler(root, running_python(), "x86_64")
    need = Need(vendored=False)
    found = []
    for page in bundler.pages:
        bundle = bundler.bundle([page], need)
        plan = bundle.plans[page]
        plan = replace(plan, recipe=replace(plan.recipe, deploy=deploy))
        found.append(Function(page, replace(bundle, plans={page: plan})))
    return [*found, Function(SITE, bundler.bundle(None, need))]


def files_of(functions: list[Function], *, whole: bool = True) -> dict[str, bytes]:
    made = Project("todo_app", functions, running_version(), "x86_64", whole, {}, "")
    return TARGET.manifests(made)


@pytest.fixture(scope="module")
def bundler() -> Bundler:
    """What gets the packages once for all pages."""
    return Bundler(ROOT, running_python(), "x86_64")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that is gone afterwards: an image has 70 MB."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def built_files(bundler: Bundler, page: str) -> dict[str, bytes]:
    """What `build` writes for a page."""
    function = Function(page, bundler.bundle([page], TARGET.need))
    entry = TARGET.entry(function)
    function = replace(function, bundle=replace(function.bundle, own={**function.bundle.own, **entry}))
    files = {f"{page}/{path}": content for path, content in function.bundle.files.items()}
    return {**files, **files_of([function], whole=False)}


@pytest.fixture(scope="module")
def functions() -> list[Function]:
    return functions_of(ROOT)


@pytest.fixture(scope="module")
def files(functions: list[Function]) -> dict[str, bytes]:
    return files_of(functions)


def services_in(files: Mapping[str, bytes]) -> dict[str, Any]:
    return {one["metadata"]["name"]: one for one in yaml.safe_load_all(files["knative.yaml"])}


def pod_of(service: Any) -> tuple[Any, Any]:
    """The spec of a Service's instances, and their one container."""
    spec = service["spec"]["template"]["spec"]
    [container] = spec["containers"]
    return spec, container


# What runs.


@pytest.mark.parametrize(
    "page", [page if page in QUICK else pytest.param(page, marks=pytest.mark.full) for page in PAGES]
)
def test_a_page_answers_as_in_the_resident_app(
    page: str, bundler: Bundler, app: Layer, app_backend: Backend, folder: Path
) -> None:
    out = folder / "out"
    write(built_files(bundler, page), out)
    [service] = services_in({"knative.yaml": (out / "knative.yaml").read_bytes()}).values()
    _, container = pod_of(service)
    secrets = {"BFF_SESSION_KEYS": SESSION_KEY}
    urls = dict.fromkeys(("PEOPLE_URL", "TODOS_URL", "NOTICES_URL"), app_backend.url)
    # Only what the manifest names, the backend in the place of each default.
    environ = {
        entry["name"]: (secrets | urls).get(entry["name"], entry.get("value")) for entry in container["env"]
    }
    environ["BFF_TRUSTED_PROXIES"] = "0"  # the resident app has no proxy either
    with running(image_of(out / page, folder / "files"), folder / "run", environ) as started:
        resident, built = both(page, app.url, started.url)
        assert resident[0] < 400 or page == "login"
        assert built == resident
        for ask in (of_strangers(page, app.url), ("GET", "/api/nothing", {})):
            resident, built = (asked(Visitor(app.url), url, ask) for url in (app.url, started.url))
            assert resident[0] >= 400 or page == "logout"
            assert built == resident
        assert (
            started.run("python", "-c", "import bff; print(bff.__file__)").stdout == "/app/bff/__init__.py\n"
        )


def test_every_page_of_the_app_is_asked_for() -> None:
    assert sorted([*SAME, *ONCE]) == PAGES


# What is written.


def test_each_page_has_a_service_and_an_image_of_its_own(files: Mapping[str, bytes]) -> None:
    found = services_in(files)
    assert sorted(found) == sorted([*(page.replace("_", "-") for page in PAGES), SITE])
    images = dict(line.split() for line in files["images.txt"].decode().splitlines())
    assert sorted(images) == sorted([*PAGES, SITE])
    for folder, image in images.items():
        name = folder.replace("_", "-")
        assert re.fullmatch(rf"registry\.example\.com/todo-app/{name}:[0-9a-f]{{12}}", image)
        assert pod_of(found[name])[1]["image"] == image
        assert {f"{folder}/Containerfile", f"{folder}/.dockerignore"} <= files.keys()
    assert len(set(images.values())) == len(images)


def test_an_instance_has_no_rights(files: Mapping[str, bytes]) -> None:
    for service in services_in(files).values():
        spec, container = pod_of(service)
        assert container["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        # Knative refuses these, and sets them itself.
        assert "lifecycle" not in container and "terminationGracePeriodSeconds" not in spec
        assert "PORT" not in {entry["name"] for entry in container["env"]}


def test_an_instance_has_the_variables_of_its_page_alone(
    files: Mapping[str, bytes], functions: list[Function]
) -> None:
    found = services_in(files)
    for function in functions:
        _, container = pod_of(found[function.name.replace("_", "-")])
        given = {entry["name"]: entry for entry in container["env"]}
        assert given.keys() == {"BFF_TRUSTED_PROXIES", *function.bundle.variables}
    _, notices = pod_of(found["notices"])
    assert notices["env"] == [
        {"name": "BFF_TRUSTED_PROXIES", "value": "1"},
        {
            "name": "BFF_SESSION_KEYS",
            "valueFrom": {"secretKeyRef": {"name": "todo-app", "key": "BFF_SESSION_KEYS"}},
        },
        {"name": "NOTICES_URL", "value": "http://127.0.0.1:8090"},
    ]


def test_knative_waits_for_a_page_a_start_and_its_own_drain(
    files: Mapping[str, bytes], functions: list[Function]
) -> None:
    found = services_in(files)
    for function in functions:
        spec, _ = pod_of(found[function.name.replace("_", "-")])
        assert spec["timeoutSeconds"] == math.ceil(function.timeout) + 35
    assert pod_of(found["home"])[0]["timeoutSeconds"] == 39  # a deadline of 3 s and a second


def test_knative_is_not_asked_to_wait_longer_than_it_does(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"page": "route: GET /page\nauth: none\ndeadline: 10m\nshape: 1\n"})
    spec, _ = pod_of(services_in(files_of(functions_of(root)))["page"])
    assert spec["timeoutSeconds"] == 600


def test_a_service_gets_what_deploy_says(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"page": "route: GET /page\nauth: none\nshape: 1\n"})
    plain, told = (
        services_in(files_of(functions_of(root, deploy)))["page"]
        for deploy in (None, Deploy(memory=300, concurrency=5, min_instances=3))
    )
    seen = []
    for service in (plain, told):
        spec, container = pod_of(service)
        annotations = service["spec"]["template"]["metadata"]["annotations"]
        seen.append(
            (
                annotations["autoscaling.knative.dev/min-scale"],
                spec["containerConcurrency"],
                container["resources"]["limits"]["memory"],
            )
        )
    assert seen == [("0", 16, "256Mi"), ("3", 5, "300Mi")]


def test_with_routes_pages_cannot_be_asked_past_the_gateway(functions: list[Function]) -> None:
    label = "networking.knative.dev/visibility"
    for whole, expected in ((True, "cluster-local"), (False, None)):
        made = files_of(functions, whole=whole)
        assert {one["metadata"]["labels"].get(label) for one in services_in(made).values()} == {expected}
        assert ("routes.yaml" in made) is whole


@pytest.mark.full  # the schemas come with the tools of function hosts
def test_knative_takes_the_services(files: Mapping[str, bytes]) -> None:
    assert invalid_custom_resources(files["knative.yaml"]) == []
    assert unknown_keys(files["knative.yaml"]) == set()


@pytest.mark.full  # the schemas come with the tools of function hosts
def test_the_gateway_api_takes_the_routes(files: Mapping[str, bytes]) -> None:
    assert invalid_custom_resources(files["routes.yaml"]) == []


@pytest.mark.full  # the schemas come with the tools of function hosts
def test_what_they_do_not_take_is_told(files: Mapping[str, bytes]) -> None:
    wrong = files["routes.yaml"].replace(b"PathPrefix", b"Prefix", 1)
    assert len(invalid_custom_resources(wrong)) == 1
    wrong = files["knative.yaml"].replace(b"timeoutSeconds: 39", b"timeoutSeconds: soon", 1)
    assert len(invalid_custom_resources(wrong)) == 1
    wrong = files["knative.yaml"].replace(b"enableServiceLinks", b"terminationGracePeriodSeconds")
    assert unknown_keys(wrong) == {"terminationGracePeriodSeconds"}


@pytest.mark.parametrize(("first", "second"), [("add_todo", "add-todo"), ("Home", "home"), ("site", SITE)])
def test_two_of_one_name_are_refused(first: str, second: str, functions: list[Function]) -> None:
    renamed = [replace(functions[0], name=first), replace(functions[1], name=second)]
    with pytest.raises(OperatorError) as refused:
        files_of(renamed)
    name = second.lower()
    assert (
        str(refused.value) == f"{first} and {second} would both be {name} on Kubernetes: rename one of them"
    )


def test_a_whole_project_has_a_site_beside_its_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = {
        "mine": "route: GET /mine\nshape: user.id\n",
        "plain": "route: GET /plain\nauth: none\nshape: 1\n",
    }
    root = write_project(tmp_path / "shop", pages)
    (root / "public").mkdir()
    (root / "public" / "index.html").write_text("<title>Shop</title>")
    monkeypatch.setitem(TARGETS, "knative", replace(TARGET, need=Need(serves=True, vendored=False)))  # type: ignore[misc]
    out = tmp_path / "out"
    assert main(["--root", str(root), "build", "--all", "--target", "knative", "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert re.fullmatch(rf"2 pages for knative in {out}: \d+ files, [\d.]+ MiB, \d+\.\d s\n", told)
    assert {path.name for path in out.iterdir()} == {
        *("mine", "plain", "site", ".built", "images.txt", "knative.yaml", "routes.yaml"),
    }
    assert (out / "site" / "public" / "index.html").is_file()
    assert not (out / "mine" / "public").exists()
    assert main(["--root", str(root), "build", "mine", "--target", "knative", "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"mine", ".built", "images.txt", "knative.yaml"}


# Where requests go.


def rules_in(files: Mapping[str, bytes]) -> list[Any]:
    routes = [one for one in yaml.safe_load_all(files["routes.yaml"]) if one["kind"] == "HTTPRoute"]
    assert all(len(route["spec"]["rules"]) <= 16 for route in routes)
    assert len({route["metadata"]["name"] for route in routes}) == len(routes)
    return [rule for route in routes for rule in route["spec"]["rules"]]


def goes_to(rules: list[Any], method: str, path: str) -> str:
    """The Service that a gateway hands a request to: an exact path first, then the longest prefix, then the method.

    This is the order that the Gateway API prescribes; a regular expression is taken to stand before prefixes.
    """
    kinds = ("Exact", "RegularExpression", "PathPrefix")
    found = []
    for rule in rules:
        for match in rule["matches"]:
            kind, value = match["path"]["type"], match["path"]["value"]
            fits = {
                "Exact": path == value,
                "PathPrefix": f"{path}/".startswith(f"{value.rstrip('/')}/"),
                "RegularExpression": re.fullmatch(value, path) is not None,
            }[kind]
            if fits and match.get("method", method) == method:
                [rewrite] = [one["urlRewrite"] for one in rule["filters"] if one["type"] == "URLRewrite"]
                rank = (kinds.index(kind), -len(value), "method" not in match)
                found.append((rank, rewrite["hostname"]))
    return str(min(found)[1]).partition(".")[0]


def test_every_page_is_routed_to_its_service(files: Mapping[str, bytes], functions: list[Function]) -> None:
    rules = rules_in(files)
    for function in functions[:-1]:
        [plan] = function.plans.values()
        path = re.sub(r"\{[^}]*\}", "abc", plan.recipe.path)
        assert goes_to(rules, plan.recipe.method, path) == function.name.replace("_", "-")
        if plan.recipe.method == "GET":
            assert goes_to(rules, "HEAD", path) == function.name.replace("_", "-")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/app.js"),
        ("GET", "/todo/abc"),
        ("OPTIONS", "/api/home"),
        ("DELETE", "/api/home"),
    ],
)
def test_the_site_has_everything_else(method: str, path: str, files: Mapping[str, bytes]) -> None:
    assert goes_to(rules_in(files), method, path) == SITE


def test_pages_whose_paths_begin_alike_are_told_apart(tmp_path: Path) -> None:
    paths = {"one": "/a/{x}", "two": "/a/{x}/b", "three": "/a/b/{y}", "four": "/a/b", "five": "/{z}"}
    recipes = {name: f"route: GET {path}\nauth: none\nshape: 1\n" for name, path in paths.items()}
    root = write_project(tmp_path, recipes)
    rules = rules_in(files_of(functions_of(root)))
    asked_for = {"/a/1": "one", "/a/1/b": "two", "/a/b/1": "three", "/a/b": "four", "/1": "five", "/": SITE}
    assert {path: goes_to(rules, "GET", path) for path in asked_for} == asked_for


def test_a_rule_gives_a_page_its_time_and_its_host(files: Mapping[str, bytes]) -> None:
    [rule] = [rule for rule in rules_in(files) if rule["matches"][0]["path"]["value"] == "/api/home"]
    assert rule == {
        "matches": [
            {"method": method, "path": {"type": "Exact", "value": "/api/home"}} for method in ("GET", "HEAD")
        ],
        "filters": [
            {"type": "URLRewrite", "urlRewrite": {"hostname": "home.default.svc.cluster.local"}},
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [{"name": "X-Forwarded-Host", "value": "app.example.com"}]},
            },
        ],
        "timeouts": {"request": "39s"},
        "backendRefs": [{"name": "kourier-internal", "namespace": "kourier-system", "port": 80}],
    }


def test_the_documented_replacements_leave_nothing_to_replace(files: Mapping[str, bytes]) -> None:
    page = (ROOT / "docs/hosts/knative.md").read_text("utf-8")
    found = dict(re.findall(r"'?-?e? ?['\"]s\|([^|]+)\|([^|]+)\|['\"]", page))
    assert found.keys() == {
        *("registry.example.com", "http://127.0.0.1:8090", "app.example.com"),
        *("namespace: default", r"\.default\.svc"),
    }
    for name in ("knative.yaml", "routes.yaml", "images.txt"):
        text = files[name].decode()
        for pattern, value in found.items():
            text = re.sub(pattern, value, text)
        assert not re.search(r"registry\.example|127\.0\.0\.1|app\.example|: default|\.default\.", text), name
