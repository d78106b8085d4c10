"""The engine of a lean bundle in one file: to find, open and read two hundred modules takes longer than to run them."""

from __future__ import annotations

import marshal
import sys
from collections.abc import Mapping
from typing import Final

from bff.deploy.python import Python

PACK: Final = "bff/engine.pack"
_INIT: Final = "bff/__init__.py"
_HEAD: Final = 16
"""Bytes of a file of bytecode before its code."""

_LOADER: Final = '''"""The engine, whose modules stand in engine.pack beside this file. Written by `bff build`."""

import marshal
import sys


class _Engine:
    """Finds and loads the modules of the engine; each is read when it is imported first."""

    def __init__(self, folder, kind):
        self._folder, self._kind = folder, kind
        with open(folder + "/engine.pack", "rb") as file:
            self._modules = marshal.loads(file.read())

    def find_spec(self, name, path=None, target=None):
        found = self._modules.get(name)
        if found is None:
            return None
        is_package, _ = found
        place = self._folder + name[3:].replace(".", "/")
        spec = self._kind(name, self, origin=place + ("/__init__.py" if is_package else ".py"))
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [place]
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(module.__name__), vars(module))

    def get_code(self, name):
        return marshal.loads(self._modules[name][1])

    def is_package(self, name):
        return self._modules[name][0]


_engine = _Engine(__path__[0], type(__spec__))
sys.meta_path.insert(0, _engine)
exec(_engine.get_code("bff"))
'''


def packed(engine: Mapping[str, bytes], python: Python) -> dict[str, bytes]:
    """The files of the engine by path: one with its modules, and one that reads it; as they are without bytecode."""
    if not python.has_bytecode:
        return dict(engine)
    modules: dict[str, tuple[bool, bytes]] = {}
    found = {}
    for path, content in python.as_bytecode(engine).items():
        name, is_module = path.removesuffix(".pyc").replace("/", "."), path.endswith(".pyc")
        if is_module:
            is_package = name.endswith(".__init__")
            modules[sys.intern(name.removesuffix(".__init__"))] = is_package, content[_HEAD:]
        else:
            found[path] = content
    found |= python.as_bytecode({_INIT: _LOADER.encode()})
    # Version 2 tells of no object that it is another one, and of all names that they are interned: the same bytes.
    found[PACK] = marshal.dumps(dict(sorted(modules.items())), 2)
    return found
