"""The model that writes, the works behind it, and the house that it is of."""
