"""What a browser would make of a page."""

from html.parser import HTMLParser


class Seen(HTMLParser):
    """The elements of a page, and their attributes."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value for name, value in attrs if name in ("href", "src", "action")]


def is_harmless(text):
    """No script, nothing loaded, no handler, no link to elsewhere."""
    seen = Seen(text)
    return (
        not {"script", "img", "iframe", "object", "embed", "link", "base"} & set(seen.elements)
        and not any(name.startswith("on") or name == "style" for name in seen.attributes)
        and all(link.startswith(("/", "#")) and not link.startswith("//") for link in seen.links)
    )
