"""How long a function takes to start: its own files, where they were written, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bff.deploy import Function, Target
from bff.deploy.layers import INSIDE

_TRIES = 3
_ASK = """
import sys, time
begun = time.perf_counter()
sys.path[:0] = sys.argv[2:]
__import__(sys.argv[1])
print(round((time.perf_counter() - begun) * 1000))
"""


def start_time(function: Function, target: Target, own: Path, layers: Sequence[Path]) -> str:
    """The shortest of a few imports of what the host imports, the app made, in ms; Python's own start is not in it.

    `own` is the folder of the function as it was written, `layers` are those of its layers.
    """
    from cryptography.fernet import Fernet

    bundle = function.bundle
    environ = {name: default or bundle.stand_ins.get(name, "") for name, default in bundle.variables.items()}
    if "BFF_SESSION_KEYS" in environ:
        environ["BFF_SESSION_KEYS"] = Fernet.generate_key().decode()
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "PYTHON"))}
    # Without -S and site-packages only what is vendored could be found: that it is whole, the start proves.
    flags = ["-B", *(["-S"] if target.need.vendored else [])]
    places = [own, own / target.need.site, *(layer / INSIDE for layer in layers)]
    command = [sys.executable, *flags, "-c", _ASK, target.starts, *map(os.fspath, places)]
    found = []
    for _ in range(_TRIES):
        done = subprocess.run(command, cwd=own, env=plain | environ, capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["nothing"]
            return f"fails: {said[-1]}"
        found.append(int(done.stdout.split()[-1]))
    return f"{min(found)} ms"
