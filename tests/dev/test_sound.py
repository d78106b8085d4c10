"""What of a project runs while other files of it hold mistakes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dev.conftest import GOOD, Project

UNKNOWN = (
    "orchestrations/bad.yaml:4:8: unknown name 'nothing'\n"
    "shape: nothing\n"
    '       ^^^^^^^ a text is written f"nothing"; here are: path, query, headers, body, user'
)
BAD = """
    route: GET /api/bad
    auth: none
    shape: nothing
    """
Answers = Callable[[str], object]


def holding(part: str) -> str:
    return f"route: GET /api/page\nauth: none\nsteps:\n  part:\n    recipe: {part}\nshape: part\n"


def asking(client: str, name: str = "page") -> str:
    return f"""
    route: GET /api/{name}
    auth: none
    steps:
      a:
        client: {client}
        get: /a
        fallback: null
    shape: 2 if a is None else a
    """


def test_a_broken_recipe_takes_down_itself_and_nothing_else(project: Project, answers: Answers) -> None:
    project.start(good=GOOD, bad=BAD)
    assert answers("/api/good") == 1
    assert answers("/api/bad") == UNKNOWN


def test_a_broken_part_takes_down_what_includes_it_through_others_too(
    project: Project, answers: Answers
) -> None:
    middle = "auth: none\nsteps:\n  part:\n    recipe: bad\nshape: part\n"
    project.start(good=GOOD, bad=BAD, middle=middle, page=holding("middle"))
    assert answers("/api/good") == 1
    assert answers("/api/page") == UNKNOWN
    assert project.said == [UNKNOWN]


def test_a_part_without_a_route_is_told_where_it_is_included(project: Project, answers: Answers) -> None:
    project.start(part="auth: none\nshape: nothing\n", page=holding("part"))
    assert str(answers("/api/page")).startswith("orchestrations/part.yaml:2:8: unknown name 'nothing'\n")
    assert answers("/api/other") == "There is no such page."


def test_of_two_pages_for_one_route_the_first_answers(project: Project, answers: Answers) -> None:
    project.start(a=GOOD, b=GOOD.replace("shape: 1", "shape: 2"))
    assert answers("/api/good") == 1
    assert project.said == [
        "orchestrations/b.yaml:2:8: the route GET /api/good is taken\n"
        "route: GET /api/good\n"
        "       ^^^^^^^^^^^^^ orchestrations/a.yaml has it"
    ]


def test_a_broken_client_takes_down_the_pages_that_ask_it(project: Project, answers: Answers) -> None:
    project.write("clients/broken.py", "client = nobody\n")
    project.start(good=GOOD, page=asking("broken"), sound=asking("todos", "sound"))
    assert answers("/api/good") == 1
    assert answers("/api/sound") == 2
    said = "clients/broken.py:1:1: NameError: name 'nobody' is not defined\nclient = nobody\n^^^^^^^^^^^^^^^"
    assert answers("/api/page") == said
    assert project.said == [said]


def test_what_two_broken_clients_import_is_one_mistake(project: Project, answers: Answers) -> None:
    project.write("clients/_shared.py", "address = nobody\n")
    for name in ("one", "two"):
        project.write(f"clients/{name}.py", "from clients._shared import address\n")
    project.start(good=GOOD, page=asking("one"), other=asking("two", "other"))
    said = (
        "clients/_shared.py:1:1: NameError: name 'nobody' is not defined\naddress = nobody\n^^^^^^^^^^^^^^^^"
    )
    assert [answers("/api/page"), answers("/api/other"), answers("/api/good")] == [said, said, 1]
    assert project.said == [said]


def test_a_client_that_lacks_its_variable_takes_down_the_pages_that_ask_it(
    project: Project, answers: Answers
) -> None:
    project.write(
        "clients/far.py", "from bff import Client, env\n\nclient = Client(base_url=env('FAR_URL'))\n"
    )
    project.start(good=GOOD, page=asking("far"), other=asking("far", "other"))
    assert answers("/api/good") == 1
    assert "FAR_URL" in str(answers("/api/page"))
    assert len(project.said) == 1


def test_a_page_that_lacks_a_setting_is_down_alone(project: Project, answers: Answers) -> None:
    project.start(good=GOOD, private="route: GET /api/private\nshape: 1\n")
    assert answers("/api/good") == 1
    assert str(answers("/api/private")).startswith("BFF_SESSION_KEYS is not set")


@pytest.mark.parametrize("module", ["functions", "_dates"])
def test_broken_functions_for_all_take_down_the_pages_that_call_them(
    project: Project, answers: Answers, module: str
) -> None:
    project.write(f"orchestrations/{module}.py", "zone = nobody\n\ndef doubled(n):\n    return 2 * n\n")
    if module != "functions":
        project.write("orchestrations/functions.py", f"from orchestrations.{module} import doubled\n")
    project.write("orchestrations/own.py", "def tripled(n):\n    return 3 * n\n")
    own = "route: GET /api/own\nauth: none\nshape: tripled(len('a'))\n"
    project.start(good=GOOD, own=own, page="route: GET /api/page\nauth: none\nshape: doubled(1)\n")
    assert answers("/api/good") == 1
    assert answers("/api/own") == 3
    assert str(answers("/api/page")).startswith(f"orchestrations/{module}.py:1:1: NameError")


def test_broken_functions_of_a_page_take_down_that_page(project: Project, answers: Answers) -> None:
    project.write("orchestrations/page.py", "def half(\n")
    project.start(good=GOOD, page="route: GET /api/page\nauth: none\nshape: half(1)\n")
    assert answers("/api/good") == 1
    assert str(answers("/api/page")).startswith("orchestrations/page.py:1:9: SyntaxError")


def test_a_function_that_hides_the_librarys_takes_down_who_calls_it(
    project: Project, answers: Answers
) -> None:
    project.write("orchestrations/functions.py", "def len(n):\n    return 0\n")
    project.start(good=GOOD, page="route: GET /api/page\nauth: none\nshape: len('a')\n")
    assert answers("/api/good") == 1
    assert "hides the library's" in str(answers("/api/page"))


def test_a_reply_that_nothing_reads_is_a_warning(project: Project, answers: Answers) -> None:
    project.start(page=asking("todos").replace("2 if a is None else a", "2"))
    assert answers("/api/page") == 2
    assert project.said == [
        "orchestrations/page.yaml:5:3: nothing reads the reply of 'a'\n"
        "  a:\n"
        "  ^ use it in the shape or in another step, or remove it"
    ]
    assert project.told[0].down == ()


def test_a_warning_hides_no_mistake_of_the_whole(project: Project, answers: Answers) -> None:
    part = "auth: none\nsteps:\n  a:\n    client: todos\n    get: /a\n    fallback: null\nshape: 1\n"
    page = holding("part").replace("shape:", "  two:\n    recipe: nowhere\nshape:")
    project.start(part=part, page=page)
    assert str(answers("/api/page")).startswith("orchestrations/page.yaml:7:13: unknown recipe 'nowhere'")


def test_what_invalidates_a_broken_page_runs(project: Project) -> None:
    writes = (
        "route: POST /api/page\nauth: none\nsteps:\n  a:\n    client: todos\n    post: /a\n    fallback: null\n"
        "shape: 1\ninvalidates: [bad.x]\n"
    )
    bad = "route: GET /api/bad\nauth: none\nsteps:\n  x:\n    client: todos\n    get: /x\n    cache: 1m\nshape: y\n"
    client = project.start(page=writes, bad=bad)
    assert client.post("/api/page").json == 1


def test_a_client_that_sends_a_token_of_no_session_takes_down_the_pages_that_ask_it(
    project: Project, answers: Answers
) -> None:
    sends = 'from bff import Client, forward_token\nclient = Client("http://a.test", auth=forward_token("poeple"))\n'
    project.write("clients/own.py", sends)
    project.write("clients/people.py", sends.replace(', auth=forward_token("poeple")', ""))
    login = """
    route: POST /api/login
    auth: none
    steps: {made: {client: people, post: /login, safe: true}}
    session: {user: made.user, tokens: {people: made.token}}
    shape: 1
    """
    project.start(good=GOOD, login=login, page=asking("own").replace("none", "optional"))
    assert answers("/api/good") == 1
    assert str(answers("/api/page")).startswith("clients/own.py:2:39: no session holds a token 'poeple'\n")


def asking_graphql(file: str) -> str:
    return f"""
    route: GET /api/page
    auth: none
    steps:
      a:
        client: todos
        graphql: {file}
        fallback: null
    shape: 2 if a is None else a
    """


def test_a_document_is_followed_from_before_it_is_there(project: Project, answers: Answers) -> None:
    missing = "orchestrations/page.yaml:7:14: no file queries/a.graphql\n"
    project.start(good=GOOD, page=asking_graphql("queries/a.graphql"))
    assert str(answers("/api/page")).startswith(missing)
    assert answers("/api/good") == 1
    project.write("queries/a.graphql", "query { all( }")
    assert str(answers("/api/page")).startswith("queries/a.graphql:1:14: GraphQL: expected Name, found '}'\n")
    assert answers("/api/good") == 1
    project.write("queries/a.graphql", "query { all { id } }")
    assert answers("/api/page") == 2
    project.write("queries/a.graphql", "query ($id: ID!) { all(id: $id) { id } }")
    assert str(answers("/api/page")).startswith("orchestrations/page.yaml:7:5: the query needs $id: ID!\n")
