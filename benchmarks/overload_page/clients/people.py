from bff import Client, env

client = Client(base_url=env("WELL_URL"), timeout="2s")
