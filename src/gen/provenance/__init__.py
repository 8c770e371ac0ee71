"""The rule in code: who wrote a work, who accepted it, what it may be used for, and proof of it.

Importing this package loads nothing; import the module that is needed, so that a composer's
command starts quickly.
"""
