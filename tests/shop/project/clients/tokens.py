"""Where the shop gets its own token for payments."""

from requests.auth import HTTPBasicAuth

from bff import Client, env

client = Client(
    base_url=env("PAYMENTS_URL", default="http://payments.test"),
    auth=HTTPBasicAuth(
        env("PAYMENTS_NAME", default="shop"), env("PAYMENTS_PASSWORD", default="password-of-the-shop")
    ),
    timeout="2s",
)
