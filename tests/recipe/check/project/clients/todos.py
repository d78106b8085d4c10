from clients._quoting import text

from bff import Client, env

client = Client(base_url=env("TODOS_URL"), timeout="800ms", quote=text, filters={"filter"})
