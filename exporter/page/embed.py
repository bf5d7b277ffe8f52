#!/usr/bin/env python3
"""Writes the status page and the runbooks as one C++ source (the counterpart of embedded.h).

embed.py --output FILE.cpp --assets FOLDER NAME... --document-style FILE.css --runbooks FILE.md...

The same input gives the same bytes. Needs Debian's python3-markdown.
"""

import argparse
import base64
import gzip
import hashlib
import html.parser
import pathlib
import re
import xml.etree.ElementTree

import markdown
import markdown.inlinepatterns
import markdown.treeprocessors

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
# Bytes of a source line before escaping, so that an editor can open the result.
LINE_BYTES = 96


def literal(data):
    """A C++ expression of type std::string_view with exactly these bytes."""
    if not data:
        return "std::string_view()"
    lines = []
    for begin in range(0, len(data), LINE_BYTES):
        # Three octal digits always: a digit that follows is then never taken for a part of the escape.
        lines.append('"' + "".join(
            chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\?' else f"\\{byte:03o}"
            for byte in data[begin:begin + LINE_BYTES]) + '"')
    return "std::string_view(\n" + "\n".join(lines) + f",\n{len(data)})"


class Look(html.parser.HTMLParser):
    """Collects what decides how a page looks from the head of a document."""

    def __init__(self):
        super().__init__()
        self.elements = []  # in the order of the document

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "link" and found.get("rel") == "stylesheet":
            self.elements.append(self.get_starttag_text())
        if tag == "script" and "src" in found and found.get("type") != "module" and "defer" not in found:
            self.elements.append(self.get_starttag_text() + "</script>")
        if tag == "link" and found.get("rel") == "icon":
            self.elements.append(self.get_starttag_text())

    @classmethod
    def of(cls, document):
        head = document[:document.index("</head>")]
        look = cls()
        look.feed(head)
        return "".join(element + "\n" for element in look.elements)


class Inlined:
    """index.html with what its first paint waits for in itself: one answer instead of one for each file."""

    _STYLE = re.compile(r'<link rel="stylesheet" href="/assets/([^"]+)">')
    _SCRIPT = re.compile(r'<script src="/assets/([^"]+)"></script>')

    def __init__(self, document, files):
        self._files = files
        self.scripts = []
        self.styles = []
        begin = document.index("</head>")
        head = self._SCRIPT.sub(lambda found: self._inline("script", found.group(1), self.scripts), document[:begin])
        head = self._STYLE.sub(lambda found: self._inline("style", found.group(1), self.styles), head)
        self.document = head + document[begin:]

    def _inline(self, element, name, hashes):
        content = self._files[name].read_text(encoding="utf-8")
        if f"</{element}" in content.lower():
            raise SystemExit(f"{self._files[name]}: \"</{element}\" cannot stand in index.html")
        digest = hashlib.sha256(content.encode()).digest()
        hashes.append(f"'sha256-{base64.b64encode(digest).decode()}'")
        return f"<{element}>{content}</{element}>"


class RunbookNames(markdown.inlinepatterns.InlineProcessor):
    """The name of another runbook becomes a link to it."""

    ANCESTOR_EXCLUDES = ("a",)

    def __init__(self, names, own):
        super().__init__(r"\bZooKeeper[A-Z]\w+\b")
        self._names = names
        self._own = own

    def handleMatch(self, match, data):  # the library's name
        name = match.group()
        if name not in self._names or name == self._own:
            return None, None, None
        link = xml.etree.ElementTree.Element("a", href=f"/runbooks/{name}")
        link.text = markdown.util.AtomicString(name)
        return link, match.start(), match.end()


class Links(markdown.treeprocessors.Treeprocessor):
    """Links between runbooks lead to their URLs; what else lies in the source tree is not served and keeps its
    text only."""

    def __init__(self, names):
        super().__init__()
        self._names = names

    def run(self, root):
        for link in root.iter("a"):
            target = link.get("href", "")
            name = target.removesuffix(".md")
            if name in self._names:
                link.set("href", f"/runbooks/{name}")
            elif not target.startswith(("https://", "/runbooks/")):
                link.tag = "span"
                del link.attrib["href"]


