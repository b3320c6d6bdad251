"""Exit statuses of every command.

Enters: nothing. Leaves: numbers. Must not know: the commands.
"""

FINE = 0
FAILED = 1  # a check failed, or a training that had to stop
USAGE = 2  # wrong usage or input
INTERRUPTED = 130  # by Ctrl-C, as shells have it
