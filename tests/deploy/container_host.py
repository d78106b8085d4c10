"""What runs an image as a container runtime does, as far as Linux itself goes: its own root, user, PID 1, network,
no rights.

No image is pulled and none is built: the base is this machine's Python and /usr, read-only, and the rest is read from
the Containerfile. Neither this source tree nor anything else of the machine is in there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import requests

from clients.local.pocketbase import free_port
from tests.conftest import missing
from tests.deploy import network
from tests.leftovers import MARK
from tests.servers import PATIENCE

_ISOLATED = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child")
PATH = "/usr/local/bin:/usr/bin:/bin"
# In a mount namespace and as PID 1 of one of processes: a root of its own, with nothing in it that can be written.
_SCRIPT = """
set -eu
root=$1 python=$2 folder=$3 workdir=$4 user=$5; shift 5
mount -t tmpfs none "$root"
mkdir -p "$root/usr" "$root/proc" "$root/dev" "$root$workdir"
mount --bind /usr "$root/usr"; mount -o remount,ro,bind "$root/usr"
# Where the image's Python is, and where this one looks for its own library.
for place in /usr/local "$python"; do
  mkdir -p "$root$place"; mount --bind "$python" "$root$place"; mount -o remount,ro,bind "$root$place"
done
mount --bind "$folder" "$root$workdir"; mount -o remount,ro,bind "$root$workdir"
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
mount -t proc proc "$root/proc"
for name in null zero random urandom; do
  touch "$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"
