"""What a model's file says of its making, and whether the house's log agrees."""
