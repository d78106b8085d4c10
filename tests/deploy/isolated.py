"""Built folders run as on their hosts: read-only, by a bare Python, with the project's sources out of reach."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from clients.local.pocketbase import start_child, stop_child
from tests.conftest import missing
from tests.servers import ROOT, until_answers

# Without -S the packages of the Python that runs the tests could be found: only what is vendored may be.
BARE = (str(Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")), "-S", "-B")
_SOURCES = ("bff", "clients", "orchestrations", "tests")
_MOUNT = """
mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" || exit 99
for hidden in $2; do mount -t tmpfs none "$hidden" || exit 99; done
if touch "$1/written" 2>/dev/null; then exit 98; fi
shift 2
exec "$@"
"""


def isolated(folder: Path, command: Sequence[str]) -> list[str]:
    """The command that runs another in this folder, which it cannot write, while the sources are not there."""
    own = [shutil.which("unshare") or "unshare", "--user", "--map-root-user", "--mount"]
    if not Path(own[0]).is_file() or subprocess.run([*own, "true"], capture_output=True).returncode:
        missing("needs unshare with mounts: a kernel that lets users make namespaces")
    hidden = " ".join(str(ROOT / name) for name in _SOURCES)
    return [*own, "sh", "-c", _MOUNT, "isolated", str(folder), hidden, *command]


def environ_for(variables: Mapping[str, str]) -> dict[str, str]:
    """A host's environment: nothing of the caller's but PATH, and these."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **variables}


@contextlib.contextmanager
def serving(
    folder: Path, command: Sequence[str], port: int, variables: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A server of a built folder, from when it answers until the end of the block."""
    with log.open("ab") as output:
        process = start_child(
            isolated(folder, command), cwd=folder, env=environ_for(variables), stdout=output, stderr=output
        )
    try:
        until_answers(f"http://127.0.0.1:{port}/healthz", process, log)
        yield process
    finally:
        stop_child(process)
