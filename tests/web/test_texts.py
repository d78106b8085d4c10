"""Pages whose expressions have patterns: from recipes and built, and where nothing here reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from bff import create_app
from bff.errors import AuthorError, OperatorError
from tests.project import write_built, write_project

PAGE = """
    route: GET /page
    auth: none
    input:
      query:
        phone: {type: string, maxLength: 100}
        token: {type: string, maxLength: 1000}
    steps:
      claims:
        value: parse_json(unbase64(split(query.token, '.')[1]))
    shape:
      valid: matches(query.phone, r'^\\+?[0-9 -]+$')
      area: find(query.phone, r'^(\\d+)-')[1]
      shown: sub(query.phone, r'(\\d{2})\\d+(\\d{2})$', r'\\1***\\2')
      name: claims.name
      claims: to_json(claims)
    """


@pytest.fixture(params=["recipes", "built"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The page as it stands, and in compiled form."""
    root = write_project(tmp_path / "recipes", {"page": PAGE})
    return write_built(root, tmp_path / "built") if request.param == "built" else root


@pytest.fixture
def site(root: Path) -> FlaskClient:
    return create_app(root, environ={}).test_client()


def test_a_page_reads_texts(site: FlaskClient) -> None:
    token = "e30.eyJuYW1lIjoiTMOkbiIsImEiOjF9.x"
    assert site.get("/page", query_string={"phone": "030-123456", "token": token}).get_json() == {
        "valid": True,
        "area": "030",
        "shown": "030-12***56",
        "name": "Län",
        "claims": '{"a":1,"name":"Län"}',
    }


def test_what_is_no_text_of_that_form_is_null(site: FlaskClient) -> None:
    assert site.get("/page", query_string={"phone": "x", "token": "a.%%%"}).get_json() == {
        "valid": False,
        "area": None,
        "shown": "x",
        "name": None,
        "claims": "null",
    }


def test_a_start_without_re2_says_what_brings_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bff.web.assembly.find_spec", lambda name: None)
    with pytest.raises((AuthorError, OperatorError)) as raised:
        create_app(root, environ={})
    assert str(raised.value) == (
        "orchestrations/page.yaml needs the package re2: pip install 'bff-recipes[patterns]'"
    )
