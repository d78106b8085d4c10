"""The app that `flask run`, every WSGI server and every function host starts."""

from bff import create_app

app = create_app()
