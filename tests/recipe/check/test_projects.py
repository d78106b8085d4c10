"""Mistakes in more than one file: routes, clients, functions, strays."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.errors import OperatorError
from bff.recipe.check import check_folder
from tests.recipe.check.conftest import Check

PAGE = "route: GET /page\nauth: none\nshape: 1\n"


@pytest.mark.parametrize(
    ("one", "other"), [("/a", "/a"), ("/a/{x}", "/a/{y}"), ("/a/{x}/b/{y}", "/a/{y}/b/{x}")]
)
def test_two_recipes_cannot_have_one_route(one: str, other: str, check: Check) -> None:
    (printed,) = check(
        {
            "orchestrations/a.yaml": f"route: GET {one}\nauth: none\nshape: 1\n",
            "orchestrations/b.yaml": f"route: GET {other}\nauth: none\nshape: 1\n",
        }
    )
    assert printed == (
        f"orchestrations/b.yaml:1:8: the route GET {other} is taken\n"
        f"route: GET {other}\n       {'^' * len('GET ' + other)} orchestrations/a.yaml has it"
    )


@pytest.mark.parametrize(
    ("one", "other"), [("GET /a", "POST /a"), ("GET /a/{x}", "GET /a/new"), ("GET /a", "GET /a/{x}")]
)
def test_routes_that_differ_are_fine(one: str, other: str, check: Check) -> None:
    files = {
        "orchestrations/a.yaml": f"route: {one}\nauth: none\nshape: 1\n",
        "orchestrations/b.yaml": f"route: {other}\nauth: none\nshape: 1\n",
    }
    assert check(files) == []


def test_a_route_of_the_layer_itself_is_taken(check: Check) -> None:
    (printed,) = check({"orchestrations/page.yaml": "route: GET /healthz\nauth: none\nshape: 1\n"})
    assert printed.startswith("orchestrations/page.yaml:1:8: /healthz is answered by the layer\n")


def test_all_problems_of_all_files_come_in_their_order(check: Check) -> None:
    printed = check(
        {
            "clients/broken.py": "client = 1 / 0\n",
            "orchestrations/b.yaml": "route: GET /b\nauth: none\nshape: me\n",
            "orchestrations/a.yaml": "route: GET /a\nauth: none\nshape: [&x 1, you, she ||]\n",
        }
    )
    assert [text.split(": ")[0] for text in printed] == [
        "clients/broken.py:1:1",
        "orchestrations/a.yaml:3:9",
        "orchestrations/a.yaml:3:15",
        "orchestrations/a.yaml:3:24",
        "orchestrations/b.yaml:3:8",
    ]


def test_an_exception_in_a_client_is_told_at_its_line(check: Check) -> None:
    printed = check(
        {
            "orchestrations/page.yaml": PAGE.replace(
                "shape: 1", "steps:\n  a: {client: broken, get: /a}\nshape: a"
            ),
            "clients/_inner.py": "def url():\n    raise LookupError('no such thing')\n",
            "clients/broken.py": "from clients._inner import url\n\nclient = url()\n",
        }
    )
    assert printed == [
        "clients/_inner.py:2:5: LookupError\n"
        "    raise LookupError('no such thing')\n"
        "    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ what it says is left out: that may be a secret"
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("int(os.environ['NOTES_KEY'])", "ValueError"),
        ("{}[os.environ['NOTES_KEY']]", "KeyError"),
        ("os.environ['NOTES_KEI']", "KeyError: 'NOTES_KEI'"),
        ("os.environ['NOTES_KEY'] + 1", 'TypeError: can only concatenate str (not "int") to str'),
        ("Client(base_url='//' + os.environ['NOTES_KEY'])", "ValueError: base_url must begin with "),
    ],
)
def test_an_exception_in_a_client_tells_nothing_that_it_has_read(
    line: str, told: str, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTES_KEY", "s3cret")
    (printed,) = check(
        {
            "orchestrations/page.yaml": PAGE,
            "clients/notes.py": f"import os\nfrom bff import Client\nclient = {line}\n",
        }
    )
    assert printed.startswith(f"clients/notes.py:3:1: {told}")
    assert "s3cret" not in printed


KEPT = "steps:\n  todos: {client: todos, get: /todos, cache: 10s}\nshape: todos\n"


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (f"route: GET /kept\nauth: none\n{KEPT} wrong: 1\n", "kept.yaml:6:7: a key where no key can stand"),
        (f"route: GET /kept\nauth: none\n{KEPT}shape\n", "kept.yaml:6:1: no ':' after this key"),
        (f"route: GET /kept\nauth: none\n{KEPT}".replace("todos:", "tods:"), "kept.yaml:5:8: unknown name"),
        (f"route: GET /kept\nauth: none\n{KEPT}".replace("steps:", "stesp:"), "kept.yaml:3:1: unknown key"),
    ],
)
def test_one_slip_in_a_recipe_is_no_mistake_of_those_that_name_it(kept: str, told: str, check: Check) -> None:
    writing = (
        "auth: none\ninvalidates: [kept.todos]\nsteps: {made: {client: todos, post: /todos}}\nshape: made\n"
    )
    (printed,) = check(
        {
            "orchestrations/kept.yaml": kept,
            "orchestrations/add.yaml": f"route: POST /add\n{writing}",
            "orchestrations/change.yaml": f"route: POST /change\n{writing}",
            "orchestrations/holds.yaml": "route: GET /holds\nauth: none\nsteps: {kept: {recipe: kept}}\nshape: kept\n",
        }
    )
    assert printed.startswith(f"orchestrations/{told}")


@pytest.mark.parametrize(
    ("argument", "cure"),
    [("timout", "did you mean 'timeout'?"), ("zzz", "it takes: base_url, auth, timeout, ")],
)
def test_an_argument_that_a_client_does_not_take_is_told(argument: str, cure: str, check: Check) -> None:
    text = f"from bff import Client\nclient = Client('http://a.test', {argument}='1s')\n"
    (printed,) = check({"orchestrations/page.yaml": PAGE, "clients/notes.py": text})
    told, source, carets = printed.split("\n")
    assert told == (
        f"clients/notes.py:2:1: TypeError: Client.__init__() got an unexpected keyword argument '{argument}'"
    )
    assert carets.startswith(f"{'^' * len(source)} {cure}")


def test_what_functions_give_that_could_not_be_loaded_is_nothing_to_say(check: Check) -> None:
    page = "route: GET /page\nauth: none\nsteps: {rows: {value: 'rows_of(1)'}}\nshape: {each: r in rows, item: r.id}\n"
    (printed,) = check({"orchestrations/page.yaml": page, "orchestrations/functions.py": "import nowhere\n"})
    assert printed.startswith(
        "orchestrations/functions.py:1:1: ModuleNotFoundError: No module named 'nowhere'"
    )


def test_a_syntax_error_in_a_client_is_told_at_its_column(check: Check) -> None:
    (printed,) = check({"orchestrations/page.yaml": PAGE, "clients/broken.py": "x = 1\nclient = Client(\n"})
    assert (
        printed
        == "clients/broken.py:2:16: SyntaxError: '(' was never closed\nclient = Client(\n               ^"
    )


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (
            "x = 1\n",
            "clients/broken.py:1:1: no name 'client' in this module; it holds: client = Client(base_url=…)",
        ),
        (
            "client = 'x'\n",
            "clients/broken.py:1:1: 'client' is str in this module; it holds: client = Client(base_url=…)",
        ),
        ("import sys\nsys.exit(3)\n", "clients/broken.py:2:1: SystemExit\nsys.exit(3)\n^^^^^^^^^^^"),
        (
            "from bff import Client\nclient = Client(base_url='ftp://x')\n",
            "clients/broken.py:2:1: ",
        ),
    ],
)
def test_a_module_without_a_client_is_told(text: str, printed: str, check: Check) -> None:
    (found,) = check({"orchestrations/page.yaml": PAGE, "clients/broken.py": text})
    assert found.startswith(printed)


def test_functions_that_cannot_be_called_are_told_at_their_names(check: Check) -> None:
    printed = check(
        {
            "orchestrations/page.yaml": PAGE,
            "orchestrations/page.py": """
                from functools import cache

                @cache
                def due(x): ...

                def lower(text):
                    return text

                def quote_like(text): ...

                async def later(): ...
                """,
        }
    )
    assert printed == [
        "orchestrations/page.py:6:5: function 'lower' hides the library's lower(text)\n"
        "def lower(text):\n    ^^^^^ rename it",
        "orchestrations/page.py:9:5: function 'quote_like' hides that of the clients\n"
        "def quote_like(text): ...\n    ^^^^^^^^^^ rename it",
        "orchestrations/page.py:11:11: function 'later' is async\n"
        "async def later(): ...\n          ^^^^^ expressions wait for nothing; ask a backend in a step",
    ]


def test_a_broken_module_of_functions_makes_no_function_unknown(check: Check) -> None:
    printed = check(
        {
            "orchestrations/page.yaml": PAGE.replace("shape: 1", "shape: due_in(query)"),
            "orchestrations/page.py": "import nothing_of_this_name\n",
        }
    )
    assert [text.split("\n")[0] for text in printed] == [
        "orchestrations/page.py:1:1: ModuleNotFoundError: No module named 'nothing_of_this_name'"
    ]


def test_functions_belong_to_their_page(check: Check) -> None:
    use = PAGE.replace("shape: 1", "shape: mine(1)")
    (printed,) = check(
        {
            "orchestrations/page.yaml": use,
            "orchestrations/other.yaml": use.replace("/page", "/other"),
            "orchestrations/page.py": "def mine(x):\n    return x\n",
        }
    )
    assert printed.startswith("orchestrations/other.yaml:3:8: unknown function 'mine'\n")


def test_files_that_nobody_reads_are_told(check: Check) -> None:
    printed = check(
        {
            "orchestrations/home.yaml": PAGE,
            "orchestrations/other.yml": PAGE,
            "orchestrations/admin/users.yaml": PAGE,
            "orchestrations/functions.yaml": PAGE.replace("/page", "/functions"),
            "orchestrations/hom.py": "",
            "orchestrations/_shared.py": "",
            "orchestrations/my page.yaml": PAGE.replace("/page", "/my"),
        }
    )
    assert printed == [
        "orchestrations/admin/users.yaml:1:1: is not read; a recipe is a file orchestrations/name.yaml",
        "orchestrations/functions.yaml:1:1: a recipe cannot be named 'functions': functions.py is for all recipes",
        "orchestrations/hom.py:1:1: no recipe hom.yaml calls these functions; did you mean home.py?  "
        "those for all stand in functions.py",
        "orchestrations/my page.yaml:1:1: a recipe's name is a letter, then letters, digits, _ and -",
        "orchestrations/other.yml:1:1: is not read; a recipe is a file orchestrations/name.yaml",
    ]


def test_only_the_pages_asked_for_are_checked(root: Path) -> None:
    (root / "orchestrations" / "good.yaml").write_text(PAGE)
    (root / "orchestrations" / "bad.yaml").write_text("rout: 1")
    project, findings = check_folder(root, ["good"])
    assert findings == []
    assert list(project.recipes) == ["good"]


def test_a_page_that_is_not_there_names_those_that_are(root: Path) -> None:
    (root / "orchestrations" / "home.yaml").write_text(PAGE)
    with pytest.raises(OperatorError) as caught:
        check_folder(root, ["hom"])
    assert str(caught.value) == "no recipe orchestrations/hom.yaml; did you mean home?  there are: home"


def test_a_folder_without_recipes_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no folder orchestrations/ in"):
        check_folder(tmp_path)


def test_what_may_run_is_what_the_environment_allows_and_at_least_the_default(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = """
        route: GET /page
        auth: none
        input: {query: {id: {type: array, maxItems: 300, items: {type: string}}}}
        steps:
          todos: {client: todos, each: id in query.id, get: "/todos/{id}"}
        shape: todos
        """
    assert "an each over up to 300 items" in check({"orchestrations/page.yaml": recipe})[0]
    monkeypatch.setenv("BFF_MAX_EACH", "300")
    assert "this page could make 300 requests" in check({"orchestrations/page.yaml": recipe})[0]
    monkeypatch.setenv("BFF_MAX_REQUESTS", "300")
    assert check({"orchestrations/page.yaml": recipe}) == []
    monkeypatch.setenv("BFF_MAX_EACH", "5")
    assert check({"orchestrations/page.yaml": recipe.replace("300", "100")}) == []


def test_the_signature_of_a_function_tells_no_default_that_may_be_a_secret(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTES_KEY", "s3cret")
    printed = check(
        {
            "orchestrations/page.yaml": """
                route: GET /page
                auth: none
                shape:
                  name: signed
                  call: signed(1, 2, 3, 4)
                """,
            "orchestrations/page.py": """
                import os

                def signed(text, key=os.environ["NOTES_KEY"], times=2):
                    return text
                """,
        }
    )
    assert printed == [
        "orchestrations/page.yaml:4:9: 'signed' is a function\n"
        "  name: signed\n"
        "        ^^^^^^ call it: signed(text, key=…, times=2)",
        "orchestrations/page.yaml:5:9: signed: too many positional arguments\n"
        "  call: signed(1, 2, 3, 4)\n"
        "        ^^^^^^^^^^^^^^^^^^ it is signed(text, key=…, times=2)",
    ]


SIGN_IN = """
    route: POST /login
    auth: none
    steps: {made: {client: todos, post: /login, safe: true}}
    session: {user: made.user, tokens: {people: made.token}}
    shape: 1
