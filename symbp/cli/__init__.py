"""The command line: the only place that imports a console library.

Enters: arguments. Leaves: results on stdout, narration on stderr, an exit status.
Must not know: how anything is derived or written; it calls what `import symbp` offers.
"""
