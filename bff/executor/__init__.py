"""The executor: runs the plan of a page over HTTP calls and gives results. Knows no web framework.

Reads have no order, writes have one. A step waits for what it names, so adding a step never slows another. Writes run
as written, because people read them so; each waits for what stands above it, so that nothing is written for a page
that is going to fail.

What is written is taken back by requests, not by transactions. Undos run in the same loop as the page, before its
answer, with a deadline and bounds of their own. A write has one of five outcomes (done, refused, unknown, unsent,
under way), told by what was seen on the wire: `Broken.sent`, a status, or a try that was lost before a later one was
refused. An unknown write stays unknown after its undo, because nobody can know.

A page in lines is the same run. `PageRun.parts` stops wherever a deferred step has ended and tells what there is;
`run` takes the last of it. Each line is the difference between two results of the shape, computed and not declared,
so that no recipe can get it wrong: a property test holds the lines together against the whole page. The whole page
has the page's own budget, what comes before it a second one of the same size; once that is spent, lines are left out,
never the page. `LiveBody` is an answer that is still being made: log, metrics, spans and the page's place wait for
its end.

Null does not hide mistakes. Reading from null is null, but what a recipe iterates must be a list: `{"error": …}`
where a list was meant is a `bad-reply`, not an empty page.
"""

from bff.executor.draft import draft_scope
from bff.executor.idempotency import KeySource, once
from bff.executor.passing import Passed, PassingRun, Sent
from bff.executor.results import Results, RunContext, StepTrace
from bff.executor.run import PageRun
from bff.executor.undo import DEADLINE as UNDO_DEADLINE
from bff.executor.writes import Writes

__all__ = [
    "UNDO_DEADLINE",
    "KeySource",
    "PageRun",
    "Passed",
    "PassingRun",
    "Results",
    "RunContext",
    "Sent",
    "StepTrace",
    "Writes",
    "draft_scope",
    "once",
]