"""


def test_a_client_that_sends_a_token_of_no_session_is_told(check: Check) -> None:
    sends = (
        'from bff import Client, forward_token\n\nclient = Client("http://a.test", auth=forward_token({}))\n'
    )
    (printed,) = check(
        {
            "clients/account.py": sends.format("'people'"),
            "clients/own.py": sends.format("'poeple'"),
            "clients/other.py": sends.format("'other', bearer=True"),
            "clients/unused.py": sends.format("'unused'"),
            "orchestrations/login.yaml": SIGN_IN,
            "orchestrations/own.yaml": PAGE.replace(
                "shape: 1",
                "steps:\n  a: {client: own, get: /a}\n  b: {client: account, get: /b}\n"
                "  c: {client: other, get: /c}\nshape: [a, b, c]",
            ).replace("none", "optional"),
        }
    )
    assert printed == (
        "clients/own.py:3:39: no session holds a token 'poeple'\n"
        "client = Client(\"http://a.test\", auth=forward_token('poeple'))\n"
        "                                      ^^^^^^^^^^^^^^^^^^^^^^ "
        "did you mean 'people'?  session: tokens of recipes has: people"
    )


def test_where_no_recipe_gives_a_token_any_name_may_be_sent(check: Check) -> None:
    asks = PAGE.replace("shape: 1", "steps: {a: {client: account, get: /a}}\nshape: a")
    assert check({"orchestrations/page.yaml": asks}) == []
