"""A page of HTML as a list of its tags, each closed as it was opened."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "img", "input", "link", "br"}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        """Attributes of each tag of this name."""
        return [attributes for name, attributes in self.tags if name == tag]
