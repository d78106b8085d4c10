"""Starts on hosts: which pages are where, what starts them, one real start, and their tables."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from benchmarks import hosts, hosts_built, hosts_report, results
from benchmarks.hosts_built import Place, places
from benchmarks.parts import Run
from tests.deploy.aws_visits import VISITS

CONTAINERFILE = """\
ENTRYPOINT ["python", "-m", "bff", "serve"]
HEALTHCHECK --interval=10s \\
    CMD ["python", "-c", "pass"]
CMD ["--host", "0.0.0.0", "--threads", "32", "--drain", "5s"]
"""
MEBIBYTE = 2**20
SERVER = """
import http.server, os
open("pid", "w").write(str(os.getpid()))
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"page")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as `build` leaves it: pages of a mebibyte in containers, and of two beside a layer of one on AWS."""
    for page in ("home", "todo"):
        folder = tmp_path / "knative" / page
        folder.mkdir(parents=True)
        (folder / "Containerfile").write_text(CONTAINERFILE)
        (folder / "page").write_bytes(bytes(MEBIBYTE))
        (tmp_path / "aws-lambda").mkdir(exist_ok=True)
        with ZipFile(tmp_path / "aws-lambda" / f"{page}.zip", "w") as archive:
            archive.writestr("page", bytes(2 * MEBIBYTE))
    with ZipFile(tmp_path / "aws-lambda" / "base.zip", "w") as archive:
        archive.writestr("python/package", bytes(MEBIBYTE))
    resources = {
        page: {"Properties": {"CodeUri": f"{page}.zip", "Layers": [{"Ref": "Base"}]}}
        for page in ("home", "todo")
    }
    resources["Base"] = {"Properties": {"ContentUri": "base.zip"}}
    (tmp_path / "aws-lambda" / "template.yaml").write_text(json.dumps({"Resources": resources}))
    return tmp_path


def test_every_page_is_in_a_function_and_in_a_container_and_some_are_elsewhere(built: Path) -> None:
    found = {(one.page, one.host): one for one in places(built, ["home", "todo"])}
    assert list(found) == [
        ("home", "aws-lambda"),
        ("todo", "aws-lambda"),
        ("home", "container"),
        ("todo", "container"),
        ("home", "google"),
        ("home", "wsgi"),
    ]
    assert found["todo", "aws-lambda"].bundle_mb == 3
    assert found["todo", "aws-lambda"].zipped_mb == pytest.approx(3, abs=0.01)
    assert found["todo", "container"].bundle_mb == pytest.approx(1, abs=0.01)
    assert found["todo", "container"].zipped_mb is None


def test_pages_are_started_by_the_commands_of_their_hosts(built: Path) -> None:
    found = {one.host: one for one in places(built, ["home"])}
    assert {host: one.command for host, one in found.items()} == {
        "aws-lambda": "python -m awslambdaric aws_lambda.handler",
        "container": "python -m bff serve --host 0.0.0.0 --threads 32 --drain 5s",
        "google": "functions-framework --target page",
        "wsgi": "python -m bff serve",
    }
    assert list(found["container"].words[3:]) == found["container"].command.split()[1:]
    assert found["google"].words[3:] == ("-m", "functions_framework", "--target", "page")


def test_only_wsgi_finds_packages_outside_its_folder(built: Path) -> None:
    found = {one.host: "-S" in one.words for one in places(built, ["home"]) if one.words}
    assert found == {"container": True, "google": True, "wsgi": False}


def run_of(**more: Any) -> Run:
    return Run((), (), (), (), 0.1, 1, whole=False, say=lambda line: None, **more)


@dataclass
class Measured:
    """A run of two pages, one of which fails, in this folder."""

    folder: Path
    this: Run
    rows: list[dict[str, Any]]


@pytest.fixture(scope="module")
def two_pages(backend_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder, this = tmp_path_factory.mktemp("hosts"), run_of()
    for name, status in (("good", "200"), ("bad", "503")):
        (folder / name).mkdir()
        (folder / name / "server.py").write_text(SERVER.replace("200", status))
    good = Place("home", "container", "server", folder / "good", 1.25, words=(sys.executable, "server.py"))
    rows = hosts.measured(this, [good, replace(good, host="google", folder=folder / "bad")], folder)
    return Measured(folder, this, rows)


@pytest.mark.backend
def test_a_start_is_measured_from_the_process_to_the_page_and_leaves_nothing_running(
    two_pages: Measured,
) -> None:
    [row] = two_pages.rows
    assert row["host"] == "container"
    assert row["start_to_first_page_ms"] > row["warm_ms"] > 0
    assert 4 < row["memory_mb"] < 100
    assert (row["bundle_mb"], row["zipped_mb"], row["rounds"]) == (1.2, None, 1)
    results.check({"machine": "any", "versions": {"python": "3"}, "date": "2026-01-01", "hosts": [row]})
    for name in ("good", "bad"):
        assert not Path("/proc", (two_pages.folder / name / "pid").read_text()).exists()


@pytest.mark.backend
def test_a_page_that_fails_makes_the_run_fail(two_pages: Measured) -> None:
    assert two_pages.this.failed == ["home on google answered 503: b'page'"]


def recorded(page: str, host: str, **more: Any) -> dict[str, Any]:
    figures = {"start_to_first_page_ms": 250.0, "warm_ms": 2.4, "memory_mb": 41.0}
    spread = {name: [value * 0.9, value * 1.1] for name, value in figures.items()}
    about = {"page": page, "host": host, "command": "python -m x", "bundle_mb": 50.9, "zipped_mb": None}
    return {**about, **figures, "spread": spread, "rounds": 3, **more}


def test_the_table_has_a_row_for_each_page_and_names_each_command_once() -> None:
    rows = [
        recorded("home", "aws-lambda", zipped_mb=17.1),
        recorded("todo", "aws-lambda"),
        recorded("home", "wsgi"),
    ]
    assert hosts_report.hosts_table({"hosts": rows}).splitlines()[2:] == [
        "| **AWS Lambda**<br>`python -m x`<br>home | 250 | 225 – 275 | 2.4 | 41 | 50.9 | 17.1 |",
        "| todo | 250 | 225 – 275 | 2.4 | 41 | 50.9 | – |",
        "| **All pages in one folder**<br>`python -m x`<br>home | 250 | 225 – 275 | 2.4 | 41 | 50.9 | – |",
    ]


def test_the_table_of_lambda_has_ours_and_the_other() -> None:
    row = {"first_page_ms": 231.0, "init_ms": 190.0, "warm_ms": 4.4, "memory_mb": 52.0}
    row |= {"size_mb": 48.8, "zipped_mb": 16.0}
    rows = [{"name": "bff", **row}, {"name": "flask-requests", **row, "init_ms": 333.0}]
    assert hosts_report.lambda_table({"lambda": rows}).splitlines()[2:] == [
        "| **bff** | 231 | 190 | 4.4 | 52 | 48.8 | 16 |",
        "| Flask + requests + threads | 231 | 333 | 4.4 | 52 | 48.8 | 16 |",
    ]


def test_what_was_recorded_is_every_page_on_aws_and_in_a_container() -> None:
    found = {(row["page"], row["host"]) for row in results.read()["hosts"]}
    assert found == {
        *((page, host) for page in VISITS for host in ("aws-lambda", "container")),
        *((page, host) for page in hosts_built.SOME for host in ("google", "wsgi")),
    }
