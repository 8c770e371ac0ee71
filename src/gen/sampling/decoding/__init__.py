"""The decode loop, the network's step in numpy, and how an id is drawn."""
