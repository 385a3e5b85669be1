"""Words that announce a name, and words that are capitalised without being one; in eleven languages.

Written down from general knowledge. Everything in lower case, without the spaces and signs that follow.
"""

__all__ = ["FAINT", "INTRODUCTIONS", "NOT_NAMES", "PARTICLES", "PREPOSITIONS", "TITLES"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.split(","))


TITLES = _words("""mr mrs ms mx dr prof rev sr sra srta sig mme mlle dott dra hr dhr mevr mw ing capt lt sgt miss sir madam doctor
    professor nurse herr herrn frau fräulein monsieur madame mademoiselle maître señor señora señorita don doña
    signor signora signorina dottor dottoressa avvocato senhor senhora dona meneer mevrouw pan pani pana panią fru
    herre sig.ra dott.ssa med""")
"""A title right before a name."""

_SURE = _phrases("""my name is, my name's, my full name is, name is, i am, i'm, speaking with, spoke to, spoke with, signed by, called
    by, ask for, attn, attention, kind regards, best regards, warm regards, regards, sincerely, cheers, many thanks,
    best wishes, yours truly, yours faithfully, c/o, care of, on behalf of, cardholder, account holder, born to, ich
    heiße, ich heisse, mein name ist, ich bin, hier ist, hier spricht, gruß, grüße, grüßen, gruss, gruessen,
    unterzeichnet, je m'appelle, mon nom est, je suis, cordialement, me llamo, mi nombre es, soy, saludos, un
    saludo, mi chiamo, il mio nome è, cordiali saluti, saluti, meu nome é, me chamo, chamo-me, eu sou,
    atenciosamente, ik heet, mijn naam is, ik ben, groeten, groet, nazywam się, mam na imię, jestem, pozdrawiam, jag
    heter, mitt namn är, jeg heter, jeg hedder, mit navn er, hilsen, hälsningar, signed, first name, last name,
    surname, full name, name, nom, nombre, nome, naam, prénom, vorname, nachname, apellidos, apellido, cognome,
    imię, nazwisko, namn, navn, sender, recipient, absender, empfänger""")
FAINT = _phrases("""this is, it's, dear, hi, hello, hey, thanks, thank you, contact, patient, customer, client, employee, colleague,
    tenant, mother, father, husband, wife, son, daughter, brother, sister, manager, advisor, yours, nurse, witness,
    guest, passenger, student, applicant, agent, liebe, lieber, hallo, kundin, kunde, kunden, patientin,
    mitarbeiter, mitarbeiterin, kollegin, kollege, mieter, mieterin, bonjour, cher, chère, cliente, le patient, la
    patiente, hola, estimado, estimada, el cliente, la clienta, paciente, ciao, gentile, paziente, olá, prezado,
    prezada, caro, cara, beste, geachte, de klant, klant, klient, klientka, hej""")
"""Often before a name, and often before something else: they need a given name, or two capitalised words."""
PREPOSITIONS = ("with", "from", "to", "for", "by", "von", "mit", "an", "avec", "par", "con", "por", "met", "med")
"""Before a given name alone they make it one; before two capitalised words they say nothing."""
INTRODUCTIONS = (*_SURE, *FAINT, *PREPOSITIONS)
"""What comes before a name."""

PARTICLES = _words("""van von de der den del della di da dos das do du la le el al bin ibn ter ten zu zur af av y e""")
"""Small words inside a name."""

NOT_NAMES = _words("""the a an i we you he she it they this that these those my your our his her their and or but if so then when where
    what who how why in on at to for from with by of as is are was were be been not no yes please thanks thank hello
    hi dear sir madam team all everyone support customer service sales billing account order invoice number payment
    card bank credit today tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday january
    february march april may june july august september october november december street road avenue lane drive
    north south east west new old great united states kingdom america europe germany france spain italy england
    london paris berlin madrid rome vienna city county company group limited ltd inc corp gmbh llc university
    hospital school college department office manager director engineer president minister general central national
    international christmas easter happy good best kind regards there here just only also very sorry sure interested
    looking trying unable happy glad writing calling having still going not sie er es wir ihr ich du der die das den
    dem ein eine und oder aber mit von zu im am aus auf bei nach für über unter ist sind war nicht kein ja nein
    bitte danke guten tag morgen abend herr frau herrn damen team straße platz montag dienstag mittwoch donnerstag
    freitag samstag sonntag januar februar märz mai juni juli oktober dezember rechnung bestellung kunde kundin
    nummer konto bank termin anfrage le la les un une des du et ou mais dans sur avec pour par est sont je tu il
    elle nous vous ils bonjour merci monsieur madame équipe client commande facture numéro compte el los las y o
    pero en con por para es son yo usted hola gracias señor señora equipo pedido factura cuenta il lo gli uno e ma
    da su per sono io lei ciao grazie signor signora ordine fattura conto os as um uma com por são eu você olá
    obrigado senhor senhora pedido fatura conta het een en of maar van op met voor bij is zijn ik u hallo dank
    bestelling factuur rekening lord lady queen king pan pani dr prof mr mrs ms microsoft google amazon apple excel
    windows linux android python java internet email e-mail iphone valued visa mastercard paypal lake port mount fort saint upper lower""")
"""Not the begin of a name, though capitalised at the begin of a sentence, on a letterhead or in a title."""
