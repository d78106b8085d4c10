"""The part `static`: index.html under `ab -l -n 1000 -c 200`, beside Express static."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import replace

from benchmarks.lineup import BFF, EXPRESS_FETCH, ROOT, Peer
from benchmarks.machine import cores, pinned
from benchmarks.measuring import middle
from benchmarks.parts import Rows, Run
from benchmarks.servers import Server, ask, backend, serving

EXPRESS_STATIC = replace(
    EXPRESS_FETCH,
    name="express-static",
    title="Express 5 static",
    environ={**EXPRESS_FETCH.environ, "PUBLIC": str(ROOT / "public")},
)
_PATH = "/index.html"


class AbFailed(ValueError):
    """What ab said when it gave no figures."""


def run(this: Run) -> Rows:
    """Requests a second and failed requests of both, in turns."""
    if shutil.which("ab") is None:
        this.fail("static: ab is not there (Debian's apache2-utils)")
        return []
    found: dict[str, Rows] = defaultdict(list)
    failed: dict[str, int] = defaultdict(int)
    with backend() as asked:
        for _ in this.each_round():
            for peer in this.installed([BFF, EXPRESS_STATIC]):
                with this.attempt(), serving(peer, "same", asked.at_once) as server:
                    if not _checked(this, peer, server):
                        continue
                    _asked(server, 1000)  # the first thousand warm it up
                    rate, wrong = _asked(server, 1000)
                    found[peer.name].append({"requests_per_s": rate})
                    failed[peer.name] += wrong
                    this.say(f"    {peer.name:16}{rate:>8.0f}/s, {wrong} failed")
    return [
        {"name": name, **middle(rounds, ["requests_per_s"]), "failed": failed[name]}
        for name, rounds in found.items()
    ]


def _checked(this: Run, peer: Peer, server: Server) -> bool:
    answer = ask(server.port, _PATH)
    if answer.status == 200 and answer.body == (ROOT / "public" / "index.html").read_bytes():
        return True
    this.fail(f"{peer.name}: {_PATH} is {answer.status} with {len(answer.body)} bytes")
    return False


def _asked(server: Server, times: int) -> tuple[float, int]:
    command = ["ab", "-l", "-q", "-n", str(times), "-c", "200", f"http://127.0.0.1:{server.port}{_PATH}"]
    with pinned(cores().others):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise AbFailed(f"ab on {server.peer.name}: {(done.stderr or done.stdout).strip()[-200:]}")
    return figures_of(done.stdout)


def figures_of(text: str) -> tuple[float, int]:
    """Requests a second and requests that failed or were no 2xx, from what ab prints; raises AbFailed."""
    rate = re.search(r"^Requests per second: +([\d.]+)", text, re.M)
    failed = re.search(r"^Failed requests: +(\d+)", text, re.M)
    if rate is None or failed is None:
        raise AbFailed(f"ab printed no figures: {text[:200]!r}")
    others = re.search(r"^Non-2xx responses: +(\d+)", text, re.M)
    return float(rate[1]), int(failed[1]) + (int(others[1]) if others else 0)
