"""The report of a gradient check: rows that compare, the table of them.

Enters: arrays of the same entries. Leaves: frozen rows and tables. Must not know: how a gradient was
computed.
"""

from symbp.verify.report.rows import FLOOR, Located, Row, compare, failed, left_out, relative_error
from symbp.verify.report.table import Report

__all__ = ["FLOOR", "Located", "Report", "Row", "compare", "failed", "left_out", "relative_error"]
