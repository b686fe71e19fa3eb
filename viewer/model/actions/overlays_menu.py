"""The Overlays menu: marks of the Gaussians."""

from __future__ import annotations

from viewer.model.actions.spec import ActionSpec

OVERLAYS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "overlay.centres",
        "&Centres",
        ("C",),
        ("&Overlays",),
        checkable=True,
        tip="Mark the centre of every Gaussian (C)",
    ),
    ActionSpec(
        "overlay.ellipses",
        "&Ellipses",
        ("E",),
        ("&Overlays",),
        checkable=True,
        tip="Draw the covariance ellipse of every Gaussian (E)",
    ),
    ActionSpec(
        "overlay.drifts",
        "&Drifts",
        ("D",),
        ("&Overlays",),
        checkable=True,
        tip="Draw a line from where every Gaussian began, the place of its cell, to its centre (D)",
    ),
    ActionSpec(
        "overlay.larger",
        "&Larger Ellipses",
        ("]",),
        ("&Overlays",),
        argument=0.25,
        separated=True,
        tip="Draw the ellipses a quarter of a standard deviation larger",
    ),
    ActionSpec(
        "overlay.smaller",
        "&Smaller Ellipses",
        ("[",),
        ("&Overlays",),
        argument=-0.25,
        tip="Draw the ellipses a quarter of a standard deviation smaller",
    ),
    ActionSpec(
        "overlay.own_colours",
        "Gaussians' &Own Colours",
        (),
        ("&Overlays",),
        checkable=True,
        radio="overlay_colour",
        separated=True,
        tip="Draw every mark in the colour of its Gaussian",
    ),
    ActionSpec(
        "overlay.one_colour",
        "One Colo&ur",
        (),
        ("&Overlays",),
        checkable=True,
        radio="overlay_colour",
        tip="Draw all marks in one chosen colour",
    ),
    ActionSpec("overlay.choose_colour", "C&hoose Colour...", ("K",), ("&Overlays",)),
    ActionSpec(
        "overlay.distribution",
        "&Gaussians in View...",
        ("H",),
        ("&Overlays",),
        separated=True,
        tip="How large, how long, how far drifted they are: histograms that follow the view",
    ),
    ActionSpec(
        "overlay.reset",
        "&Reset Overlays",
        (),
        ("&Overlays",),
        separated=True,
        tip="Back to no overlays, one sigma, own colours",
    ),
)
