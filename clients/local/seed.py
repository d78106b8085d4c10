"""Fills an empty backend with people, todos, comments and notices: `seed.json`, its days counted from today,
and the `pictures` of two of them.

Every row has a fixed id, so a seeding that was cut off goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import urllib.error
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clients.local.pocketbase import Backend

_DATA = Path(__file__).with_name("seed.json")
_PICTURES = Path(__file__).with_name("pictures")
_ID_LENGTH = 15


def seed(backend: Backend, password: str | None = None) -> None:
    """Adds every row of `seed.json` that the backend does not have yet; people sign in with `password`."""
    for collection, rows in _rows(datetime.now(UTC)).items():
        present = {row["id"] for row in backend.rows(collection, fields="id")}
        secret = _secret(password) if collection == "people" else {}
        for row in rows:
            if row["id"] not in present:
                backend.add(collection, **row, **secret)
    _add_pictures(backend, sorted(_PICTURES.glob("*.png")))


def _add_pictures(backend: Backend, files: list[Path]) -> None:
    """Adds the pictures, named after the keys of their people, that are not there."""
    present = {row["id"] for row in backend.rows("pictures", fields="id")} if files else set()
    for file in files:
        person = record_id("person", file.stem)
        if person not in present:
            backend.add_file("pictures", "file", file, id=person, person=person)


def seed_once(backend: Backend) -> bool:
    """Seeds unless this folder was seeded before, so that what was deleted stays deleted; True if it did."""
    marker = backend.directory / "seeded"
    if marker.exists():
        return False
    seed(backend)
    marker.touch()
    return True


def let_sign_in(backend: Backend, password: str) -> None:
    """Gives the seeded people this password unless they have got it before: a new one ends their sessions."""
    marker = backend.directory / "password-of-people"
    digest = hashlib.sha256(password.encode()).hexdigest()
    if marker.exists() and marker.read_text(encoding="ascii") == digest:
        return
    for person in _rows(datetime.now(UTC))["people"]:
        try:
            backend.request("PATCH", f"/api/collections/people/records/{person['id']}", _secret(password))
        except urllib.error.HTTPError as exc:
            exc.close()
            if exc.code != 404:  # 404: removed by somebody
                raise
    marker.write_text(digest, encoding="ascii")


def address_of(key: str) -> str:
    """The e-mail address of a seeded person: `lin` has lin@example.com."""
    return f"{key}@example.com"


def record_id(prefix: str, name: str | int) -> str:
    """The fixed id of a seeded row: `todo` and 7 give todo00000000007, `person` and ada personada000000."""
    if isinstance(name, int):
        return f"{prefix}{name:0{_ID_LENGTH - len(prefix)}d}"
    return f"{prefix}{name}".ljust(_ID_LENGTH, "0")


def _rows(now: datetime) -> dict[str, list[dict[str, Any]]]:
    """The rows of each collection, those that others point to first."""
    written = json.loads(_DATA.read_text(encoding="utf-8"))
    people = {person["key"]: record_id("person", person["key"]) for person in written["people"]}
    todos = {todo["title"]: record_id("todo", number) for number, todo in enumerate(written["todos"], 1)}
    return {
        "people": [
            {"id": people[person["key"]], "name": person["name"], "email": address_of(person["key"])}
            for person in written["people"]
        ],
        "todos": [{"id": todos[todo["title"]], **_todo(todo, people, now)} for todo in written["todos"]],
        "comments": [
            {
                "id": record_id("comment", number),
                "todo": todos[comment["todo"]],
                "author": people[comment["author"]],
                "text": comment["text"],
            }
            for number, comment in enumerate(written["comments"], 1)
        ],
        "notices": [
            {**notice, "id": record_id("notice", number), "published": _instant(now, notice["published"])}
            for number, notice in enumerate(written["notices"], 1)
        ],
    }


def _secret(password: str | None) -> dict[str, str]:
    return {"password": password, "passwordConfirm": password} if password else {}


def _todo(todo: dict[str, Any], people: dict[str, str], now: datetime) -> dict[str, Any]:
    due = f"{now + timedelta(days=todo['due']):%Y-%m-%d} 00:00:00.000Z" if "due" in todo else ""
    return {
        "title": todo["title"],
        "note": todo.get("note", ""),
        "status": todo["status"],
        "owner": people.get(todo.get("owner", ""), ""),
        "helper": people.get(todo.get("helper", ""), ""),
        "due": due,
        "finished": _instant(now, todo["finished"]) if "finished" in todo else "",
    }


def _instant(now: datetime, days: int) -> str:
    return f"{now + timedelta(days=days):%Y-%m-%d %H:%M:%S}.000Z"
