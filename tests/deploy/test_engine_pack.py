"""The engine in one file: its modules are those of the files, and are found by whoever asks for modules."""

from __future__ import annotations

import marshal
import subprocess
import sys
from pathlib import Path

import pytest

from bff.deploy.engine_pack import PACK, packed
from bff.deploy.python import Python, running_python

ENGINE = {
    "bff/__init__.py": b'"""All of it."""\n__version__ = "1"\n\n\ndef __getattr__(name):\n    return name.upper()\n',
    "bff/__main__.py": b"import sys\n\nprint(sys.argv[1:])\n",
    "bff/web/__init__.py": b"from bff.web.door import OPEN\n",
    "bff/web/door.py": b"OPEN = 1\n\n\ndef shut():\n    return 1 / 0\n",
    "bff/web/words.json": b"{}",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, content in packed(ENGINE, running_python()).items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return tmp_path


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", "-B", *arguments], cwd=folder, capture_output=True, text=True, timeout=30
    )


def test_there_is_one_file_of_modules_and_one_that_reads_it() -> None:
    assert packed(ENGINE, running_python()).keys() == {"bff/__init__.pyc", PACK, "bff/web/words.json"}


def test_modules_and_packages_are_what_they_are_as_files(folder: Path) -> None:
    ask = (
        "import bff, bff.web, bff.web.door as door; "
        "print(bff.__version__, bff.anything, bff.web.OPEN, door.__name__, door.__package__, bff.web.__path__[0], "
        "door.__file__)"
    )
    done = ran(folder, "-c", ask)
    assert done.stdout.split() == [
        *("1", "ANYTHING", "1", "bff.web.door", "bff.web"),
        *(str(folder / "bff/web"), str(folder / "bff/web/door.py")),
    ], done.stderr


def test_it_runs_as_a_command(folder: Path) -> None:
    assert ran(folder, "-m", "bff", "serve").stdout == "['serve']\n"


def test_a_traceback_names_module_line_and_function(folder: Path) -> None:
    done = ran(folder, "-c", "from bff.web.door import shut; shut()")
    assert 'File "bff/web/door.py", line 5, in shut' in done.stderr
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_a_module_that_there_is_not_is_missed_by_its_name(folder: Path) -> None:
    done = ran(folder, "-c", "import bff.none")
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'bff.none'\n")


def test_the_same_modules_are_the_same_bytes() -> None:
    again = {"".join(path): bytes(bytearray(content)) for path, content in reversed(ENGINE.items())}
    assert packed(ENGINE, running_python()) == packed(again, running_python())


def test_a_pack_is_read_by_every_python() -> None:
    found = marshal.loads(packed(ENGINE, running_python())[PACK])
    assert sorted(found) == ["bff", "bff.__main__", "bff.web", "bff.web.door"]
    assert {name: is_package for name, (is_package, _) in found.items() if is_package} == {
        "bff": True,
        "bff.web": True,
    }


def test_without_bytecode_the_files_stay_as_they_are() -> None:
    assert packed(ENGINE, Python("3.99", None)) == ENGINE
