"""What Salma types into the first form of the small pathway, as the page's form sends it."""

from uuid import uuid4


def reception(**changed):
    """Every question answered; a new identity each time, so that nobody is taken for somebody else."""
    cin = f"{uuid4().int % 100_000_000:08d}"
    typed = {
        "person.nom_ar": "".join("بتكدفلمنرز"[int(digit)] for digit in cin), "person.prenom_ar": "بسمة", "person.nom_fr": f"Dridi{letters(cin)}", "person.prenom_fr": "Besma",
        "person.sexe": "F",
        "person.naissance_date~day": "", "person.naissance_date~month": "", "person.naissance_date~year": "1987", "person.cin": cin, "person.tel": "",
        "person.gouvernorat": "TN-82", "person.delegation": "TN-82-01", "retour.date~day": "3", "retour.date~month": "02", "retour.date~year": "2026",
        "retour.pays": "IT",
        "accueil.accompagne": "false", "foyer.membres~present": "1", "depistage.sans_abri_ce_soir": "true",
    }  # fmt: skip
    return typed | {name.replace("__", "."): value for name, value in changed.items()}


def letters(digits):
    """Digits as letters, since a name has none; consonants that sound apart, or two names of chance would be alike."""
    return "".join("btkdflmnrz"[int(digit)] for digit in digits)


def row(place, **changed):
    """One household member, typed as row `place`."""
    typed = {"prenom": "Ali", "lien": "enfant", "naissance~day": "", "naissance~month": "", "naissance~year": "2014", "sexe": "M", "a_charge": "true"} | changed
    return {f"foyer.membres[{place}]~item": ""} | {f"foyer.membres[{place}].membre.{name}": value for name, value in typed.items()}
