"""Figures as the papers print them, to stand beside ours: other training pictures, larger encoders, GPUs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """psnr: dB by scale, on the luminance as in the papers' tables unless the source says otherwise."""

    title: str
    dataset: str
    psnr: dict[float, float]
    source: str


_SMALL = "EDSR-baseline encoder, trained on DIV2K"
_RGB = _SMALL + ", RGB"
PUBLISHED = (
    Published("bicubic", "B100", {2: 28.25, 3: 25.96, 4: 24.69}, "as printed: not on Y alone"),
    Published("MetaSR", "B100", {2: 32.16, 3: 29.09, 4: 27.55}, _SMALL),
    Published("LIIF", "B100", {2: 32.17, 3: 29.10, 4: 27.60}, _SMALL),
    Published("GaussianSR", "B100", {2: 32.20, 3: 29.13, 4: 27.61}, _SMALL),
    Published("bicubic", "Urban100", {2: 25.68, 3: 23.07, 4: 21.77}, _SMALL),
    Published("MetaSR", "Urban100", {2: 32.08, 3: 28.12, 4: 25.95}, _SMALL),
    Published("LIIF", "Urban100", {2: 32.15, 3: 28.22, 4: 26.15}, _SMALL),
    Published("GaussianSR", "Urban100", {2: 32.25, 3: 28.28, 4: 26.19}, _SMALL),
    Published("GSASR", "Urban100", {4: 27.01}, _SMALL),
    Published(
        "ContinuousSR", "Urban100", {4: 28.22, 8: 23.87, 16: 20.95, 48: 17.70}, "HAT encoder"
    ),
    Published("LIIF", "Urban100", {4: 26.68, 8: 22.79, 16: 20.19, 48: 17.45}, "larger encoder"),
    Published("CiaoSR", "Urban100", {4: 27.42, 8: 23.34, 16: 20.54, 48: 17.51}, "larger encoder"),
    Published(
        "GaussianSR", "Urban100", {4: 26.20, 8: 22.35, 16: 19.68, 48: 17.07}, "larger encoder"
    ),
    Published("GSASR", "Urban100", {4: 28.44}, "HAT-L encoder"),
    Published("bicubic", "DIV2K", {4: 26.81}, _RGB),
    Published("MetaSR", "DIV2K", {4: 28.92}, _RGB),
    Published("LIIF", "DIV2K", {4: 29.00}, _RGB),
    Published("GaussianSR", "DIV2K", {4: 29.03}, _RGB),
    Published("GSASR", "DIV2K", {4: 30.89}, _SMALL),
    Published("IMDN", "Set5", {4: 32.21}, "0.7 M parameters, one scale each"),
    Published("IMDN", "B100", {4: 27.56}, "0.7 M parameters, one scale each"),
    Published("IMDN", "Urban100", {4: 26.04}, "0.7 M parameters, one scale each"),
    Published("SAFMN", "Set5", {4: 32.18}, "0.24 M parameters, one scale each"),
    Published("SAFMN", "B100", {4: 27.58}, "0.24 M parameters, one scale each"),
    Published("SAFMN", "Urban100", {4: 25.97}, "0.24 M parameters, one scale each"),
    Published("FSRCNN", "Set5", {4: 30.71}, "0.01 M parameters, one scale each"),
    Published("FSRCNN", "B100", {4: 26.98}, "0.01 M parameters, one scale each"),
    Published("FSRCNN", "Urban100", {4: 24.62}, "0.01 M parameters, one scale each"),
)
