"""From decoded rows to a piece with a name, and as it is played."""
