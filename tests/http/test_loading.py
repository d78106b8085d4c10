"""Libraries that are loaded when they are needed first, by several threads at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A thread is in the middle of loading the whole of a library, and goes on when another waits for that.
_AT_ONCE = """
import sys, threading, time
from importlib import _bootstrap
from importlib.machinery import PathFinder
import bff.http

library, asked = sys.argv[1:]
failed = []

def load():
    try:
        exec(asked)
    except BaseException as error:
        failed.append(error)

class InTheMiddle:
    def find_spec(self, name, path=None, target=None):
        if name != library:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path)
        load_it = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (let_the_other_wait(), load_it(module))
        return spec

def let_the_other_wait():
    other.start()
    while other.is_alive() and not _bootstrap._blocking_on.get(other.ident):
        time.sleep(0.001)

other = threading.Thread(target=load)
assert library not in sys.modules
sys.meta_path.insert(0, InTheMiddle())
__import__(library)
other.join()
assert not failed, failed
"""


@pytest.mark.parametrize(
    ("library", "asked"),
    [
        ("requests", "import bff.http.stock.connections"),
        ("requests", "import bff.http.stock.streaming"),
        ("requests", "import bff.http.sockets.tls"),
        ("requests", "from bff.http.proxies import proxies_of; proxies_of('http://a.test')"),
        ("urllib3", "from bff.http.decoding import _of_urllib3; _of_urllib3('br')"),
    ],
)
def test_threads_that_load_a_library_at_once_meet_no_half_of_it(library: str, asked: str) -> None:
    subprocess.run([sys.executable, "-c", _AT_ONCE, library, asked], check=True, timeout=60)
