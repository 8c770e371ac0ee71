"""What is asked of a piece, and what is decided of it before its first note."""
