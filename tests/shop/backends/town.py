"""All backends of the shop in one server, each below a path of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask
from werkzeug.serving import make_server

from tests.shop.backends.accounts import Accounts, accounts
from tests.shop.backends.carriers import north, south
from tests.shop.backends.catalogue import catalogue
from tests.shop.backends.orders import Orders, orders
from tests.shop.backends.payments import Payments, payments
from tests.shop.backends.stock import Stock, stock


@dataclass
class Town:
    """What the backends hold; new for each test."""

    accounts: Accounts = field(default_factory=Accounts)
    orders: Orders = field(default_factory=Orders)
    payments: Payments = field(default_factory=Payments)
    stock: Stock = field(default_factory=Stock)
    url: str = ""


@contextmanager
def open_town() -> Iterator[Town]:
    """The backends, on a free port of loopback."""
    town = Town()
    app = Flask("town")
    app.register_blueprint(accounts(town.accounts), url_prefix="/accounts")
    app.register_blueprint(catalogue, url_prefix="/catalogue")
    app.register_blueprint(orders(town.orders), url_prefix="/orders")
    app.register_blueprint(payments(town.payments), url_prefix="/payments")
    app.register_blueprint(stock(town.stock), url_prefix="/stock")
    app.register_blueprint(north, url_prefix="/north")
    app.register_blueprint(south, url_prefix="/south")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    town.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield town
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
