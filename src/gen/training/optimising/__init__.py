"""How weights change: Muon, averages, thin matrices beside them, steps as graphs."""
