"""Random calendar expressions, some of which are wrong, of systemd's dialect and of cron's."""

import re


def make_values(rng, low, high, width=0):
    """A field of systemd's: "*", values, ranges and steps, now and then out of bounds.

    Where steps lead past the end of a field just when the next larger one ends too (23:64), systemd 252 loses the first
    match after that. So open steps are such that they would come out at the field's start.
    """
    if rng.random() < 0.3:
        return "*"
    parts = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        start = rng.randint(low, high)
        part = f"{start:0{rng.choice([0, width])}d}"
        if rng.random() < 0.3:
            part += f"..{rng.randint(start, high + rng.choice([0, 0, 1]))}"
            if rng.random() < 0.5:
                part += f"/{rng.randint(2, max(2, (high - low) // 2))}"
        parts.append(part)
    span = high + 1 - low
    if span in (12, 24, 60) and rng.random() < 0.2:
        parts.append(f"{low}/{rng.choice([s for s in range(2, span) if span % s == 0])}")
    return ",".join(parts)


def make_weekdays(rng):
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "monday", "SUNDAY", "Wednesday"]
    return ",".join(rng.choice(names) + (".." + rng.choice(names) if rng.random() < 0.3 else "")
                    for _ in range(rng.randint(1, 3)))


def make_systemd(rng):
    words = []
    if rng.random() < 0.3:
        words.append(make_weekdays(rng))
    if rng.random() < 0.7:
        year = rng.choice(["*-", "*-", "*-", "", make_values(rng, 2026, 2040, 4) + "-", make_values(rng, 26, 45) + "-"])
        backwards = rng.random() < 0.2
        day = make_values(rng, 1, 19 if backwards else 31, 2)  # in lists of days from the end systemd refuses the later
        words.append(year + make_values(rng, 1, 12, 2) + ("~" if backwards else "-") + day)
    if rng.random() < 0.8 or not words:
        time_of_day = make_values(rng, 0, 23, 2) + ":" + make_values(rng, 0, 59, 2)
        if rng.random() < 0.5:
            time_of_day += ":" + make_values(rng, 0, 59, 2)
            if rng.random() < 0.3 and re.search(r"[:,.]\d+$", time_of_day):
                time_of_day += rng.choice([".5", ".25", ".0000004", ".1234567", ".999999"])
        words.append(time_of_day)
    return " ".join(words)


PIECES = list("0123456789*-:/.,") + ["Mon", "..", "Tue", "*-*", "/2", "59", "31", "12", "*:*", " ", " UTC", "hourly"]


def mutate(rng, text):
    """Letters that come in, go, or change. Left out are what other dialects take (four words, "@daily"), zones, days
    from the end of the month ("~", see above), and "@" with a blank behind it, which systemd takes."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        i, piece = rng.randint(0, len(text)), rng.choice(PIECES + [""])
        text = text[:i] + piece + text[i + rng.choice([0, 0, 1]):]
    strange = re.search(r"~|@(?!\d)|^-| (?!UTC$|utc$)[A-Za-z][\w/+-]*$", text)
    return "" if strange or len(text.split()) >= 4 else text


MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()


def make_cron_field(rng, low, high, stars, names=()):
    def number(value):
        name = names[(value - low) % len(names)] if names and rng.random() < 0.3 else str(value)
        return rng.choice([name, name.upper(), name.capitalize()])

    if rng.random() < stars:
        return rng.choice(["*", "*", f"*/{rng.randint(1, high - low)}"])
    parts = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        start = rng.randint(low, high)
        part = number(start)
        if rng.random() < 0.3 and start < high:
            part += f"-{number(rng.randint(start + 1, high))}"
            if rng.random() < 0.5:
                part += f"/{rng.randint(1, high - low)}"
        parts.append(part)
    return ",".join(parts)


def make_cron(rng):
    """Five fields that crontab(5) takes, and that come at least once in four years."""
    day = make_cron_field(rng, 1, rng.choice([28, 31]), 0.5)
    month = make_cron_field(rng, 1, 12, 0.6, MONTHS)
    if re.fullmatch(r"(29|30|31|,|-|/\d+)+", day):
        month = "*"
    return " ".join([make_cron_field(rng, 0, 59, 0.3), make_cron_field(rng, 0, 23, 0.4), day, month,
                     make_cron_field(rng, 0, 6, 0.5, WEEKDAYS)])
