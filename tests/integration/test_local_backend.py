"""The local backend keeps its rows, refuses what it must and says why."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import stat
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from clients.local import pocketbase
from clients.local.binary import BackendError, checked_binary
from clients.local.pocketbase import Backend, free_port, require_free, running
from clients.local.seed import record_id, seed, seed_once

pytestmark = pytest.mark.backend


def _counts(backend: Backend) -> dict[str, int]:
    return {name: len(backend.rows(name)) for name in ("people", "todos", "comments", "notices")}


def test_rows_survive_a_stop(backend_program: Path, tmp_path: Path) -> None:
    with running(tmp_path, free_port()) as backend:
        row = backend.add("todos", title="留下来", status="open")["id"]
    with running(tmp_path, free_port()) as backend:
        assert [todo["id"] for todo in backend.rows("todos")] == [row]


def test_rows_survive_a_kill(backend_program: Path, tmp_path: Path) -> None:
    with running(tmp_path, free_port()) as backend:
        row = backend.add("todos", title="Still here", status="open")["id"]
        backend.process.send_signal(signal.SIGKILL)
        backend.process.wait()
    with running(tmp_path, free_port()) as backend:
        assert [todo["id"] for todo in backend.rows("todos")] == [row]


def test_rows_are_readable_by_their_owner_only(backend_program: Path, tmp_path: Path) -> None:
    directory = tmp_path / "rows"
    with running(directory, free_port()):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_taken_port_is_named_with_the_setting_that_changes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BackendError) as caught:
            require_free(port, "POCKETBASE_PORT")
    assert str(caught.value) == (
        f"port {port} is taken (Address already in use): "
        "stop what listens there, or choose another one: POCKETBASE_PORT=… make run"
    )


def test_a_changed_program_does_not_start(backend_program: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bin" / "pocketbase"
    copy.parent.mkdir()
    shutil.copyfile(backend_program, copy)
    with copy.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BackendError, match=r"is not the pinned PocketBase 0\.40\.6 \(SHA-256 [0-9a-f]{64}"):
        checked_binary(tmp_path)


def test_a_missing_program_is_told_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"is not installed in .*: run `make install-backend`"):
        checked_binary(tmp_path)


def test_any_password_is_taken_as_it_is(backend_program: Path, tmp_path: Path) -> None:
    with running(tmp_path, free_port(), password="--dir=/nowhere -x 密码") as backend:
        assert backend.rows("todos") == []


def test_nothing_is_left_running(backend_program: Path) -> None:
    with pocketbase.temporary() as backend:
        directory = backend.directory
    assert backend.process.returncode is not None
    assert not directory.exists()


def test_seeding_twice_adds_nothing(backend: Backend) -> None:
    seed(backend)
    first = _counts(backend)
    seed(backend)
    assert first == _counts(backend) == {"people": 8, "todos": 42, "comments": 25, "notices": 3}


def test_a_seeding_that_was_cut_off_goes_on(backend: Backend) -> None:
    backend.add("people", id=record_id("person", "ada"), name="Ada Novak", email="ada@example.com")
    assert seed_once(backend)
    assert len(backend.rows("people")) == 8


def test_what_was_deleted_stays_deleted(backend: Backend) -> None:
    assert seed_once(backend)
    backend.request("DELETE", f"/api/collections/todos/records/{record_id('todo', 1)}")
    assert not seed_once(backend)
    assert len(backend.rows("todos")) == 41


def test_a_visitor_reads_names_but_neither_addresses_nor_passwords(seeded_backend: Backend) -> None:
    url = f"{seeded_backend.url}/api/collections/people/records"
    with urllib.request.urlopen(url) as reply:
        person = json.load(reply)["items"][0]
    assert not {"email", "password", "tokenKey"} & person.keys()


@pytest.mark.parametrize("collection", ["people", "comments", "notices"])
def test_a_visitor_may_not_write(seeded_backend: Backend, collection: str) -> None:
    visitor = Backend(seeded_backend.url, "", "", seeded_backend.directory, seeded_backend.process)
    with pytest.raises(urllib.error.HTTPError) as caught:
        visitor.add(collection, name="x", text="x", en="x", zh="x")
    assert caught.value.code == 403
    caught.value.close()
