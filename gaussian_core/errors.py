"""The errors a user can cause. Their text is one line that says what happened and what to do."""

from __future__ import annotations


class UserError(Exception):
    """Base of every error that is shown to a user as it stands: one clear line, no traceback."""


class ImageError(UserError):
    """A picture cannot be read, decoded or held."""


class DamagedError(ImageError):
    """A picture's file is cut short, or holds what its decoder cannot take."""


class ChangedError(ImageError):
    """A picture's file was written to after it was opened: what is read of it now is of another picture."""


class FieldError(UserError):
    """A Gaussian field is malformed, or its file is cut short or of the wrong shape."""


class OutputError(UserError):
    """A result cannot be written where it was asked for."""


class WeightsError(UserError):
    """A weights file is missing, truncated or belongs to another architecture."""


class DeviceError(UserError):
    """The requested device or backend is not usable here."""


class Cancelled(Exception):
    """Work was stopped on request. Not an error: callers catch it and go on."""
