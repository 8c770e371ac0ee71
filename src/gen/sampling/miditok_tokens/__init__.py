"""New pieces in MidiTok's own tokens: what can be asked, a grammar of words, a decode loop."""
