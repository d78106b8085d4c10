"""The layer keeps nothing: instances come and go, and write no file."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from clients.local.pocketbase import Backend
from tests.app.conftest import Account
from tests.nginx import alternating
from tests.servers import Layer, Visitor, layer

pytestmark = pytest.mark.backend


def test_after_a_kill_and_a_start_elsewhere_nothing_is_lost(
    app_backend: Backend, account: Account, tmp_path: Path
) -> None:
    with layer(app_backend.url, tmp_path) as first:
        ann = account("Ann", first.url)
        ann.add("before")
        first.kill()
        with layer(app_backend.url, tmp_path) as second:
            assert second.port != first.port
            # Cookies know no ports: the browser would carry the same one to the new instance.
            ann.base_url = second.url
            assert ann.titles() == ["before"]
            ann.add("after")
            assert ann.titles() == ["after", "before"]


def test_a_key_that_rotates_signs_nobody_out(app_backend: Backend, account: Account, tmp_path: Path) -> None:
    from cryptography.fernet import Fernet

    from tests.servers import SESSION_KEY

    ann = account()
    keys = f"{Fernet.generate_key().decode()},{SESSION_KEY}"
    with layer(app_backend.url, tmp_path, BFF_SESSION_KEYS=keys) as rotated:
        ann.base_url = rotated.url
        assert ann.titles() == []


def test_two_instances_alternate_without_a_difference(
    app_backend: Backend, app: Layer, account: Account, tmp_path: Path, needs: Callable[..., None]
) -> None:
    needs("nginx")
    with layer(app_backend.url, tmp_path) as other, alternating([app.url, other.url], tmp_path) as url:
        ann, bo = account("Ann", url), account("Bo", url)
        ids = [ann.add(f"t{number}", helper=bo.id) for number in range(10)]
        for todo in ids[::2]:
            assert bo.ask("PATCH", f"/api/todos/{todo}", json={"status": "done"}).status_code == 200
            assert ann.ask("GET", f"/api/todos/{todo}").json()["status"] == "done"
        assert ann.ask("POST", "/api/todos/remove", json={"ids": ids[:5]}).json()["removed"] == ids[:5]
        assert sorted(bo.titles()) == [f"t{number}" for number in range(5, 10)]
        for log in (app.log, other.log):
            assert '"page":"add_todo"' in log.read_text()


def test_the_layer_writes_no_file(
    app_backend: Backend, account: Account, tmp_path: Path, needs: Callable[..., None]
) -> None:
    needs("strace")
    trace = tmp_path / "strace.log"
    wrapper = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=open,openat,openat2,creat,rename,mkdir,unlink",
        "-o",
        str(trace),
    ]
    with layer(app_backend.url, tmp_path, wrapper=wrapper, PYTHONDONTWRITEBYTECODE="1") as traced:
        begun = len(trace.read_text().splitlines())
        ann = account("Ann", traced.url)
        todo = ann.add("Tea")
        ann.ask("PATCH", f"/api/todos/{todo}", json={"status": "done"})
        assert ann.titles() == ["Tea"]
        ann.ask("GET", "/api/stats")
        ann.ask("GET", "/")
    during = trace.read_text().splitlines()[begun:]
    writing = [
        line for line in during if re.search(r"O_(WRONLY|RDWR|CREAT)|creat\(|rename|mkdir|unlink", line)
    ]
    writing = [line for line in writing if "/dev/" not in line and "/proc/" not in line]
    assert during and writing == []


@pytest.mark.full  # alone: it measures what a machine can bear, not what others leave of it
@pytest.mark.server
def test_200_visitors_at_once_all_get_their_own_signed_in_page(
    app_backend: Backend, account: Account, tmp_path: Path, needs: Callable[..., None]
) -> None:
    needs("ab")
    with layer(app_backend.url, tmp_path) as served:
        ann = account("Ann", served.url)
        for number in range(20):
            ann.add(f"t{number}")
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in ann.session.cookies)
        command = ["ab", "-l", "-q", "-n", "1000", "-c", "200", "-H", f"Cookie: {cookie}"]
        done = subprocess.run([*command, f"{served.url}/api/home"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Complete requests: +1000$", done.stdout, re.M), done.stdout
    assert re.search(r"^Failed requests: +0$", done.stdout, re.M), done.stdout
    assert "Non-2xx" not in done.stdout, done.stdout


def test_secrets_are_in_no_answer_log_line_or_process_title(
    app_backend: Backend, account: Account, tmp_path: Path
) -> None:
    from tests.servers import SESSION_KEY

    with layer(app_backend.url, tmp_path, BFF_SERVER_TIMING="1") as watched:
        ann = account("Ann", watched.url)
        email = ann.ask("GET", "/api/home").json()["me"]["email"]
        token = app_backend.request(
            "POST",
            "/api/collections/people/auth-with-password",
            {"identity": email, "password": "password-1"},
        )["token"]
        answers = [
            ann.ask("GET", path) for path in ("/api/home", "/api/stats", "/api/todos/nope", "/api/people")
        ]
        answers.append(ann.ask("POST", "/api/login", json={"email": email, "password": "password-1"}))
        answers.append(ann.ask("POST", "/api/todos", json={"title": ""}))
        titles = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True).stdout
        said = watched.log.read_text() + titles
        for answer in answers:
            headers = "".join(
                f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "set-cookie"
            )
            said += answer.text + headers
        cookie = next(cookie.value for cookie in ann.session.cookies if cookie.name == "bff-session")
        # Every PocketBase token begins with the same header; its payload names the visitor.
        secrets = [SESSION_KEY, "password-1", str(cookie), *token.split(".")[1:], email.split("@")[0] + "@"]
        with contextlib.suppress(ValueError):
            secrets.remove("")
        said = said.replace(f'"email":"{email}"', "")  # the visitor's own page may show their own address
        assert [secret for secret in secrets if secret in said] == []


def test_signing_in_is_the_same_visitor_on_every_instance(
    app_backend: Backend, app: Layer, account: Account, tmp_path: Path
) -> None:
    with layer(app_backend.url, tmp_path) as other:
        ann = account("Ann")
        email = ann.ask("GET", "/api/home").json()["me"]["email"]
        again = Visitor(other.url)
        again.ask("POST", "/api/login", json={"email": email, "password": "password-1"})
        assert again.ask("GET", "/api/home").json()["me"]["id"] == ann.id
