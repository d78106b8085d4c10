"""The carts, on behalf of the visitor."""

from bff import Client, env, forward_token

client = Client(
    base_url=env("ACCOUNTS_URL", default="http://accounts.test"), auth=forward_token("carts"), timeout="2s"
)
