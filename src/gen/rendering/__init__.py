"""A piece to look at, to listen to and to play from: PNG, WAV, MusicXML, one offline page."""
