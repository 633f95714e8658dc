"""What cron's five fields mean, once more, by the words of crontab(5) and of ddbackupd.conf(5), bit by bit; and random
ones, most of which are odd and many of which are wrong."""

from datetime import datetime, timedelta, timezone

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()
FIELDS = [(0, 59, []), (0, 23, []), (1, 31, []), (1, 12, MONTHS), (0, 7, WEEKDAYS)]


class Refused(Exception):
    pass


def expect(good):
    if not good:
        raise Refused


def values_of(part, low, high, names):
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")

    def number(text):
        return names.index(text) + low if text in names else int(text)

    step = int(step) if slash else 1
    expect(step >= 1 and (dash or step <= high - low))
    if first == "*":
        return set(range(low, high + 1, step))
    start = number(first)
    end = number(last) if dash else start if not slash else 6 if names is WEEKDAYS else high
    if names is WEEKDAYS and dash and end == 0 and start > 0:
        end = 7
    expect(low <= start <= high and start <= end <= high)
    expect(dash or not slash or start + step <= high)
    return set(range(start, end + 1, step))


def days_of(fields, day):
    """Is it one of these days?"""
    in_month, in_week = day.day in fields[2], (day.weekday() + 1) % 7 in fields[4]
    return day.month in fields[3] and ((in_month and in_week) if fields[5] else (in_month or in_week))


def next_of(expression, base, n):
    """The next n instants after base, within nine years, in seconds; None: it is refused."""
    words = expression.split()
    try:
        fields = [set().union(*(values_of(part, *field) for part in word.split(",")))
                  for word, field in zip(words, FIELDS)]
    except Refused:
        return None
    fields[4] = {day % 7 for day in fields[4]}
    fields.append(words[2][0] == "*" or words[4][0] == "*")
    found = []
    for i in range(366 * 9):
        day = base.date() + timedelta(days=i)
        if not days_of(fields, day):
            continue
        times = (datetime(day.year, day.month, day.day, h, m, tzinfo=timezone.utc)
                 for h in sorted(fields[1]) for m in sorted(fields[0]))
        found += [int(at.timestamp()) for at in times if at > base][: n - len(found)]
        if len(found) == n:
            break
    return found


def make_part(rng, low, high, names):
    def number():
        return rng.choice(names) if names and rng.random() < 0.2 else str(rng.randint(low, high))

    part = rng.choice(["*", number(), number(), number() + "-" + number(), number() + "-" + number()])
    if rng.random() < 0.3:
        part += f"/{rng.choice([0, 1, 2, 3, 5, 6, 7, 10, 15, 22, 23, 24, 30, 31, 45, 59, 60])}"
    return part


def make_wild(rng):
    return " ".join("*" if rng.random() < 0.5 else ",".join(make_part(rng, *field) for _ in range(rng.choice([1, 1, 2])))
                    for field in FIELDS)
