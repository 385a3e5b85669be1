"""A method of explanation does not fit a model: said to whoever tries the next one."""

__all__ = ["CannotExplain"]


class CannotExplain(Exception):
    """Why a method does not fit this model. It never leaves this room: the next method is tried, or a reason is filed."""
