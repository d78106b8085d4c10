"""Headers of an answer that hold an address: holes are percent-encoded, and lead nowhere else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from flask.testing import FlaskClient

from bff import create_app
from bff.deploy.imports import engine_files
from tests.project import visitor, write_built, write_project
from tests.properties import given, settings, st

PAGE = """
    route: GET /go/{id}
    auth: none
    input:
      query:
        to: {type: string, default: ''}
        n: {type: integer, default: 1}
        own: {type: boolean, default: false}
    status: 303
    headers:
      Location: >-
        f"/todos/{url_encode(path.id)}" if query.own else
        f"https://idp.example/?redirect={url_encode(query.to)}&n={url_encode(f'{query.n:03d}')}"
      Content-Location: default(None, f"/todos/{path.id}?q={query.to}#{query.to}")
      Link:
        - f"</todos?page={query.n + 1}&q={query.to}>; rel=\\"next\\"; title=\\"{query.to}\\""
        - f"<https://cdn.example/{path.id}>; rel=\\"preload\\""
      X-Said: f"{query.n}&{query.own}"
    shape: 1
    """


@pytest.fixture(params=["recipes", "built"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> FlaskClient:
    """The page as it stands, and in compiled form."""
    root = write_project(tmp_path / "recipes", {"page": PAGE})
    if request.param == "built":
        root = write_built(root, tmp_path / "built")
    return create_app(root, environ={}).test_client()


def test_a_bundle_has_what_encodes() -> None:
    assert "bff/expressions/percent.py" in engine_files(serves=False)


def test_a_value_adds_no_parameter_to_a_redirect(site: FlaskClient) -> None:
    answer = site.get("/go/7?to=b%26x%3D1%23%20%E6%B5%8B&n=5")
    assert answer.headers["Location"] == "https://idp.example/?redirect=b%26x%3D1%23%20%E6%B5%8B&n=005"
    assert (
        answer.headers["Content-Location"] == "/todos/7?q=b%26x%3D1%23%20%E6%B5%8B#b%26x%3D1%23%20%E6%B5%8B"
    )
    assert answer.headers["X-Said"] == "5&false"


def test_a_value_ends_no_link_and_begins_no_other(site: FlaskClient) -> None:
    answer = site.get("/go/7?to=" + quote('>; rel="x", </evil'))
    encoded = "%3E%3B%20rel%3D%22x%22%2C%20%3C%2Fevil"
    assert answer.headers["Link"] == (
        f'</todos?page=2&q={encoded}>; rel="next"; title="{encoded}", <https://cdn.example/7>; rel="preload"'
    )


def test_a_value_is_one_part_of_a_path(site: FlaskClient) -> None:
    assert site.get("/go/a%20b%3Fc@d?own=true").headers["Location"] == "/todos/a%20b%3Fc%40d"


@pytest.mark.parametrize("dots", [".", ".."])
def test_dots_that_would_lead_elsewhere_are_a_problem(dots: str, tmp_path: Path) -> None:
    recipe = """
        route: GET /go
        auth: none
        input: {query: {to: {type: string}}}
        status: 303
        headers:
          Location: f"https://app.example/files/{url_encode(query.to)}/edit?from={url_encode(query.to)}"
        """
    site = visitor(tmp_path, recipe)
    answer = site.get(f"/go?to={dots}")
    assert (answer.status_code, answer.json["type"]) == (400, "urn:bff:problem:unsent")
    assert "Location" not in answer.headers
    assert site.get(f"/go?to={dots}x").headers["Location"] == (
        f"https://app.example/files/{dots}x/edit?from={dots}x"
    )


@pytest.mark.parametrize(
    "location",
    [
        "f'/a/' + url_encode(query.to) + '/x'",
        "'/a/' + f'{url_encode(query.to)}/x'",
        "url('/a/' + url_encode(query.to), {'b': 1})",
        "{'a': f'/a/{url_encode(query.to)}'}['a']",
        "[f'/a/{url_encode(query.to)}'][0]",
    ],
)
def test_dots_are_a_problem_however_an_address_is_put_together(location: str, tmp_path: Path) -> None:
    recipe = "route: GET /go\nauth: none\ninput: {query: {to: {type: string}}}\nstatus: 303\nheaders:\n"
    site = visitor(tmp_path, f'{recipe}  Location: "{location}"\n')
    assert (site.get("/go?to=..").status_code, site.get("/go?to=.").status_code) == (400, 400)
    assert site.get("/go?to=a%2F..?").headers["Location"].startswith("/a/a%2F..%3F")
    assert site.get("/go").headers["Location"].startswith("/a/")


def test_behind_its_path_an_address_that_is_put_together_may_hold_dots(tmp_path: Path) -> None:
    recipe = "route: GET /go\nauth: none\ninput: {query: {to: {type: string}}}\nstatus: 303\nheaders:\n"
    site = visitor(
        tmp_path, f"{recipe}  Location: \"'/a?b=' + url_encode(query.to) + '&c=' + url_encode('%')\"\n"
    )
    assert site.get("/go?to=..").headers["Location"] == "/a?b=..&c=%25"


def test_an_address_that_a_backend_gives_stands_as_it_is(tmp_path: Path) -> None:
    recipe = """
        route: GET /go
        auth: none
        steps:
          started: {value: "{'url': 'https://pay.example/s?a=1&b=2', 'id': 'x/y'}"}
        status: 303
        headers:
          Content-Location: f"{started.url}&c={started.id}"
          Link: f"</orders/{started.id}>; rel=\\"self\\""
        """
    headers = visitor(tmp_path, recipe).get("/go").headers
    assert headers["Content-Location"] == "https://pay.example/s?a=1&b=2&c=x/y"
    assert headers["Link"] == '</orders/x%2Fy>; rel="self"'


def test_an_address_is_made_of_parameters(tmp_path: Path) -> None:
    recipe = """
        route: GET /go/{id}
        auth: none
        input: {query: {to: {type: string}, n: {type: array, items: {type: integer}}}}
        status: 303
        headers:
          Location: >-
            url(f"/todos/{url_encode(path.id)}?kind=all", {'to': query.to, 'n': query.n}) if query.to else
            '/todos/' + url_encode(path.id)
          Content-Location: "url('/todos', {'to': query.to})"
          Link: >-
            f"<{url('/todos', {'to': query.to})}>; title=\\"{url_encode(query.to)}\\""
        """
    site = visitor(tmp_path, recipe)
    headers = site.get("/go/a%3Fb?to=https://evil.example/%26&n=1&n=2").headers
    to = "https%3A%2F%2Fevil.example%2F%26"
    assert headers["Location"] == f"/todos/a%3Fb?kind=all&to={to}&n=1&n=2"
    assert headers["Content-Location"] == f"/todos?to={to}"
    assert headers["Link"] == f'</todos?to={to}>; title="{to}"'
    assert site.get("/go/a%3Fb").headers["Location"] == "/todos/a%3Fb"


@pytest.fixture(scope="module")
def redirecting(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    recipe = """
        route: GET /go
        auth: none
        input: {query: {a: {type: string}, b: {type: string}}}
        status: 303
        headers:
          Location: >-
            f"https://app.example/x/{url_encode(query.a)}/{url_encode(query.b)}/y?z={url_encode(query.a)}#{url_encode(query.b)}"
        """
    return visitor(tmp_path_factory.mktemp("redirecting"), recipe)


@settings(deadline=None, max_examples=100)
@given(a=st.text(max_size=20), b=st.text(max_size=20))
def test_no_text_changes_more_than_its_own_part(a: str, b: str, redirecting: FlaskClient) -> None:
    answer = redirecting.get("/go", query_string={"a": a, "b": b})
    if {a, b} & {".", ".."}:
        assert answer.status_code == 400
        return
    found = urlsplit(answer.headers["Location"])
    assert (found.scheme, found.netloc) == ("https", "app.example")
    assert found.path == f"/x/{quote(a, safe='')}/{quote(b, safe='')}/y"
    assert (found.query, found.fragment) == (f"z={quote(a, safe='')}", quote(b, safe=""))
