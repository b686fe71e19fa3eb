"""Pictures that belong together by their names: of one scene, by several programs or in several sizes."""

from __future__ import annotations

from pathlib import Path


def counterpart(reference: Path, picture: Path, other: Path) -> Path | None:
    """What is to another picture what a reference is to a picture, in the reference's folder: img2.png for
    (HR/img1.png, LR/img1.png, LR/img2.png), 0802.png for (HR/0801.png, LR/0801x4.png, LR/0802x4.png), out/b_x4_net.png
    for (out/a_x4_net.png, a.png, b.png). None where the names have nothing in common. It need not exist."""
    known, named, stem = reference.stem, picture.stem, other.stem
    if named and named in known:
        head, _, tail = known.partition(named)
        return reference.with_name(f"{head}{stem}{tail}{reference.suffix}")
    if known and known in named:
        head, _, tail = named.partition(known)
        core = stem.removeprefix(head).removesuffix(tail)
        if core and f"{head}{core}{tail}" == stem:
            return reference.with_name(f"{core}{reference.suffix}")
    return None
