#!/usr/bin/python3
"""copyright.py: the copyright file of what is shipped, on stdout, in Debian's form (DEP 5).

The texts are those of the unpacked sources; musl's is its package's, and where a licence is among Debian's common ones,
its place there is named.
"""
import parts

FORMAT = "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
GCC_TEXT = """\
libgcc is free software under the GNU General Public License, version 3 or any later version, with the additional
permissions of the GCC Runtime Library Exception, version 3.1: a program that is linked with it may be conveyed under
terms of one's own choice.

On Debian systems the licence is in /usr/share/common-licenses/GPL-3, and the exception in the compiler's own copyright
file, /usr/share/doc/gcc-*-base/copyright."""
MPL_TEXT = """\
The certificates are Mozilla's list of roots. On Debian systems the Mozilla Public License, version 2.0, is in
/usr/share/common-licenses/MPL-2.0."""


def indented(text):
    """Of a field: one blank before each line, a dot in an empty one."""
    return "\n".join(f" {line}" if line.strip() else " ." for line in text.splitlines())


def paragraph(files, holders, name, text, comment=""):
    out = f"Files: {files}\nCopyright: " + "\n           ".join(holders) + f"\nLicense: {name}\n{indented(text)}\n"
    return out + (f"Comment: {comment}\n" if comment else "")


def of_musl(part):
    """The paragraphs of the package's file but for the first, its paths under musl/."""
    if not part.text:
        return paragraph(part.files, ["the musl authors"], "MIT", "See https://musl.libc.org.", f"{part.name} {part.version}")
    out = []
    for text in part.text.strip().split("\n\n")[1:]:
        lines = text.splitlines()
        in_files = False
        for i, line in enumerate(lines):
            in_files = line.startswith("Files:") or in_files and line.startswith(" ")
            if in_files:
                key, _, path = line.rpartition(" ")
                lines[i] = f"{key} musl/{path}"
        if not out:
            lines.append(f"Comment: {part.name} {part.version}")
        out.append("\n".join(lines) + "\n")
    return "\n".join(out)


def main():
    project = parts.project()
    bearssl, jsmn, musl, *libgccs, roots = parts.parts()
    blocks = [
        f"Format: {FORMAT}\nUpstream-Name: {project.name}\nUpstream-Contact: {project.supplier}\nComment:\n"
        + indented("The program is linked with parts of others, named below with their versions; their licences hold for\n"
                   "these parts of it, too. Their sources are not in the source tarball: its recipes fetch them.") + "\n",
        paragraph(project.files, project.holders, "Expat", project.text)]
    for part in (bearssl, jsmn):
        blocks.append(paragraph(part.files, part.holders, f"Expat-{part.name}", part.text, f"{part.name} {part.version}"))
    blocks += [
        paragraph(libgccs[0].files, ["Free Software Foundation, Inc."], "GPL-3+ with GCC-Runtime-Library-3.1 exception", GCC_TEXT,
                  "; ".join(f"{part.name} {part.version}" + "".join(f" ({value})" for _, value in part.properties) for part in libgccs)),
        paragraph(roots.files, ["Mozilla Contributors"], "MPL-2.0", MPL_TEXT, f"{roots.name} {roots.version}"),
        of_musl(musl)]
    print("\n".join(blocks), end="")


if __name__ == "__main__":
    main()
