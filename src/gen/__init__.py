"""A music house's symbolic generator, trained only on the house's own tagged works."""

__version__ = "0.1.0"
