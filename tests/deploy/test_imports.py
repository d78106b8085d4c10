"""What a bundle takes for an import: every statement that can run, wherever it stands."""

from __future__ import annotations

import ast

import pytest

from bff.deploy import imports
from bff.deploy.imports import engine_files, imported_from

EVERYWHERE = """
import at_top.inner
from os import path
if x:
    import in_if
elif y:
    import in_elif
else:
    import in_else
try:
    import in_try
except ImportError:
    import in_except
else:
    import in_try_else
finally:
    import in_finally
for _ in x:
    import in_loop
while x:
    import in_while
else:
    import in_while_else
with x:
    import in_with
match x:
    case 1:
        import in_case
class A:
    import in_class
    async def method(self):
        def inner():
            import in_function
"""


def test_an_import_counts_wherever_it_stands() -> None:
    names = "top if elif else try except try_else finally loop while while_else with case class function"
    found = {f"in_{name}" for name in names.split()} - {"in_top"}
    assert imported_from({"a.py": EVERYWHERE.encode()}) == {"at_top", "os", *found}


def test_what_is_for_types_alone_does_not_count_and_what_stands_in_its_place_does() -> None:
    source = b"if TYPE_CHECKING:\n    import typed\nelse:\n    import plain\n"
    assert imported_from({"a.py": source}) == {"plain"}


def test_a_relative_import_is_of_the_file_s_own_package() -> None:
    assert imported_from({"a.py": b"from . import near\nfrom .near import x\n"}) == set()


def test_a_file_is_read_once_for_all_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    parse = ast.parse
    monkeypatch.setattr(imports.ast, "parse", lambda source: read.append(source) or parse(source))
    source = b"import only_in_this_test\n"
    for _ in range(2):
        assert imported_from({"a.py": source, "b.py": source}) == {"only_in_this_test"}
    assert read == [source]


@pytest.mark.parametrize("serves", [False, True])
def test_what_explains_recipes_is_in_no_bundle(serves: bool) -> None:
    found = {path for path in engine_files(serves=serves) if "explain" in path}
    commands = {f"bff/cli/{name}.py" for name in ("eval", "explain", "graph", "routes")}
    assert found | (commands & engine_files(serves=serves).keys()) == set()
