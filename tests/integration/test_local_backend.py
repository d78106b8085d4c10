"""The local backend and its folder keep what they are given, refuse what they must and say why."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clients.local import pocketbase
from clients.local import seed as seeding
from clients.local.binary import BackendError, checked_binary
from clients.local.folder import alone_in, kept, long_password, password_to_type
from clients.local.pocketbase import ROOT, Backend, free_port, has_ended, require_free, running, start_child
from clients.local.seed import address_of, let_sign_in, record_id, seed, seed_once

pytestmark = pytest.mark.backend


def _counts(backend: Backend) -> dict[str, int]:
    return {name: len(backend.rows(name)) for name in ("people", "todos", "comments", "notices", "pictures")}


TYPED = "--dir=/nowhere -x 密码"
GIVEN = "first password"


@pytest.fixture(scope="module")
def seeded(backend_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One with the rows of a first start, whose people have the password `GIVEN`; who changes a row has their own."""
    with running(tmp_path_factory.mktemp("seeded") / "rows", free_port(), password=TYPED) as backend:
        assert seed_once(backend)
        let_sign_in(backend, GIVEN)
        yield backend


def test_rows_survive_a_stop_and_a_kill(backend_program: Path, tmp_path: Path) -> None:
    with running(tmp_path, free_port()) as backend:
        row = backend.add("todos", title="留下来", status="open")["id"]
    with running(tmp_path, free_port()) as backend:
        assert [todo["id"] for todo in backend.rows("todos")] == [row]
        more = backend.add("todos", title="Still here", status="open")["id"]
        backend.process.send_signal(signal.SIGKILL)
        backend.process.wait()
    with running(tmp_path, free_port()) as backend:
        assert {todo["id"] for todo in backend.rows("todos")} == {row, more}


