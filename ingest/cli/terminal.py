"""Output for terminals."""


def escape_controls(text: str, keep: str = "") -> str:
    r"""Escape the characters that are not printable, such as `\x1b`, except for those in `keep`.

    Control and format characters could move the terminal's cursor, change its settings or reverse its text.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in keep
        else character.encode("unicode_escape").decode()
        for character in text
    )
