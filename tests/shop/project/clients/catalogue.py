from bff import Client, env

client = Client(base_url=env("CATALOGUE_URL", default="http://catalogue.test"), timeout="2s")