class Runbooks(markdown.Extension):
    def __init__(self, names, own):
        super().__init__()
        self._names = names
        self._own = own

    def extendMarkdown(self, converter):  # the library's name
        # After code spans and links, which keep their text as it is; before the tree's links are read.
        converter.inlinePatterns.register(RunbookNames(self._names, self._own), "runbook_names", 75)
        converter.treeprocessors.register(Links(self._names), "runbook_links", 0)


def runbook_html(text, names, own):
    converter = markdown.Markdown(extensions=["tables", "fenced_code", Runbooks(names, own)])
    return converter.convert(text) + "\n"


def file_entry(name, path, data):
    packed = gzip.compress(data, compresslevel=9, mtime=0)
    return (f"{{{literal(name.encode())}, {literal(CONTENT_TYPES[path.suffix].encode())},\n{literal(data)},\n"
            f"{literal(packed)},\n{literal(hashlib.sha256(data).hexdigest()[:32].encode())}}},\n")


def hash_array(name, hashes):
    return f"constexpr std::string_view {name}[] = {{" + ", ".join(literal(one.encode()) for one in hashes) + "};\n"


def runbook_entry(path, names):
    text = path.read_text(encoding="utf-8")
    title = re.match(r"# (.+)\n", text)
    if not title:
        raise SystemExit(f"{path}: the first line is no title (\"# NAME\")")
    body = runbook_html(text, names, path.stem).encode()
    return f"{{{literal(path.stem.encode())}, {literal(title.group(1).encode())},\n{literal(body)}}},\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--assets", nargs="+", required=True, metavar="FOLDER NAME")
    parser.add_argument("--document-style", type=pathlib.Path, required=True)
    parser.add_argument("--runbooks", nargs="+", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.assets[0])
    files = {name: folder / name for name in arguments.assets[1:]}
    style = arguments.document_style.name
    if style in files:
        raise SystemExit(f"{folder / style} and {arguments.document_style} would have the same URL")
    files[style] = arguments.document_style
    unknown = [name for name, path in files.items() if path.suffix not in CONTENT_TYPES]
    if unknown:
        raise SystemExit(f"no content type is known for {', '.join(unknown)}; add it to CONTENT_TYPES of {__file__}")
    runbooks = sorted(arguments.runbooks, key=lambda path: path.stem)
    runbook_names = {path.stem for path in runbooks}
    index = files["index.html"].read_text(encoding="utf-8")
    inlined = Inlined(index, files)
    contents = {name: path.read_bytes() for name, path in files.items()} | {"index.html": inlined.document.encode()}
    look = Look.of(index) + f'<link rel="stylesheet" href="/assets/{style}">\n'
    arguments.output.write_text(
        '// Made by exporter/page/embed.py.\n#include "exporter/page/embedded.h"\n\nnamespace wk::exporter {\n'
        "namespace {\nconstexpr EmbeddedFile kFiles[] = {\n"
        + "".join(file_entry(name, files[name], contents[name]) for name in sorted(files))
        + "};\nconstexpr EmbeddedRunbook kRunbooks[] = {\n"
        + "".join(runbook_entry(path, runbook_names) for path in runbooks)
        + "};\n"
        + hash_array("kScriptHashes", inlined.scripts)
        + hash_array("kStyleHashes", inlined.styles)
        + "}  // namespace\n"
        "InlineHashes embedded_inline_hashes() { return {kScriptHashes, kStyleHashes}; }\n"
        "std::span<const EmbeddedFile> embedded_files() { return kFiles; }\n"
        "std::span<const EmbeddedRunbook> embedded_runbooks() { return kRunbooks; }\n"
        f"std::string_view embedded_look() {{ return {literal(look.encode())}; }}\n"
        "}  // namespace wk::exporter\n", encoding="ascii")


if __name__ == "__main__":
    main()
