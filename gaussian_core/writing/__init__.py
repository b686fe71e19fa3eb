"""Pictures and figures into files, whole or not at all."""
