"""Every page as a process of its own from its own bundle, behind an nginx that serves the files itself."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bff.settings import Settings
from bff.web.frame import security_headers
from tests.nginx import KEEPS_NO_CONNECTION, PASSES_ON, Nginx
from tests.scale.access import AccessLog
from tests.scale.activator import Activator
from tests.scale.bundles import Route, build, routes, writable_again
from tests.scale.kills import Kill, kill
from tests.servers import PATIENCE, Layer

_TYPES = "text/html html; text/css css; application/javascript js; image/svg+xml svg;"
_HOLE = re.compile(r"\{\w+\}")


class Pages:
    """The app in as many processes as it has pages; `processes` has that of each page by name.

    Where nobody listens any more, a request waits until somebody does again.
    """

    def __init__(self, backend_url: str, folder: Path, **environ: str) -> None:
        self.routes = routes()
        self.whole = build(folder / "all", "--all")
        self.bundles = {name: build(folder / name, name) for name in self.routes}
        self.nginx = Nginx(folder)
        self.log = AccessLog(self.nginx.log)
        self.ended: list[Layer] = []
        self._folder = folder
        self._backend_url = backend_url
        self._environ = environ
        self._activator = Activator()
        self._doors: dict[str, int] = {}
        self._made: list[Layer] = []
        # A child ends with the thread that began it: this one lives as long as all of them.
        self._begins = ThreadPoolExecutor(1)
        self.processes = {name: self._new(name) for name in self.routes}

    @property
    def url(self) -> str:
        return self.nginx.url

    @property
    def doors(self) -> set[int]:
        """The ports at which requests wait for a page."""
        return set(self._doors.values())

    def start(self) -> None:
        """Start all at once, and wait until they answer."""
        for process in self.processes.values():
            self._begin(process)
        for process in self.processes.values():
            process.wait()
        self._activator.start()
        self._doors = {name: self._activator.door(self._port_of(name)) for name in self.processes}
        self.nginx.start(self._http(), self._server())

    def stop(self) -> None:
        self.nginx.stop()
        for made in self._made:
            if made.process is not None and made.process.poll() is None:
                made.kill()
        self._begins.shutdown()
        self._activator.stop()
        for bundle in (self.whole, *self.bundles.values()):
            writable_again(bundle)

    def restart(self, name: str) -> None:
        """Put a new process in a page's place: it is started, requests go to it, the old one is told to stop."""
        old, new = self.processes[name], self._new(name)
        self._begin(new)
        new.wait()
        self.processes[name] = new
        self.ended.append(old)
        self.nginx.change(self._http(), self._server())
        assert old.process is not None
        old.process.terminate()

    def kill(self, name: str, hangs_for: float) -> Kill:
        """Kill a page's process in the middle of what it does, and start it again on its port."""
        process = self.processes[name]
        struck = kill(process, hangs_for)
        self._begin(process)
        return struck

    def _new(self, name: str) -> Layer:
        made = self.bundles[name].instance(self._backend_url, self._folder, **self._environ)
        self._made.append(made)
        return made

    def _begin(self, process: Layer) -> None:
        self._begins.submit(process.begin).result()

    def _port_of(self, name: str) -> Callable[[], int]:
        return lambda: self.processes[name].port

    def _http(self) -> str:
        upstreams = [
            f"upstream {name} {{ server 127.0.0.1:{process.port} max_fails=0;"
            f" server 127.0.0.1:{self._doors[name]} backup max_fails=0; }}"
            for name, process in self.processes.items()
        ]
        return "\n".join([_map_of(self.routes), *upstreams])

    def _server(self) -> str:
        headers = security_headers(Settings()).items()
        always = " ".join(f'add_header {name} "{value}" always;' for name, value in headers)
        return f"""
            {KEEPS_NO_CONNECTION}
            location /api/ {{
                access_log {self.nginx.log} line;
                proxy_pass http://$page; {PASSES_ON} proxy_next_upstream error;
            }}
            location / {{
                root {self.whole.folder}/public; types {{ {_TYPES} }} charset utf-8;
                {always} add_header Cache-Control no-cache always;
                try_files $uri /index.html;
            }}"""


def _map_of(routes: Mapping[str, Route]) -> str:
    """Which page a method and a path are; what is none is told so by any of them."""
    lines = [f"default {min(routes)};"]
    for name, route in routes.items():
        methods = "GET|HEAD|OPTIONS" if route.method == "GET" else f"{route.method}|OPTIONS"
        path = "[^/]+".join(re.escape(part) for part in _HOLE.split(route.path))
        lines.append(f'"~^({methods}) {path}$" {name};')
    return 'map "$request_method $uri" $page { ' + " ".join(lines) + " }"


@contextlib.contextmanager
def restarted_in_turn(pages: Pages, every: float, names: Sequence[str] = ()) -> Iterator[None]:
    """Within the block one page after the other, or of some, gets a new process, one each so many seconds."""
    over = threading.Event()

    def restart() -> None:
        while True:
            for name in names or pages.routes:
                if over.wait(every):
                    return
                pages.restart(name)

    with ThreadPoolExecutor(1) as pool:
        restarting = pool.submit(restart)
        try:
            yield
        finally:
            over.set()
        restarting.result(PATIENCE)
    for process in pages.ended:
        assert process.process is not None
        assert process.process.wait(PATIENCE) == 0, process.log.read_text()
