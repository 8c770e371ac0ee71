"""What may be set of a run, judged before torch is loaded."""
