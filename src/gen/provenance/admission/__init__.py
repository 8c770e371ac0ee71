"""The gate, and what it found: nothing without the house's tag is learned from."""
