"""What every target keeps to. A new one is a module, its line in `TARGETS`, and passes this."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from math import ceil

import pytest
import yaml
from cryptography.fernet import Fernet

from bff.deploy import TARGETS, Bundler, Project
from bff.deploy.python import running_python
from bff.executor.undo import DEADLINE as UNDO_TIME
from bff.plan.compiled import FILE
from tests.deploy.isolated import BARE, environ_for
from tests.deploy.small import built, project_of

pytestmark = pytest.mark.parametrize("target", TARGETS, scope="module")
PAGE = "undone"
"""It has an undo, a client that must be named and one with a default."""

_TIMES = re.compile(
    r"""(?:--timeout[ =]|(?:timeout|grace_?period)(?:_?seconds)?["']?:\s*"?)(\d[\d:]*)""", re.I
)


def files_of(project: Project, target: str) -> dict[str, bytes]:
    """Everything that is written beside packages and engine: manifests, entry modules, what a page brings."""
    found = dict(TARGETS[target].manifests(project))
    for function in project.functions:
        own = function.bundle.own.items()
        found |= {f"{function.name}/{path}": content for path, content in own if not path.startswith("bff/")}
    return found


@pytest.fixture(scope="module")
def project(target: str, small: Bundler) -> Project:
    """One page of the small project, as it is built alone."""
    return project_of(small, target, PAGE)


def test_the_same_project_makes_the_same_bytes(target: str, project: Project, small: Bundler) -> None:
    again = project_of(Bundler(small.root, running_python(), "x86_64"), target, PAGE)
    for one, other in zip(project.functions, again.functions, strict=True):
        assert one.bundle.files == other.bundle.files
    assert TARGETS[target].manifests(project) == TARGETS[target].manifests(again)


def test_the_environment_is_that_of_the_page_alone(target: str, project: Project) -> None:
    [function] = project.functions
    assert function.bundle.own[".env.example"].decode().splitlines()[1:] == [
        "# PEOPLE_URL=http://people.test",
        "TODOS_URL=",
    ]
    for name, content in files_of(project, target).items():
        assert b"NOTICES_URL" not in content, name


def test_nothing_of_the_authors_is_in_it(target: str, project: Project) -> None:
    [function] = project.functions
    written = function.bundle.files
    assert FILE in written
    assert not [path for path in written if path.startswith(("orchestrations/", "tests/"))]
    assert not [path for path in function.bundle.own if path.endswith((".yaml", ".yml"))]
    clients = {path for path in written if path.startswith("clients/") and path.endswith(".py")}
    assert clients == {"clients/people.py", "clients/todos.py"}
    assert not {"bff/recipe/check", "bff/recipe/loader", "bff/deploy"} & {
        path.rpartition("/")[0] for path in written
    }


def test_what_the_host_imports_needs_nothing_but_the_folder_and_flask_only_where_the_host_does(
    target: str, small: Bundler, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kind, folder = TARGETS[target], tmp_path_factory.mktemp(target)
    out = built(small, target, folder / "out", PAGE)
    place = out if kind.alone else out / PAGE
    # Without its dependencies in it, a folder needs them installed: those of the Python that runs the tests.
    command = BARE if kind.need.vendored else (sys.executable, "-B")
    script = (
        f"import sys; sys.path[:0] = sys.argv[1:]; import {kind.starts}, bff; "
        "print(bff.__file__, *{'flask'} & {*sys.modules})"
    )
    done = subprocess.run(
        [*command, "-c", script, str(place), str(place / kind.need.site)],
        cwd=folder,
        env=environ_for({"TODOS_URL": "http://127.0.0.1:9"}),
        capture_output=True,
        text=True,
    )
    of_the_host = " flask" if target == "google" else ""  # its framework is made of Flask
    module = place / "bff" / ("__init__.pyc" if kind.need.lean else "__init__.py")
    assert done.stdout.splitlines()[-1:] == [f"{module}{of_the_host}"], done.stderr


def test_manifests_can_be_read(target: str, project: Project, small: Bundler) -> None:
    whole = project_of(small, target)
    for name, content in [*files_of(project, target).items(), *files_of(whole, target).items()]:
        if name.endswith(".json"):
            json.loads(content)
        elif name.endswith((".yaml", ".yml")):
            assert list(yaml.compose_all(content)), name
        elif content.startswith(b"#!/bin/sh"):
            checked = subprocess.run(["sh", "-n"], input=content, capture_output=True)
            assert checked.returncode == 0, checked.stderr


def test_a_function_has_the_time_of_its_page(target: str, project: Project) -> None:
    """Its deadline, what taking writes back may add, and a second."""
    [function] = project.functions
    [plan] = function.plans.values()
    whole = ceil(plan.recipe.deadline + UNDO_TIME + 1)
    assert ceil(function.timeout) == whole
    kind, named = TARGETS[target], list(times_in(files_of(project, target)))
    if kind.need.serves and kind.deploys:  # a server of our own may have more, to let what is under way end
        assert max(named) >= whole
    elif kind.deploys:
        assert whole in named


def times_in(files: Mapping[str, bytes]) -> Iterator[int]:
    """The time-outs that manifests name, in seconds."""
    for name, content in files.items():
        if name.endswith((".py", ".pyc", ".compiled", ".txt", ".html")):
            continue
        for text in _TIMES.findall(content.decode()):
            seconds = 0
            for part in text.split(":"):
                seconds = seconds * 60 + int(part)
            yield seconds


def test_no_file_holds_a_secret(
    target: str, project: Project, small: Bundler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is set where something is built stays there."""
    secret = Fernet.generate_key().decode()
    for name in ("BFF_SESSION_KEYS", "TODOS_URL", "PEOPLE_URL", "BFF_STATE_URL"):
        monkeypatch.setenv(name, secret)
    again = project_of(small, target, PAGE)
    for name, content in [*files_of(again, target).items(), *again.functions[0].bundle.files.items()]:
        assert secret.encode() not in content, name
