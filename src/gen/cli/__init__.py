"""The commands: each is called by a script of the same name, and by a name that is installed."""
