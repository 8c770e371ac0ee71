"""What one may bring to a training run: docs/plugins.md."""
