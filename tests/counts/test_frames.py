"""How far down a page goes: each frame is one more place that a reader has to keep in mind."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

from bff import create_app
from tests.counts.backend import Backend
from tests.counts.kinds import CLIENTS, CUT, KINDS, REPLIES, path_of, recipes
from tests.counts.measure import Visitor, environ_of, variables
from tests.project import write_project

MOST = 14


def test_from_the_door_to_the_socket_a_page_goes_down_few_frames(tmp_path: Path) -> None:
    backend = Backend(REPLIES, [CUT])
    project = write_project(tmp_path, recipes(), clients=CLIENTS)
    visitor = Visitor(create_app(project, environ=variables(backend)))
    cookie = visitor.sign_in()
    ways: set[tuple[str, ...]] = set()

    def note(frame: FrameType | None, event: str, arg: Any) -> None:
        if event == "c_call" and arg.__name__ == "send":
            way = []
            while frame is not None and frame.f_code is not Visitor.ask.__code__:
                way.append(frame.f_code.co_qualname)
                frame = frame.f_back
            ways.add(tuple(reversed(way)))

    for _ in range(3):
        ways.clear()
        sys.setprofile(note)
        try:
            visitor.ask(environ_of(path_of("home"), KINDS["home"].query) | {"HTTP_COOKIE": cookie})
        finally:
            sys.setprofile(None)
        assert visitor.status == 200
    assert ways
    assert max(map(len, ways)) <= MOST, max(ways, key=len)
