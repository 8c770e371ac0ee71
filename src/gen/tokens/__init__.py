"""Music as sequences of events: the only room that knows MidiTok."""
