"""What is measured: works, models, and the pieces and holes that these fill."""
