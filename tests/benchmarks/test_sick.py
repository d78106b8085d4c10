"""The part about a sick backend: the sicknesses are what they are called, the pages are `home`, the rows compare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from benchmarks import results, sick, sick_report
from benchmarks.lineup import BFF, HERE, PEERS
from benchmarks.sick import KINDS, Way
from benchmarks.sick_backend import REPLIES
from bff.plan.planning import plan_folder

FASTIFY = next(peer for peer in PEERS if peer.name == "fastify-undici")
PATIENCE = 30.0


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    with sick._notices() as found:
        yield dict(found)


def _asked(port: int, path: str = "/notices/latest", timeout: float = PATIENCE) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{port}{path}", timeout=timeout)


def test_every_kind_has_a_port(ports: dict[str, int]) -> None:
    assert set(ports) == set(KINDS) == {*REPLIES, "refused"}


@pytest.mark.parametrize(("kind", "status"), [("well", 200), ("late", 200), ("500", 500), ("503", 503)])
def test_who_answers_does_so_with_its_status(kind: str, status: int, ports: dict[str, int]) -> None:
    assert _asked(ports[kind]).status_code == status


def test_who_refuses_takes_no_connection(ports: dict[str, int]) -> None:
    with pytest.raises(requests.ConnectionError, match="refused"):
        _asked(ports["refused"])


def test_who_hangs_takes_the_request_and_says_nothing(ports: dict[str, int]) -> None:
    _asked(ports["well"], "/-/counts")
    with pytest.raises(requests.ReadTimeout):
        _asked(ports["hangs"], timeout=0.2)
    assert _asked(ports["well"], "/-/counts").json() == {"hangs": 1}


def test_who_resets_does_so_within_the_body(ports: dict[str, int]) -> None:
    reply = requests.get(f"http://127.0.0.1:{ports['reset']}/notices/latest", timeout=PATIENCE, stream=True)
    assert reply.status_code == 200
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        b"".join(reply.iter_content(4096))


def test_ours_is_measured_in_every_combination() -> None:
    ours = sick.ways(BFF)
    assert len({way.name for way in ours}) == len(ours) == 4 + 2 + 5 * 8
    assert {(way.breaker, way.retries, way.fallback) for way in ours if way.kind == "hangs"} == {
        (breaker, retries, fallback)
        for breaker in (False, True)
        for retries in (0, 1)
        for fallback in (False, True)
    }
    assert {way.compared_with for way in ours} <= set(ours)


def test_a_hand_written_page_has_no_breaker_and_no_retries() -> None:
    assert [(way.breaker, way.retries) for way in sick.ways(FASTIFY)] == [(False, 0)] * 2 * len(KINDS)
    program = (HERE / "peers" / "node" / "pages.mjs").read_text()
    assert f"NOTICE_TIME_OUT = {sick.TIME_OUT.removesuffix('ms')}\n" in program


def test_who_waits_is_compared_with_who_waits_and_is_answered() -> None:
    assert Way("hangs", retries=1).compared_with == Way("late")
    assert Way("hangs", breaker=True).compared_with == Way("well", breaker=True)
    assert Way("503", fallback=False, retries=1).compared_with == Way("well", fallback=False)


def test_the_pages_of_all_ways_are_home_with_another_notice() -> None:
    with sick._project() as folder:
        home = (folder / "orchestrations" / "home.yaml").read_text().splitlines()
        way = Way("503", breaker=True, retries=1)
        recipe = (folder / "orchestrations" / f"{way.name}.yaml").read_text().splitlines()
        assert [line for line in recipe if line not in home] == [
            "route: GET /api/sick-503-breaker-retries-fallback",
            "    client: notices_503_with_breaker",
            "    timeout: 100ms",
            "    retries: 1",
            "    fallback: null",
        ]
        assert [line for line in home if line not in recipe] == [
            "route: GET /api/home",
            "    client: notices",
        ]
        assert len(plan_folder(folder).plans) == 7 + len(sick.ways(BFF))


def _found(cpu_us: float, errors: int = 0) -> dict[str, Any]:
    return {"cpu_us": cpu_us, "p50_ms": 9.0, "asked_per_page": 1.0, "errors": errors}


WAYS = {
    Way("well"): [_found(800), _found(1000), _found(900)],
    Way("late"): [_found(1000)],
    Way("500"): [_found(1080), _found(1200), _found(990, errors=2)],
    Way("hangs"): [_found(1500)],
}


def test_rows_tell_how_many_times_the_page_that_is_well_they_cost() -> None:
    rows = {row["kind"]: row for row in sick._rows("bff", WAYS)}
    assert {kind: row["times_well"] for kind, row in rows.items()} == {
        "well": 1.0,
        "late": 1.11,
        "500": 1.2,
        "hangs": 1.5,
    }
    assert (rows["500"]["cpu_us"], rows["500"]["errors"], rows["500"]["rounds"]) == (1080, 2, 3)


def test_rows_are_results() -> None:
    found = {"machine": "test", "versions": {"python": "3.11"}, "date": "2026-11-29"}
    results.check({**found, "sick": sick._rows("bff", WAYS)})


def test_the_table_has_a_line_for_each_sickness() -> None:
    rows = sick._rows("bff", {**WAYS, Way("500", fallback=False): [_found(900)]})
    rows += sick._rows("fastify-undici", {Way("well"): [_found(300)], Way("500"): [_found(450)]})
    assert sick_report.sick_table({"sick": rows}) == (
        "| CPU of the page | **bff**, no breaker | **bff**, no breaker, a retry | **bff**, breaker "
        "| **bff**, breaker, a retry | Fastify 5 + undici |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| well, µs | 900 · – | – | – | – | 300 · – |\n"
        "| late, µs | 1,000 · – | – | – | – | – |\n"
        "| 500, × | 1.20 · – | – | – | – | 1.50 · – |\n"
        "| hangs, × | 1.50 · – | – | – | – | – |\n"
    )