done
mount -o remount,ro "$root"
exec chroot "$root" /usr/bin/setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all /usr/bin/env -i -C "$workdir" "$@"
"""


@dataclass(frozen=True)
class Image:
    """What a Containerfile says, and the files that go into the image."""

    base: str
    platform: str
    labels: Mapping[str, str]
    environ: Mapping[str, str]
    workdir: str
    user: str
    health: Sequence[str]
    stop_signal: str
    entrypoint: Sequence[str]
    command: Sequence[str]
    instructions: Sequence[str]
    files: Path


def image_of(folder: Path, files: Path) -> Image:
    """The image of a folder; what goes into it is moved to `files`, and what .dockerignore names is left."""
    ignored = (folder / ".dockerignore").read_text().split()
    assert (folder / ".containerignore").read_text().split() == ignored
    files.mkdir()
    for path in sorted(folder.iterdir()):
        if not any(fnmatch(path.name, pattern) for pattern in ignored):
            path.rename(files / path.name)
    return _read((folder / "Containerfile").read_text(), files)


def _read(text: str, files: Path) -> Image:
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.M)).splitlines()
    said: dict[str, list[str]] = {}
    for line in lines:
        name, _, rest = line.partition(" ")
        said.setdefault(name, []).append(rest)
    [base] = re.findall(r"^BASE=(\S+)$", "\n".join(said["ARG"]), re.M)
    [platform] = re.findall(r"^--platform=(\S+) \$\{BASE\}$", "\n".join(said["FROM"]), re.M)
    health = said["HEALTHCHECK"][0].partition("CMD ")[2]
    return Image(
        base,
        platform,
        dict(re.findall(r'(\S+?)="([^"]*)"', said["LABEL"][0])),
        dict(part.split("=", 1) for part in said["ENV"][0].split()),
        said["WORKDIR"][0],
        said["USER"][0],
        json.loads(health),
        said["STOPSIGNAL"][0],
        json.loads(said["ENTRYPOINT"][0]),
        json.loads(said["CMD"][0]),
        lines,
        files,
    )


@dataclass
class Container:
    """A running one; `log` is a file with all that it has said."""

    image: Image
    port: int
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its first process, by the number that it has outside."""
        [child] = self._children()
        return int(child)

    @property
    def has_begun(self) -> bool:
        """Whether there is a first process, and it has not ended."""
        return bool(self._children())

    def _children(self) -> list[str]:
        try:
            return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except OSError:
            return []

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Another command in it, as its own user."""
        uid, _, gid = self.image.user.partition(":")
        words = [
            "nsenter",
            f"--target={self.pid}",
            "--mount",
            "--pid",
            "--net",
            "--root",
            "--wd",
            f"--setuid={uid}",
        ]
        words += [f"--setgid={gid}", "/usr/bin/env", "-i", f"PATH={PATH}"]
        words += [f"{name}={value}" for name, value in {**self.image.environ, **environ}.items()]
        return subprocess.run([*words, *command], capture_output=True, text=True, timeout=PATIENCE)

    def stop(self) -> None:
        """Tell it to stop, as a runtime does."""
        os.kill(self.pid, signal.Signals[self.image.stop_signal])

    def wait(self) -> int:
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def running(
    image: Image, folder: Path, environ: Mapping[str, str], command: Sequence[str] | None = None
) -> Iterator[Container]:
    """Run an image on a free port, ready; `command` takes the place of its own, and `folder` holds root and log."""
    _needs_containers()
    port = free_port()
    (folder / "root").mkdir(parents=True, exist_ok=True)
    values = {"PATH": PATH, MARK: os.environ[MARK], **image.environ, **environ, "PORT": str(port)}
    words = [f"{name}={value}" for name, value in values.items()]
    words += [*image.entrypoint, *(image.command if command is None else command)]
    script = ["sh", "-c", _SCRIPT, "container", str(folder / "root"), sys.base_prefix]
    log = folder / f"container-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_ISOLATED, *script, str(image.files), image.workdir, image.user, *words],
            stdout=output,
            stderr=output,
        )
    container = Container(image, port, log, process)
    try:
        with _network(container, environ):
            _becomes_ready(container)
            yield container
    finally:
        _end(container)


@contextlib.contextmanager
def _network(container: Container, environ: Mapping[str, str]) -> Iterator[None]:
    """A network of its own, from which the backends that it is told of can be reached, and nothing else."""
    until = time.monotonic() + PATIENCE
    while not (container.has_begun and network.is_own(container.pid)):
        assert container.process.poll() is None and time.monotonic() < until, container.log.read_text()
        time.sleep(0.01)  # nothing tells that unshare has come so far
    network.begin(container.pid)
    ports = {int(port) for value in environ.values() for port in re.findall(r"//127\.0\.0\.1:(\d+)", value)}
    with contextlib.ExitStack() as stack:
        stack.enter_context(network.published(container.pid, container.port))
        for port in ports:
            stack.enter_context(network.reaching(container.pid, port))
        yield


def _end(container: Container) -> None:
    """Kill its first process, with which all in it end.

    Killing what has started it is not enough: whose user changes outlives its parent, whatever --kill-child says.
    """
    with contextlib.suppress(ProcessLookupError):
        if container.has_begun:
            os.kill(container.pid, signal.SIGKILL)
    container.process.kill()
    container.process.wait()


def _becomes_ready(container: Container) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert container.process.poll() is None, container.log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{container.url}/readyz", timeout=PATIENCE).status_code == 200:
                return
        time.sleep(0.01)  # leaves the processor to what is starting
    raise AssertionError(f"no answer from {container.url}: {container.log.read_text()}")


def _needs_containers() -> None:
    """Skips where a process may not be given a root of its own."""
    if os.geteuid() != 0:
        missing("needs root: the artefact runs in a root of its own, as another user")
    for program in ("chroot", "nsenter", "setpriv", "unshare"):
        if shutil.which(program) is None:
            missing(f"needs {program}: apt-get install util-linux")
    if subprocess.run([*_ISOLATED, "true"], capture_output=True).returncode:
        missing("needs namespaces of mounts and processes, which this machine does not give")
    if not (Path(sys.base_prefix) / "bin" / "python").exists():
        missing(f"needs {sys.base_prefix}/bin/python, as an image has it")
