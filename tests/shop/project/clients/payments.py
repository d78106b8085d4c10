"""Charges; recipes send the token of `tokens`."""

from bff import Client, env

client = Client(base_url=env("PAYMENTS_URL", default="http://payments.test"), timeout="2s")
