"""Whatever the recipe, undos mirror the writes."""

from __future__ import annotations

from tests.executor.recipes import Make
from tests.executor.undoing import LISTS, lists
from tests.fakes import FakeBackend, answer, close
from tests.properties import HealthCheck, given, settings, st

_ANSWERS = ("done", "refused", "unsettled", "accepted")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kinds=st.lists(st.tuples(st.sampled_from(_ANSWERS), st.booleans(), st.booleans()), min_size=1, max_size=6)
)
def test_undos_mirror_the_writes_that_were_done(
    page: Make, backend: FakeBackend, kinds: list[tuple[str, bool, bool]]
) -> None:
    """Each write is done, refused, lost or accepted outside 2xx; has an undo or not; and that undo works or not."""
    backend.requests.clear()
    steps = []
    done, undone, undo_failed, unknown, sent = [], [], [], [], []
    for place, (kind, has_undo, works) in enumerate(kinds):
        name = f"w{place}"
        script = {
            "done": answer(201, json={"id": name}),
            "refused": answer(409),
            "unsettled": close,
            "accepted": answer(418),
        }[kind]
        backend.on(f"POST /{name}", script)
        backend.on(f"DELETE /{name}/{name}", answer(204 if works else 500))
        undo = f"        undo: {{delete: '/{name}/{{{name}.id}}'}}\n" if has_undo else ""
        steps.append(
            f"      {name}:\n        client: todos\n        post: /{name}\n        fallback: null\n"
            f"        on_status: {{418: null}}\n{undo}"
        )
        if kind == "unsettled":
            unknown.append(name)
        elif kind == "done" and has_undo:
            sent.append(name)
            (undone if works else undo_failed).append(name)
        elif kind == "done":
            done.append(name)
    recipe = (
        "    route: POST /api/page\n    auth: none\n    deadline: 10s\n    steps:\n"
        + "".join(steps)
        + "      last: {client: todos, get: /last}\n    shape: last\n"
    )
    found = page(recipe).post("/api/page")
    assert found.status_code == 404
    if done or undone or undo_failed or unknown:
        assert lists(found) == [done, undone, undo_failed, unknown]
    else:
        assert not set(LISTS) & set(found.json)
    undos = [request.path for request in backend.requests if request.method == "DELETE"]
    assert undos == [f"/{name}/{name}" for name in reversed(sent)]
