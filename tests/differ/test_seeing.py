"""The comparison sees what it is there for."""

from __future__ import annotations

import os
import socket

import pytest
from flask import Flask

from tests.differ import descriptors
from tests.differ.cases import listening
from tests.differ.suite import one
from tests.differ.test_differ import parts_that_differ, what_is_held


@pytest.mark.full
def test_no_descriptor_is_left_when_an_app_is_closed() -> None:
    with listening():
        one("read", "well", "sockets")
        for kind in ("read", "each", "value that raises", "write", "later"):
            for name in ("cut", "hang", "refused", "smuggled"):
                before = descriptors.identities()
                one(kind, name, "sockets")
                assert descriptors.new_since(before) == [], (kind, name)


def test_a_descriptor_that_is_left_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.differ.descriptors.PATIENCE", 0.05)
    before = descriptors.identities()
    with socket.socket() as left:
        assert descriptors.new_since(before) == [os.readlink(f"/proc/self/fd/{left.fileno()}")]
    assert descriptors.new_since(before) == []


def test_a_place_that_is_not_given_back_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.differ.state.places_taken", lambda app: {})  # waits for them otherwise
    monkeypatch.setattr("bff.http.gate.Gate.leave", lambda self: None)
    with listening():
        assert len(what_is_held(one("read", "cut", "sockets"))) == 2


def test_a_connection_that_is_not_closed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.differ.state.idle", lambda app: 0)
    monkeypatch.setattr("tests.differ.cases.SETTLES", 0.05)
    with listening():
        assert what_is_held(one("read", "404", "sockets")) == ["1 more connections open than idle"] * 2


def test_two_misbehaviours_are_told_apart() -> None:
    with listening():
        cut, late = one("read", "cut", "sockets"), one("read", "hang", "sockets")
    assert parts_that_differ(cut, late).keys() == {"answer", "log"}


def test_pages_are_asked_at_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    dispatched: list[object] = []
    monkeypatch.setattr(Flask, "wsgi_app", lambda app, *asked: dispatched.append(asked))
    with listening():
        for kind in ("read", "write", "later", "pass", "token"):
            one(kind, "500", "sockets")
    assert dispatched == []
