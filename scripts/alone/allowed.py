"""What composers allow by a log: consent to learn from a work, terms for what a model writes."""


def composers(entry):
    return [each["id"] for each in entry["composers"]]


def signed(act):
    """Which keys signed an act, each with its place in the log."""
    return [(each["keyid"], act["index"]) for each in act["signatures"]]


def is_stolen(log, act):
    """Whether a key that signed an act turned out to be stolen by then."""
    return any(log.roster.refusal(*each) == "revoked" for each in signed(act))


def stands(log, keyid, index):
    return keyid in log.roster.keys and not log.roster.refusal(keyid, index)


def is_allowed(log, record, purpose):
    """Whether all composers allow a purpose by now: docs/format.md, "Consent"."""
    entry, artist = record["entry"], purpose.partition(":")[2]

    def grants(said):
        days = [grant["until"] or log.day for grant in said["consent"] if grant["scope"] == purpose]
        return max(days, default="") >= log.day

    def allows(who):
        answer = grants(entry)
        for act in (act for act in record["said"] if act["by"] == who):
            is_its = stands(log, *signed(act)[0])  # what a stolen key says only narrows
            answer = grants(act["data"]) and (answer or is_its)
        return answer

    signs = [(entry["keyids"][0], record["index"]), *(signed(act)[0] for act in record["said"])]
    speakers = {log.roster.keys[keyid].who for keyid, at in signs if stands(log, keyid, at)}
    is_the_artists = not artist or artist in speakers & set(composers(entry))
    return is_the_artists and all(map(allows, composers(entry)))


def is_of_one_version(record):
    """Whether a composer's last terms let one model for each purpose learn from a work."""
    last = {act["by"]: act["data"]["this_version"] for act in record["said"] if is_terms(act)}
    return any(last.values())


def is_terms(act):
    return act["act"] == "terms"


def lacks(log, record, use, run):
    """Whether a composer who said terms does not grant a use: docs/format.md, "Terms"."""

    def is_approved(who):
        said = {"use": use, "run": run, "receipt": ""}.items()
        return any(
            said <= act["data"].items() and record["entry"]["work"] in act["data"]["works"]
            for act in log.acts["approve"]
            if act["by"] == who and not log.roster.refusal(*signed(act)[0])
        )

    def grants(said, who):
        live = [u for u in said["uses"] if u["use"] == use and (u["until"] or log.day) >= log.day]
        return bool(live) and (not live[0]["approval"] or is_approved(who))

    def allows(who):
        answer = True
        for act in (act for act in record["said"] if act["by"] == who and is_terms(act)):
            is_its = not log.roster.refusal(*signed(act)[0])
            answer = grants(act["data"], who) and (answer or is_its)
        return answer

    return not all(map(allows, composers(record["entry"])))


def writes(log, run, model, works):
    """Whether a model of a run may still write, and what it writes be sold, in words."""
    for act in log.acts["retire"]:
        if model in act["data"]["models"] and not is_stolen(log, act):
            return f"retired by act {act['index']}"
    for use in ("sampling", "sale"):
        lacking = [work for work in works if lacks(log, log.works[work], use, run)]
        if lacking:
            return f"terms of {lacking[0]} grant no {use}"
    return "no terms stand against writing and selling"