def test_a_port_that_was_taken_since_it_was_looked_at_is_told_of(
    backend_program: Path, seeded: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(seeded.url.rsplit(":", 1)[1])
    monkeypatch.setattr(pocketbase, "require_free", lambda port: None)
    with pytest.raises(BackendError) as caught, running(tmp_path, port):
        pytest.fail("it runs beside another")
    assert str(caught.value).startswith("PocketBase ended at its start: ")
    assert str(caught.value).endswith(f"listen tcp 127.0.0.1:{port}: bind: address already in use")


_OTHER = """
import sys
from clients.local import pocketbase
offered = iter(map(int, sys.argv[1:]))
pocketbase.secrets.randbelow = lambda _: next(offered) - 20_000
print(pocketbase.free_port())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there processes can tell each other")
def test_no_port_is_given_by_two_processes() -> None:
    mine = free_port()
    free = mine + 1 if mine < 29_999 else mine - 1
    command = [sys.executable, "-c", _OTHER, str(mine), str(free), *map(str, range(20_000, 30_000))]
    given = int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout)
    assert given != mine


def test_rows_are_readable_by_their_owner_only(seeded: Backend) -> None:
    assert stat.S_IMODE(seeded.directory.stat().st_mode) == 0o700


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


def test_any_password_is_taken_as_it_is(seeded: Backend) -> None:
    assert seeded.password == TYPED
    assert len(seeded.rows("todos")) == 42  # as the superuser, who has signed in with it


def test_nothing_is_left_running(backend_program: Path) -> None:
    with pocketbase.temporary() as backend:
        directory = backend.directory
    assert backend.process.returncode is not None
    assert not directory.exists()


@pytest.mark.skipif(os.name != "posix", reason="about signals")
def test_whoever_looks_at_a_child_can_be_interrupted_and_the_child_still_be_stopped() -> None:
    child = start_child([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert child.stdin is not None
    assert not has_ended(child)
    with child._waitpid_lock:  # type: ignore[attr-defined]  # as after a signal that was raised within `poll`
        child.stdin.close()
        while not has_ended(child):
            time.sleep(0.01)
    assert has_ended(child)
    assert child.wait() == 1
    assert has_ended(child)


def test_seeding_twice_adds_nothing(seeded: Backend) -> None:
    first = _counts(seeded)
    seed(seeded)
    assert first == _counts(seeded) == {"people": 8, "todos": 42, "comments": 25, "notices": 3, "pictures": 2}


def test_a_seeding_that_was_cut_off_goes_on_and_what_was_deleted_stays_deleted(backend: Backend) -> None:
    backend.add("people", id=record_id("person", "ada"), name="Ada Novak", email="ada@example.com")
    assert seed_once(backend)
    assert len(backend.rows("people")) == 8
    backend.request("DELETE", f"/api/collections/todos/records/{record_id('todo', 1)}")
    backend.request("DELETE", f"/api/collections/people/records/{record_id('person', 'noor')}")
    assert not seed_once(backend)
    let_sign_in(backend, GIVEN)
    assert (len(backend.rows("todos")), len(backend.rows("people"))) == (41, 7)
    assert _sign_in(backend, "zhao", GIVEN)


def _sign_in(backend: Backend, key: str, password: str) -> str:
    """The token of a seeded person; raises HTTPError where the password does not fit."""
    path = "/api/collections/people/auth-with-password"
    token: str = backend.request("POST", path, {"identity": address_of(key), "password": password})["token"]
    return token


def test_every_seeded_person_can_sign_in(seeded: Backend) -> None:
    for key in ("lin", "ada", "chen", "maya", "wang", "tomas", "zhao", "noor"):
        assert _sign_in(seeded, key, GIVEN)


def test_a_password_that_people_have_is_not_given_again(seeded: Backend) -> None:
    """A new one would end every session."""
    lin = replace(seeded, token=_sign_in(seeded, "lin", GIVEN))
    let_sign_in(seeded, GIVEN)
    assert len(lin.rows("people")) == 8
    try:
        let_sign_in(seeded, "another password")
        assert lin.rows("people") == []
        assert _sign_in(seeded, "lin", "another password")
    finally:
        let_sign_in(seeded, GIVEN)


def test_a_folder_from_before_people_signed_in_keeps_its_rows_and_lets_them_sign_in(
    backend_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(pocketbase, "MIGRATIONS", tmp_path / "migrations")
        before.setattr(seeding, "_PICTURES", tmp_path / "none")
        (tmp_path / "migrations").mkdir()
        for migration in sorted((ROOT / "clients" / "local" / "migrations").glob("*.js"))[:6]:
            shutil.copy(migration, tmp_path / "migrations")
        with running(tmp_path / "rows", free_port()) as backend:
            seed_once(backend)
            backend.add("todos", title="From before", status="open", owner=record_id("person", "lin"))
    with running(tmp_path / "rows", free_port()) as backend:
        assert not seed_once(backend)
        let_sign_in(backend, GIVEN)
        lin = replace(backend, token=_sign_in(backend, "lin", GIVEN))
        assert "From before" in {todo["title"] for todo in lin.rows("todo_list")}
        assert len(backend.rows("todos")) == 43


# --- the folder -----------------------------------------------------------------------------------------------


def test_a_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "secret"
    made = kept(file, long_password)
    assert kept(file, long_password) == made
    assert len(made) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_empty_file_of_a_secret_is_made_anew(tmp_path: Path) -> None:
    """As a full disk or a cut-off start may leave it."""
    file = tmp_path / "secret"
    file.touch(mode=0o644)
    assert kept(file, long_password) == file.read_text().strip() != ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_password_to_type_is_never_the_same_and_long_enough_to_sign_up_with() -> None:
    made = {password_to_type() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"([a-z]{4}-){3}[a-z]{4}", password) for password in made)


def test_one_folder_is_used_by_one_at_a_time(tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(BackendError) as caught, alone_in(tmp_path):
        pytest.fail("two are in it")
    assert str(caught.value) == (
        f"{tmp_path} is in use by another `make run` or `make backend` (process {os.getpid()}): "
        "stop that one, or run this one in another clone"
    )
    with alone_in(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
