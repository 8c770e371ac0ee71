"""What a run leaves so that others can replay it: its states, its transcript, its acts."""
