"""What `scripts/benchmark.py` measures, one module a sub-command."""
