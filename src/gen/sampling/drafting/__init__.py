"""A piece while it is written: where it stands, what may follow, what is owed or preferred."""
