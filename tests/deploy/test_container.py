"""The target `container`: what its files say, and that the image's own command serves the app, as PID 1 and nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from msgspec.structs import replace

from bff.cli import main
from bff.deploy import TARGETS, Bundler, Function, Need, Project
from bff.deploy.python import running_python, running_version
from bff.recipe.model import Deploy
from clients.local.pocketbase import Backend
from tests.deploy.container_host import Container, Image, image_of, running
from tests.deploy.container_pages import account, asked
from tests.deploy.manifest_schemas import invalid_resources
from tests.fakes import FakeBackend, after, answer
from tests.integration.test_serve import SLOW, becomes
from tests.project import write_project
from tests.servers import PATIENCE, SESSION_KEY, Layer

ROOT = Path(__file__).resolve().parents[2]
ASKING = """
    route: GET /asking
    auth: none
    deadline: 4s
    steps:
      todos:
        client: todos
        get: /todos
    shape: todos
    """
DEPLOYED = Deploy(memory=300, concurrency=5, min_instances=3)


def urls_of(backend: Backend) -> dict[str, str]:
    urls = dict.fromkeys(("PEOPLE_URL", "TODOS_URL", "NOTICES_URL"), backend.url)
    return {**urls, "BFF_SESSION_KEYS": SESSION_KEY}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image of the whole app, as `build` makes it, with what an operator has put beside it."""
    folder = tmp_path_factory.mktemp("container")
    out = folder / "out"
    assert main(["--root", str(ROOT), "build", "--all", "--target", "container", "--out", str(out)]) == 0
    (out / ".env").write_text("BFF_SESSION_KEYS=secret\n")
    return image_of(out, folder / "files")


