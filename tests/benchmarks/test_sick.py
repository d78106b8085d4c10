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
from bff.planning import plan_folder

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
    assert len({way.name for way in ours}) == len(ours) == 5 * 2 * 2 * 2
    assert {(way.breaker, way.retries, way.fallback) for way in ours if way.kind == "hangs"} == {
        (breaker, retries, fallback)
        for breaker in (False, True)
        for retries in (0, 1)
        for fallback in (False, True)
    }
    assert {way.compared_with.kind for way in ours} == {"well", "late"}


def test_a_hand_written_page_has_no_breaker_and_no_retries() -> None:
    assert [(way.breaker, way.retries) for way in sick.ways(FASTIFY)] == [(False, 0)] * 2 * 5
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
            "    timeout: 300ms",
            "    retries: 1",
            "    fallback: null",
        ]
        assert [line for line in home if line not in recipe] == [
            "route: GET /api/home",
            "    client: notices",
        ]
        assert len(plan_folder(folder).plans) == 7 + 40 + 4 + 2


def _found(cpu_us: float, times_well: float | None = None, errors: int = 0) -> dict[str, Any]:
    asked = {"p50_ms": 9.0, "asked_per_page": 1.0, "errors": errors}
    return {"cpu_us": cpu_us, "times_well": times_well, **asked}


WAYS = {
    Way("500"): [_found(1080, 1.35), _found(1200, 1.2), _found(990, 1.1, errors=2)],
    Way("well"): [_found(800), _found(1000), _found(900)],
    Way("hangs"): [_found(1500, 1.5)],
    Way("late"): [_found(1000)],
}


def test_rows_are_medians_with_those_that_are_well_first() -> None:
    rows = sick._rows("bff", WAYS)
    assert [(row["kind"], row["cpu_us"], row["times_well"], row["errors"]) for row in rows] == [
        ("well", 900, None, 0),
        ("late", 1000, None, 0),
        ("500", 1080, 1.2, 2),
        ("hangs", 1500, 1.5, 0),
    ]


def test_a_page_is_told_as_times_the_one_beside_it() -> None:
    assert sick._times(_found(1200), _found(800)) == 1.5
    assert sick._times({"cpu_us": None}, _found(800)) is None


def test_rows_are_results() -> None:
    found = {"machine": "test", "versions": {"python": "3.11"}, "date": "2026-11-29"}
    results.check({**found, "sick": sick._rows("bff", WAYS)})


def test_the_table_has_a_line_for_each_sickness() -> None:
    rows = sick._rows("bff", {**WAYS, Way("500", fallback=False): [_found(900, 1)]})
    rows += sick._rows("fastify-undici", {Way("well"): [_found(300)], Way("500"): [_found(450, 1.5)]})
    assert sick_report.sick_table({"sick": rows}) == (
        "| CPU of the page | **bff**, no breaker | **bff**, no breaker, a retry | **bff**, breaker "
        "| **bff**, breaker, a retry | Fastify 5 + undici |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| well, µs | 900 · – | – | – | – | 300 · – |\n"
        "| late, µs | 1,000 · – | – | – | – | – |\n"
        "| 500, × | 1.20 · 1.00 | – | – | – | 1.50 · – |\n"
        "| hangs, × | 1.50 · – | – | – | – | – |\n"
    )
