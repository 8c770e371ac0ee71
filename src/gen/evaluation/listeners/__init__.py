"""The listening test, and what listeners said."""
