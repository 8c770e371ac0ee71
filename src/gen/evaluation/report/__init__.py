"""What a report is made of: parts, headlines, and pictures as data."""
