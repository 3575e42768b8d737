"""What must never be lost: rounds, picks, labels, results and settings, in SQLite or PostgreSQL."""

from pickwell.store.holding import check_free
from pickwell.store.rows import Details, Entry, Holding, Labels, Progress, Remark, Result, Told
from pickwell.store.store import Store

__all__ = ["Details", "Entry", "Holding", "Labels", "Progress", "Remark", "Result", "Store", "Told", "check_free"]
