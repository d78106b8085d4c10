"""`bff dev`: one process that serves a project, follows its files and tells its author what goes on."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet
from msgspec import Struct
from msgspec.structs import replace
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from bff.dev.application import DevApp, project_path
from bff.dev.asking import Visitor
from bff.dev.beside import Beside
from bff.dev.learning import Learner
from bff.dev.lines import DevLog
from bff.dev.pages import DevPages, Told
from bff.dev.rows import FILE, Rows
from bff.dev.rows import PORT as ROWS_PORT
from bff.errors import Finding, OperatorError
from bff.text import counted
from bff.traces import trace_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"
_EVERY = 0.4
"""Seconds between two looks at the files, while nobody asks for a page."""


class Wanted(Struct, frozen=True):
    """What `bff dev` is asked for; `run` is a shell line, '' for none, `visitor` who asks without having signed in.

    With `learn` it writes down of which types replies are.
    """

    port: int = 5000
    run: str = ""
    visitor: Visitor | None = None
    learn: bool = True


class Terminal(Struct, frozen=True):
    """Where the author reads: a line as it is, and a mistake as `check` prints it."""

    write: Callable[[str], None]
    show: Callable[[Finding], None]

    def tell(self, told: Told) -> None:
        """Say what a load has found."""
        for one in told.new:
            if isinstance(one, str):
                self.write(one)
            else:
                self.show(replace(one, message=f"warning: {one.message}") if one.mild else one)
        if told.down:
            self.write(f"cannot run: {', '.join(told.down)}")
        elif told.mended:
            self.write("every page can run again")


class _Handler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Says nothing: the app's own lines say more."""


def serve(root: Path, wanted: Wanted, terminal: Terminal) -> int:
    """Serve until it is stopped (0), or the command beside it ends (1); raises OperatorError where it cannot."""
    folder = root.resolve()
    try:
        listening = _listen(wanted.port)
    except OSError as error:
        raise OperatorError(
            f"cannot listen on {HOST}:{wanted.port}: {error.strerror}; --port names another"
        ) from None
    theirs = dict(os.environ)
    os.environ["FLASK_DEBUG"] = "1"
    # Kept for as long as this process lives, so that whoever signed in stays it, whatever is loaded anew.
    os.environ["BFF_SESSION_KEYS"] = os.environ.get("BFF_SESSION_KEYS") or Fernet.generate_key().decode()
    with listening, project_path(folder):
        try:
            learner = Learner(folder, terminal.write) if wanted.learn else None
            app = _load(folder, wanted.visitor, terminal, learner)
        except SystemExit as error:
            raise OperatorError(str(error)) from None
        server = _server_of(app, listening)
        last_words: list[str] = []
        _stop_at_signals(server, last_words)  # before anybody is told that it runs, and may end it
        count = counted(len(app.site.pages), "page")
        terminal.write(f"bff dev: http://{HOST}:{server.port}/  {count} from {folder}")
        return _run(server, app, terminal, wanted.run, theirs, last_words, learner)


def _run(
    server: BaseWSGIServer,
    app: DevApp,
    terminal: Terminal,
    line: str,
    environ: Mapping[str, str],
    last_words: list[str],
    learner: Learner | None,
) -> int:
    """Answer until a signal comes, or the command beside ends."""
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        last_words.append(f"The command beside it ended with status {status}.")
        server.shutdown()

    with ExitStack() as stack:
        stack.callback(_say_first, last_words, terminal)
        stack.enter_context(_rows_of(Path.cwd(), terminal))
        if line:
            stack.callback(Beside(line, Path.cwd(), environ, terminal.write, end).stop)
        stopped = threading.Event()
        stack.callback(stopped.set)
        following = (app, stopped, terminal, learner)
        if learner is not None:
            stack.callback(learner.write)
        threading.Thread(target=_follow, args=following, name="bff-files", daemon=True).start()
        server.serve_forever(poll_interval=0.1)
    return 1 if statuses else 0


def _say_first(words: list[str], terminal: Terminal) -> None:
    if words:
        terminal.write(words[0])


def _stop_at_signals(server: BaseWSGIServer, last_words: list[str]) -> None:
    """End the server at ctrl-C, which is told, and its like.

    Nothing is raised for them: that could come just where the command beside has begun and nobody knows of it yet.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            last_words.append("\nStopped.")
        threading.Thread(target=server.shutdown, name="bff-stop", daemon=True).start()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)


def _load(folder: Path, visitor: Visitor | None, terminal: Terminal, learner: Learner | None) -> DevApp:
    """The app, whose log is written for its author."""
    made: list[DevApp] = []
    log = DevLog(terminal.write, lambda entry: made[0].kept_in(entry) if made else ())
    operator = logging.getLogger("bff")
    operator.addHandler(log)
    operator.setLevel(logging.INFO)
    made.append(DevApp(folder, DevPages(terminal.tell, learner), terminal.write, visitor))
    return made[0]


def _listen(port: int) -> socket.socket:
    """A socket of this port; raises OSError where somebody else has it."""
    listening = socket.socket()
    try:
        if os.name == "posix":  # a connection that has ended does not take the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


def _server_of(app: WSGIApplication, listening: socket.socket) -> BaseWSGIServer:
    port, fd = listening.getsockname()[1], listening.fileno()
    return make_server(HOST, port, app, threaded=True, request_handler=_Handler, fd=fd)


@contextmanager
def _rows_of(folder: Path, terminal: Terminal) -> Iterator[None]:
    """Serves the rows of a project's backend.json, where it has one."""
    file = folder / FILE
    if not file.is_file():
        yield
        return
    rows = Rows(file)
    try:
        listening = _listen(ROWS_PORT)
    except OSError as error:
        taken = f"{FILE} is not served: {HOST}:{ROWS_PORT}: {error.strerror}"
        terminal.write(f"{taken}; clients ask who listens there")
        yield
        return
    with listening:
        server = _server_of(rows, listening)
        thread = threading.Thread(target=server.serve_forever, name="bff-rows", daemon=True)
        thread.start()
        terminal.write(f"{FILE}: http://{HOST}:{ROWS_PORT}/")
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _follow(app: DevApp, stopped: threading.Event, terminal: Terminal, learner: Learner | None) -> None:
    while not stopped.wait(_EVERY):
        try:
            if learner is not None:
                learner.learn()
            app.refresh()
        except Exception as error:  # what it is about is loaded again at the next change
            terminal.write(f"{type(error).__name__}\n{trace_of(error)}")
