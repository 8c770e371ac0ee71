"""What the acts in the log amount to, and whether each may stand there. No disk but the log's."""
