"""How records are written and signed: one spelling, hash trees, keys, envelopes, notes."""
