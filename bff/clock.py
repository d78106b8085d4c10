"""What time it is: the layer reads its clocks here and nowhere else, so that a test moves them in one place.

Call them as `clock.monotonic()`: a name that is imported from here does not follow a clock that is moved.
"""

import time
from datetime import UTC, datetime
from functools import partial

monotonic = time.monotonic
"""Seconds that only go forward: for everything that lasts."""
wall = time.time
"""Seconds since 1970, by a clock that may be put back: for what others read, such as cookies and dates."""
thread_time = time.thread_time
"""Seconds of the processor that this thread has had."""
now = partial(datetime.now, UTC)
"""The moment as a datetime, in UTC."""
