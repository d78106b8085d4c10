"""The todos, their comments and their counts, in PocketBase."""

from bff import Client, env, forward_token
from clients._pocketbase import pocketbase_like, pocketbase_text

client = Client(
    base_url=env("TODOS_URL", default="http://127.0.0.1:8090"),
    auth=forward_token("people"),
    timeout="2s",
    quote=pocketbase_text,
    quote_like=pocketbase_like,
    filters={"filter"},
    schema="pocketbase.openapi.yaml",
)
