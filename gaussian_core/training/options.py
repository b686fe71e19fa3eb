"""What a training can be asked for: the options of the command `train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from gaussian_core.arguments import add_device
from gaussian_core.models.config import FOLLOW


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "folders",
        metavar="FOLDER",
        nargs="+",
        type=Path,
        help="pictures to train on; what is transparent lies on white",
    )
    add(
        "--out",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="checkpoint, weights and decoded pictures",
    )
    add(
        "--method",
        choices=("continuoussr", "liif", "gaussiansr"),
        default="continuoussr",
        help="what is trained (default continuoussr, the learned field)",
    )
    add("--validate", type=Path, metavar="FOLDER", help="originals to measure x2, x3 and x4 on")
    add("--steps", type=int, default=100_000, help="total, earlier runs included (default 100000)")
    add(
        "--decay",
        type=int,
        default=0,
        metavar="N",
        help="take the rates to zero over the last N steps; for weights to use, half of them or more (default 0)",
    )
    add(
        "--every",
        type=int,
        default=1000,
        metavar="N",
        help="steps between checkpoints and validations (default 1000)",
    )
    add(
        "--batch",
        type=int,
        default=8,
        help="crops a step; on a CPU, where a step's time grows with them, 4 of all processes learn the most in a given "
        "time (default 8)",
    )
    add("--patch", type=int, default=44, help="side of the low resolution crops (default 44)")
    add("--channels", type=int, default=48, help="width of the encoder (default 48)")
    add("--blocks", type=int, default=6, help="its residual blocks (default 6; base has 16)")
    add(
        "--deep-channels",
        type=int,
        default=96,
        help="at half the resolution, with --deep-blocks (96)",
    )
    add(
        "--deep-blocks",
        type=int,
        default=0,
        metavar="N",
        help="a branch of N blocks at half the resolution (continuoussr)",
    )
    add(
        "--slope",
        type=float,
        default=0.1,
        help="of the encoder's activations below zero (default 0.1)",
    )
    add("--cells", type=int, default=2, help="cells x cells Gaussians a source pixel (default 2)")
    add(
        "--covariance",
        choices=("log", "linear", "direct"),
        default="log",
        help="how the dictionary of covariances is mixed, or no dictionary: direct (default log)",
    )
    add(
        "--dictionary",
        choices=("compact", "published"),
        default="compact",
        help="of covariances: ours, or the 730 of the authors (default compact)",
    )
    add(
        "--drift",
        type=float,
        default=0.5,
        help="P of position drifting, source pixels; 0: none (default 0.5)",
    )
    add(
        "--footprint",
        type=float,
        default=0.3,
        help="of a pixel, device pixels, by which the fields are seen later, too; 0: point samples (default 0.3)",
    )
    add(
        "--spread",
        type=float,
        default=0.32,
        help="standard deviation of a Gaussian at the start, source pixels (default 0.32)",
    )
    add(
        "--elongation",
        type=float,
        default=0.0,
        help="start along the picture's edges; 0: round (0)",
    )
    add(
        "--symmetry",
        action="store_true",
        help="tie the weights so that all eight orientations of a picture are treated alike (continuoussr): they learn "
        "sooner, and have an eighth as many numbers to learn with",
    )
    add(
        "--follow",
        type=float,
        default=FOLLOW,
        help="weight of geometry along edges; 0: none (0.006)",
    )
    add(
        "--luminance",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of the loss that is of the luminance, the rest of red, green and blue alike (default 0)",
    )
    add(
        "--squares",
        action="store_true",
        help="the loss is the root of each crop's mean squared difference, what PSNR measures, not the mean absolute one",
    )
    add(
        "--weights",
        type=Path,
        metavar="FILE",
        help="weights of this program whose tensors to begin with, the encoder's or all",
    )
    add(
        "--encoder",
        type=Path,
        metavar="FILE",
        help="weights whose encoder alone to begin with: methods on one trained encoder",
    )
    add(
        "--teacher",
        type=Path,
        metavar="FILE",
        help="weights of a ContinuousSR network to learn from: what it makes of each crop, averaged over orientations, is "
        "learnt instead of the original (continuoussr)",
    )
    add(
        "--lessons",
        type=int,
        default=20_000,
        metavar="N",
        help="crops that the teacher answers for, once; each is shown in all orientations (default 20000; 0.1 MB each)",
    )
    add(
        "--pixel-art",
        type=float,
        default=0.04,
        metavar="SHARE",
        help="of the crops that are pictures drawn pixel by pixel, to be shown as squares: dithering, sprites, hairlines "
        "(default 0.04)",
    )
    add(
        "--fabric",
        type=float,
        default=0.04,
        metavar="SHARE",
        help="of the crops, but for those, that are stripes and weaves down to periods that are lost in the small picture "
        "(default 0.04)",
    )
    add(
        "--jpeg",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of the crops, but for those: the network sees them as a JPEG file gives them back (default 0)",
    )
    add(
        "--webp",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="the same with a lossy WebP file (default 0)",
    )
    add(
        "--camera",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="the same with a camera, before any file: softness, noise, sharpening (default 0)",
    )
    add(
        "--rate",
        type=float,
        default=1e-3,
        help="of Adam, which learns all but the hidden convolutions (default 0.001)",
    )
    add(
        "--matrix-rate", type=float, default=1e-2, help="of Muon, which learns those (default 0.01)"
    )
    add("--name", default="light", help="of the weights, in their card and file (default light)")
    add("--licences", default="", help="of the training pictures: kept in the weights")
    add("--seed", type=int, default=0, help="of every random choice (default 0)")
    add(
        "--workers",
        type=int,
        metavar="N",
        help="processes that draw the crops; 0: a thread does (default: 0 on a CPU, else as many as there are cores for "
        "each GPU, less one)",
    )
    add_device(parser)
