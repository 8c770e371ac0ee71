"""The interface, a module a subject."""
