"""What the house's records say, as types: works, people, runs, terms, papers, and the pin."""
