"""What became of works, and what their composers are owed: from the log and the works alone."""
