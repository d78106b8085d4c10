from bff import Breaker, Client, env

client = Client(
    env("SICK_URL"), timeout=env("SICK_TIMEOUT"), retries=0, breaker=Breaker(failures=1, rest="10m")
)
