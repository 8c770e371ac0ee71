"""What people do with the house: works, people, terms, complaints, runs."""
