"""When a log is late, and how far the builder of digests reads. One arithmetic for both.

A log is *late* if its `created_at` is older than LATE_AFTER when the writer begins to write it. The writer
then puts a late item first. Any other log with the time t is checked before t + LATE_AFTER, its put ends
within MAX_WRITE, and the index shows it within MAX_LAG. So a builder that reads up to HORIZON ago misses no
log without a late item.
"""

from datetime import timedelta

LATE_AFTER = timedelta(minutes=2)
# The longest invocation of the writer: `timeout_seconds` in zappa_settings.json.
MAX_WRITE = timedelta(minutes=1)
# The lag of an index, and the difference between the clocks of the writer and the builder.
MAX_LAG = timedelta(minutes=2)
HORIZON = LATE_AFTER + MAX_WRITE + MAX_LAG
