from bff import Client, env

client = Client(base_url=env("PEOPLE_URL"))
