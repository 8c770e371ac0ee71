"""One function a measure, of pieces by their notes, and figures with their intervals."""
