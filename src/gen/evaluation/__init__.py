"""What a checkpoint is worth: likelihood, music, controls, infilling, originality, listening."""
