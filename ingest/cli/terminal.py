"""Output for terminals."""


def escape_controls(text: str, keep: str = "") -> str:
    r"""Return the text with its unprintable characters as escapes, such as `\x1b`.

    Characters in `keep` stay. Control and format characters could move the terminal's cursor, change its
    settings or reverse its text.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in keep
        else character.encode("unicode_escape").decode()
        for character in text
    )
