"""The page of the benchmark, as `make serve` would serve it."""

from bff import create_app

app = create_app()
