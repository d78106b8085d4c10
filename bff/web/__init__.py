"""The Flask layer: a page request in, JSON out.

A door in front of Flask, and one page for both ways. Flask, its request and its response take six times what a page
takes by itself. Nobody sees them but hooks, signals, handlers, classes and modules that know Flask: the lookout
(`web/lookout.py`) compares what is there with what was there at start, and only then the door answers. Door, page and
Answer import neither Flask nor Werkzeug; what Werkzeug did for a page (cookies, query, ETags, bodies, hosts, proxies,
routing) is compared with Werkzeug's by property tests, and what is long and rare is still asked of it, where it is
needed. Two apps, one of which has a hook, answer 150 kinds of requests alike (`tests/web/test_both_ways.py`).

Flask is half of what a start would import. So a built folder exports the door alone (`web/alone.py`): who has not
loaded Flask cannot look on. The first request that only Flask answers has its app made, on the same site; from then
on all is as if it had been there from the start. A project's own `wsgi.py` has its app at once, to add to it.

What goes through is never a page. A body that nobody has read comes from our own origin, so it may not be one that a
browser runs: a list of types says what goes out under its own name, what a browser would run is refused, all else is
bytes to be saved, and a sandbox stands around each. A list of what is dangerous would be wrong with the next browser.
"""
