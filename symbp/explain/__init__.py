"""What a derivation says, on a page: one document model and one small module per format.

Enters: a derivation, and code as text. Leaves: text, LaTeX, JSON.
Must not know: the user's language, ops, how code is written.
"""
