"""A local page on which one types a formula or chooses a network, and sees its derivation, code and check.

Enters: requests of a browser on this machine. Leaves: pages and files to download; every state has an
address. Must not know: how anything is derived, read or laid out. Nothing that is typed is ever run as
Python, and nothing but the gallery is found by name.

`asked` says what a request may ask for, `desk` answers it, in a process of its own (`worker`) that can be
ended (`pool`); `pages` lays answers out, `app` speaks HTTP, `server` listens.
"""
