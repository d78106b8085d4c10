"""What the backends of the benchmark answer, and the pages that every peer has to make of it."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

JSON: TypeAlias = Any

USER = "person-007"
# A person whose reply never comes, so that deadlines can be seen at work.
HANGS = "person-hangs"
TODOS, PEOPLE = 100, 20
FAN_OUTS = (1, 2, 4, 8, 16, 32)
SIZES_KB = (1, 4, 16, 64, 256, 1024, 2048)

_NAMES = ("Ada", "Grace", "Lin", "Noor", "Omar", "Pia", "Ravi", "Sofía", "Tomás", "王芳")
_STATUSES = ("open", "open", "done")


def person(number: int) -> dict[str, JSON]:
    """One person, about 200 bytes as JSON."""
    name = f"{_NAMES[number % len(_NAMES)]} {number}"
    return {
        "id": f"person-{number:03d}",
        "name": name,
        "email": f"person-{number:03d}@team.example",
        "phone": f"+49 30 5550 {number:04d}",
        "team": f"team-{number % 4}",
        "joined": f"2025-{number % 12 + 1:02d}-01",
        "about": "Likes short meetings and long walks by the river.",
    }


def todo(number: int, helpers: int) -> dict[str, JSON]:
    """One todo, about 200 bytes as JSON; its helper is one of the first `helpers` people."""
    return {
        "id": f"todo-{number:04d}",
        "title": f"Water the plants in room {number}",
        "note": "The small ones need less. Ask at the desk.",
        "status": _STATUSES[number % len(_STATUSES)],
        "due": f"2026-11-{number % 28 + 1:02d}",
        "owner_id": USER,
        "helper_id": f"person-{number * 7 % helpers:03d}",
        "hours": number % 9,
        "done": _STATUSES[number % len(_STATUSES)] == "done",
    }


def me() -> dict[str, JSON]:
    return person(int(USER[-3:])) | {"locale": "en", "settings": {"theme": "dark", "page": 100}}


def todos() -> list[JSON]:
    return [todo(number, PEOPLE) for number in range(TODOS)]


def people() -> list[JSON]:
    return [person(number) for number in range(PEOPLE)]


def notice() -> dict[str, JSON]:
    return {
        "id": "notice-1",
        "text": "The kitchen is closed on Friday. 厨房星期五关闭。",
        "published": "2026-11-20",
        "more": "There is coffee on the second floor all day, and the machine there is the better one anyway. "
        "Please bring your own cup, and leave the window open.",
    }


def small(number: int) -> dict[str, JSON]:
    """A reply of about 300 bytes."""
    return {"id": number, "value": number * 3, "text": "A line of text that nobody on this page reads. " * 6}


def listed() -> list[JSON]:
    """A hundred todos with a hundred helpers."""
    return [todo(number, TODOS) for number in range(TODOS)]


def sized(kilobytes: int) -> dict[str, JSON]:
    """A list of todos, about so many kilobytes as JSON."""
    items: list[JSON] = []
    length = len(encode({"items": []}))
    while True:
        item = todo(len(items), PEOPLE)
        length += len(encode(item)) + 1
        if items and length > kilobytes * 1024:
            return {"items": items}
        items.append(item)


def encode(value: JSON) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def home_page() -> JSON:
    """The page that is measured: four replies, joined."""
    names = {one["id"]: one["name"] for one in people()}
    return {
        "name": me()["name"],
        "open": sum(1 for one in todos() if not one["done"]),
        "todos": [
            {
                "id": one["id"],
                "title": one["title"],
                "due": one["due"],
                "helper": names[one["helper_id"]],
            }
            for one in todos()
        ],
        "notice": notice()["text"],
    }


def fan_page(calls: int) -> JSON:
    """A page of so many equal calls side by side."""
    return {"values": [small(number)["value"] for number in range(calls)]}


def size_page(kilobytes: int) -> JSON:
    """A page that reads a large reply and shows little of it."""
    items = sized(kilobytes)["items"]
    return {
        "count": len(items),
        "open": sum(1 for one in items if not one["done"]),
        "titles": [one["title"] for one in items[:10]],
    }


def list_page() -> JSON:
    """A list whose every item has another person on it."""
    return {
        "todos": [
            {"id": one["id"], "title": one["title"], "helper": person(int(one["helper_id"][-3:]))["name"]}
            for one in listed()
        ]
    }