@pytest.fixture(scope="module")
def container(
    image: Image, app_backend: Backend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    with running(image, tmp_path_factory.mktemp("run"), urls_of(app_backend)) as started:
        yield started


def files_of(
    root: Path, *pages: str, deploy: Deploy | None = None, python: str | None = None, arch: str = "x86_64"
) -> dict[str, bytes]:
    """What stands beside the bundle of some pages, each with the same `deploy`."""
    bundle = Bundler(root, running_python(), arch).bundle(pages or None, Need(vendored=False))
    plans = {
        name: replace(plan, recipe=replace(plan.recipe, deploy=deploy)) for name, plan in bundle.plans.items()
    }
    functions = [Function("shop", replace(bundle, plans=plans))]
    made = Project("shop", functions, python or running_version(), arch, not pages, {}, "")
    return TARGETS["container"].manifests(made)


def loaded(content: bytes) -> list[Any]:
    return list(yaml.safe_load_all(content))


# What runs.


def test_it_answers_as_the_resident_app(container: Container, app: Layer) -> None:
    ann = account(app.url)
    todo = ann.add("Soup")
    paths = ["/", "/api/home", f"/api/todos/{todo}", "/api/people?q=Ann", "/api/todos/none", "/api/nothing"]
    asks = [("GET", path, {}) for path in paths] + [("HEAD", "/api/home", {}), ("DELETE", "/api/home", {})]
    for ask in asks:
        here, there = (asked(ann, url, ask) for url in (app.url, container.url))
        assert there == here, ask


def test_whoever_signs_up_there_is_known_here(container: Container, app: Layer) -> None:
    ann = account(container.url)
    ann.base_url = app.url
    assert ann.titles() == []


def test_it_runs_as_nobody_with_no_rights_from_its_own_files_alone(container: Container) -> None:
    status = Path(f"/proc/{container.pid}/status").read_text()
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert told["Uid"].split() == told["Gid"].split() == ["65532"] * 4
    assert told["NSpid"].split()[-1] == "1"
    assert {told[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert told["NoNewPrivs"] == "1"
    assert container.run("python", "-c", "import bff; print(bff.__file__)").stdout == "/app/bff/__init__.py\n"
    assert not container.run("ls", str(ROOT)).stdout


def test_nothing_of_it_can_be_written(container: Container) -> None:
    tries = (
        "import os\n"
        "for place in ('/app/wsgi.py', '/app/new', '/app/bff/new', '/new', '/usr/local/new'):\n"
        "    try: open(place, 'a')\n"
        "    except OSError as error: print(error.strerror)\n"
        "print(sum(os.access(path, os.W_OK) for path, _, _ in os.walk('/app')))"
    )
    *said, writable = container.run("python", "-c", tries).stdout.splitlines()
    assert set(said) == {"Permission denied", "Read-only file system"}
    assert (len(said), writable) == (5, "0")


def test_its_own_health_check_tells_whether_it_is_up(container: Container) -> None:
    port = str(container.port)
    assert container.run(*container.image.health, PORT=port).returncode == 0
    assert container.run(*container.image.health, PORT="9").returncode == 1


def test_what_a_build_or_an_operator_keeps_is_not_in_the_image(image: Image) -> None:
    inside = {path.name for path in image.files.iterdir()}
    assert {"bff", "clients", "packages", "pages.compiled", "public", "wsgi.py"} <= inside
    assert not {name for name in inside if name.startswith(".") or name.endswith((".yaml", "file", ".txt"))}


@pytest.mark.full  # it waits for the drain, five seconds
def test_what_is_under_way_ends_and_what_comes_in_the_meantime_is_answered(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", {"slow": SLOW})
    (project / "requirements.txt").write_text((ROOT / "requirements.txt").read_text())
    out = tmp_path / "out"
    assert main(["--root", str(project), "build", "slow", "--target", "container", "--out", str(out)]) == 0
    with FakeBackend() as backend, ThreadPoolExecutor() as visitors:
        go_on = threading.Event()
        backend.on("GET /part", after(go_on, answer(json={"done": True})))
        environ = {"TODOS_URL": backend.url}
        with running(image_of(out, tmp_path / "files"), tmp_path / "run", environ) as started:
            try:
                page = visitors.submit(requests.get, f"{started.url}/api/slow", timeout=PATIENCE)
                assert backend.wait_for_requests(1)
                started.stop()
                assert becomes(f"{started.url}/readyz", 503)
                assert requests.get(f"{started.url}/healthz", timeout=PATIENCE).status_code == 200
                go_on.set()
                assert page.result(PATIENCE).json() == {"done": True}
                assert requests.get(f"{started.url}/api/slow", timeout=PATIENCE).json() == {"done": True}
                assert started.wait() == 0
            finally:
                go_on.set()


def test_a_missing_variable_ends_it_with_one_line(image: Image, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="BFF_SESSION_KEYS"), running(image, tmp_path, {}):
        pass


# What is written.


def test_the_image_is_of_one_python_and_one_platform(image: Image) -> None:
    version = running_version()
    assert (image.base, image.platform) == (
        f"docker.io/library/python:{version}-slim-bookworm",
        "linux/amd64",
    )
    assert image.labels["org.opencontainers.image.base.name"] == image.base
    assert (image.user, image.stop_signal, image.environ["PORT"]) == ("65532:65532", "SIGTERM", "8080")


def test_nothing_is_installed_or_run_while_the_image_is_built(image: Image) -> None:
    names = list(dict.fromkeys(line.partition(" ")[0] for line in image.instructions))
    assert names == [
        *("ARG", "FROM", "LABEL", "ENV", "WORKDIR", "COPY", "USER"),
        *("EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"),
    ]


def test_dependencies_are_a_layer_of_their_own_before_all_that_changes_with_pages(image: Image) -> None:
    copy = "COPY --chown=0:0 --chmod=0755 "
    copied = [line.removeprefix(copy) for line in image.instructions if line.startswith(copy)]
    assert copied[:2] == ["packages packages", "bff bff"]
    assert image.environ["PYTHONPATH"] == "/app/packages"
    sources = [name for line in copied for name in line.split()[:-1]]
    assert sorted(sources) == sorted(path.name for path in image.files.iterdir())
    assert not (image.files / "packages" / "bff").exists()


def test_the_image_is_of_what_build_is_asked_for(tmp_path: Path) -> None:
    project = write_project(tmp_path, {"asking": ASKING})
    text = files_of(project, python="3.13", arch="arm64")["Containerfile"].decode()
    assert "\nARG BASE=docker.io/library/python:3.13-slim-bookworm\n" in text
    assert "\nFROM --platform=linux/arm64 ${BASE}\n" in text


def test_compose_gives_no_rights_and_waits_for_the_longest_page(tmp_path: Path) -> None:
    project = write_project(tmp_path, {"asking": ASKING})
    [compose] = loaded(files_of(project, deploy=DEPLOYED)["compose.yaml"])
    service = compose["services"]["shop"]
    assert service["build"] == {"context": ".", "dockerfile": "Containerfile"}
    assert service["env_file"] == [".env"]
    assert (service["read_only"], service["cap_drop"], service["user"]) == (True, ["ALL"], "65532:65532")
    assert (service["security_opt"], service["tmpfs"]) == (["no-new-privileges:true"], ["/tmp"])
    assert (service["mem_limit"], service["environment"]) == ("300m", {"BFF_MAX_PAGES": "5"})
    assert service["stop_grace_period"] == "10s"  # the wait of 5 s, the deadline of 4 s, and a second
    assert service["ports"] == ["127.0.0.1:8080:8080"]


def test_kubernetes_gets_what_deploy_says(tmp_path: Path) -> None:
    project = write_project(tmp_path, {"asking": ASKING})
    found = {one["kind"]: one for one in loaded(files_of(project, deploy=DEPLOYED)["kubernetes.yaml"])}
    assert set(found) == {"Service", "Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget"}
    pod = found["Deployment"]["spec"]["template"]["spec"]
    [inside] = pod["containers"]
    assert pod["terminationGracePeriodSeconds"] == 10
    assert pod["enableServiceLinks"] is pod["automountServiceAccountToken"] is False
    assert inside["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert inside["args"] == ["--host", "0.0.0.0", "--threads", "21", "--drain", "0s"]
    assert inside["resources"]["limits"] == {"memory": "300Mi"}
    assert {"name": "BFF_MAX_PAGES", "value": "5"} in inside["env"]
    assert inside["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": 8080}
    assert inside["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": 8080}
    assert inside["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert found["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 3
    assert found["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    chosen = found["Service"]["spec"]["selector"]
    assert chosen.items() <= found["Deployment"]["spec"]["template"]["metadata"]["labels"].items()


def test_a_pod_has_the_variables_of_its_pages_and_its_secrets_from_a_secret() -> None:
    found = loaded(files_of(ROOT, "notices")["kubernetes.yaml"])
    [deployment] = [one for one in found if one["kind"] == "Deployment"]
    [inside] = deployment["spec"]["template"]["spec"]["containers"]
    assert inside["env"] == [
        {"name": "BFF_TRUSTED_PROXIES", "value": "1"},
        {
            "name": "BFF_SESSION_KEYS",
            "valueFrom": {"secretKeyRef": {"name": "shop", "key": "BFF_SESSION_KEYS"}},
        },
        {"name": "NOTICES_URL", "value": "http://127.0.0.1:8090"},
    ]


def test_an_image_has_another_name_when_its_content_has_changed(tmp_path: Path) -> None:
    project = write_project(tmp_path, {"asking": ASKING})
    first, again = (files_of(project)["kubernetes.yaml"] for _ in range(2))
    assert first == again
    (project / "clients" / "todos.py").write_text(
        (project / "clients" / "todos.py").read_text() + "# changed\n"
    )
    assert files_of(project)["kubernetes.yaml"] != first


@pytest.mark.parametrize("deploy", [None, DEPLOYED])
def test_kubernetes_takes_the_manifest(deploy: Deploy | None, tmp_path: Path) -> None:
    project = write_project(tmp_path, {"asking": ASKING})
    assert invalid_resources(files_of(project, deploy=deploy)["kubernetes.yaml"]) == []


def test_what_kubernetes_does_not_take_is_told(tmp_path: Path) -> None:
    project = write_project(tmp_path, {"asking": ASKING})
    wrong = files_of(project)["kubernetes.yaml"].replace(b"terminationGracePeriodSeconds: 10", b"grace: 10")
    assert len(invalid_resources(wrong)) == 1
