"""New pieces: controls, grammar, decoding, receipt."""
