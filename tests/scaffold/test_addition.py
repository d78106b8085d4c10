"""What `bff add` puts into a project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bff.cli import main
from bff.errors import OperatorError
from bff.recipe.check import check_folder
from bff.scaffold import added, files_of, write_new
from tests.conftest import ROOT


@pytest.fixture(params=["list", "sign-in"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write_new(tmp_path / "shop", files_of("shop", request.param, None))
    return tmp_path / "shop"


def test_what_is_added_passes_check_and_tests(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["page", "greeting"],
        ["page", "orders", "--client", "backend", "--get", "/v1/orders?limit=20"],
        ["client", "stock"],
        ["page", "shelves", "--client", "stock", "--get", "/shelves"],
        ["ci"],
    ):
        assert main(["--root", str(project), "add", *arguments]) == 0
    assert capsys.readouterr().out.split() == [
        str(project / path)
        for path in (
            *("orchestrations/greeting.yaml", "tests/test_greeting.py"),
            *("orchestrations/orders.yaml", "tests/test_orders.py"),
            "clients/stock.py",
            *("orchestrations/shelves.yaml", "tests/test_shelves.py"),
            ".github/workflows/pages.yml",
        )
    ]
    assert [str(finding) for finding in check_folder(project, None)[1]] == []
    assert 'env("STOCK_URL"' in (project / "clients/stock.py").read_text()
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_who_adds_a_client_is_told_that_its_address_is_an_example(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(project), "add", "client", "stock"]) == 0
    assert capsys.readouterr().err == (
        "Its address is an example: write the backend's, and a page with it: bff add page\n"
    )


def test_the_workflow_runs_what_there_is(project: Path) -> None:
    [text] = added(project, "ci", None, client=None, path=None).values()
    [job] = yaml.safe_load(text)["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    for command in commands:
        if command.startswith("bff "):
            assert main([*command.split()[1:2], "--help"]) == 0


def test_the_plugin_of_vite_says_what_its_config_needs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(project), "add", "vite"]) == 0
    assert capsys.readouterr().out == (
        f"{project / 'vite-plugin-bff.js'}\n\n"
        "vite.config.js takes it so:\n\n"
        "  import bff from './vite-plugin-bff.js';\n"
        "  export default {plugins: [bff()]};\n\n"
        "bff dev --run 'npm run dev' starts both.\n"
    )
    text = (project / "vite-plugin-bff.js").read_text()
    assert "export default function bff({url = 'http://127.0.0.1:5000'} = {}) {" in text
    # It brings nothing along: what it imports is Node's.
    assert all("from 'node:" in line for line in text.splitlines() if line.startswith("import "))


def test_a_plugin_that_was_changed_stays(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = project / "vite-plugin-bff.js"
    there.write_text("// mine")
    assert main(["--root", str(project), "add", "vite"]) == 2
    assert capsys.readouterr() == ("", f"bff: {there} is there already, and nothing is written over it\n")
    assert there.read_text() == "// mine"


def test_nothing_is_written_over(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (project / "clients/backend.py").read_text()
    assert main(["--root", str(project), "add", "client", "backend"]) == 2
    there = project / "clients/backend.py"
    assert capsys.readouterr().err == f"bff: {there} is there already, and nothing is written over it\n"
    assert there.read_text() == before


def test_one_file_that_is_there_keeps_all_from_being_written(project: Path) -> None:
    (project / "tests" / "test_orders.py").write_text("mine")
    assert main(["--root", str(project), "add", "page", "orders"]) == 2
    assert not (project / "orchestrations" / "orders.yaml").exists()


@pytest.mark.parametrize(
    ("kind", "name", "client", "path", "wrong"),
    [
        ("page", None, None, None, "add page takes a name of small letters, digits and _, such as orders"),
        ("page", "../x", None, None, "add page takes a name of small letters, digits and _, such as orders"),
        ("page", "query", None, None, "add page takes a name of small letters, digits and _, such as orders"),
        (
            "client",
            "Stock",
            None,
            None,
            "add client takes a name of small letters, digits and _, such as orders",
        ),
        (
            "page",
            "x",
            "backend",
            None,
            "add page takes --client and --get together: whom it asks, and for what",
        ),
        ("page", "x", None, "/x", "add page takes --client and --get together: whom it asks, and for what"),
        (
            "page",
            "x",
            "backend",
            "/{a}",
            "--get takes a path of the backend without holes, such as /orders?limit=20",
        ),
    ],
)
def test_what_cannot_be_added_is_said(
    kind: str, name: str | None, client: str | None, path: str | None, wrong: str, project: Path
) -> None:
    with pytest.raises(OperatorError) as raised:
        added(project, kind, name, client=client, path=path)
    assert str(raised.value) == wrong


def test_a_client_that_there_is_not_has_a_nearest_one(tmp_path: Path) -> None:
    write_new(tmp_path / "shop", files_of("shop", "list", None))
    with pytest.raises(OperatorError) as raised:
        added(tmp_path / "shop", "page", "x", client="backed", path="/x")
    assert str(raised.value) == "no client clients/backed.py; did you mean backend?  there are: backend"


def test_only_a_project_is_added_to(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as raised:
        added(tmp_path, "ci", None, client=None, path=None)
    assert str(raised.value) == (
        f"no folder orchestrations/ in {tmp_path}: add goes into a project, which `bff new` begins"
    )
