"""What the house says to others about its works and models, made from its records alone."""
