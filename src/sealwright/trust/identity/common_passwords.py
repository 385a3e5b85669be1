"""What everybody guesses first: words, names, runs of keys.

Where it is from: written down for this project from what is widely known, such as the entries that lead every yearly
list of leaked passwords (password, qwerty, iloveyou, dragon …), and then keyboard rows, given names, seasons, months, clubs.
No list was copied. It is short on purpose: since 12 characters are asked for, what counts is not the leaked passwords
themselves, most of which are shorter, but what people stretch them with. `password_rules` takes these parts out of a
password and looks at what is left.
"""

__all__ = ["COMMON_PARTS"]

_LEAKED = """
password passwort passwd passw0rd motdepasse contrasena senha parola haslo wachtwoord salasana heslo jelszo sifre
qwerty qwertz azerty asdfgh asdf zxcvbn yxcvbn qazwsx wsxedc edcrfv rfvtgb qweasd zaqxsw
letmein welcome willkommen bienvenue bienvenido benvenuto welkom admin administrator root toor superuser sysadmin
login logon signin access open secret geheim private enter changeme change default guest user username test testing
temp temporary master manager service server system database backup oracle mysql postgres cisco router windows linux
ubuntu debian apple google facebook instagram twitter youtube amazon microsoft samsung android iphone internet computer
laptop security sicherheit hello hallo bonjour iloveyou loveyou lovely love liebe forever always trustno1 trust nothing
whatever fuckyou fuck shit asshole bitch pussy sexy hottie
dragon monkey tiger lion eagle falcon panther wolf bear horse dolphin shark snake spider kitty kitten puppy bunny
butterfly unicorn phoenix chicken turtle penguin elephant banana orange cherry apple pepper ginger cookie chocolate
cheese coffee pizza sunshine sunflower rainbow flower blossom rose daisy jasmine summer winter spring autumn sommer
herbst fruehling january february march april june july august september october november december januar februar maerz
juni juli oktober dezember monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag
freitag samstag sonntag
football baseball basketball soccer hockey golf tennis racing yankees lakers cowboys steelers eagles rangers liverpool
arsenal chelsea everton barcelona madrid juventus milan bayern dortmund manchester united
superman batman spiderman ironman starwars startrek pokemon pikachu mario zelda minecraft fortnite naruto matrix hunter
ranger killer ninja samurai pirate warrior wizard merlin gandalf hobbit shadow ghost demon angel heaven devil jesus
christ god blessed faith hope grace peace freedom liberty america england london paris berlin germany france canada
australia india china russia mexico brazil texas california newyork
princess prince queen king knight duke cowboy soldier marine trooper captain champion winner number lucky happy smile
baby honey sweetie darling sweetheart babygirl babyboy mother father mummy daddy family friend friends bestfriend
diamond silver golden gold purple yellow green black white blue pink red orange crystal thunder lightning storm fire
ferrari porsche mercedes mustang corvette harley yamaha honda toyota volvo audi
guitar music metallica nirvana slipknot eminem drummer player gamer game games money dollar cash
abcdef abcd abc xyz aaaa correct horse battery staple passphrase
"""
_NAMES = """
michael jordan jennifer jessica ashley amanda daniel david robert thomas charlie andrew matthew joshua anthony william
nicole michelle samantha elizabeth victoria alexander alexandra andrea martin stefan peter christian sebastian florian
maria anna laura julia sarah sandra sabine nadine claudia sophie emma olivia emily hannah jasmin lisa max felix jonas
lukas leon paul james john george henry harry oliver jack thomas richard edward charles patrick kevin brian justin
tyler brandon austin taylor morgan hunter maggie buster bailey buddy rocky ginger molly bella lucy sophia chloe carlos
jose juan miguel antonio fernando francisco manuel diego pedro luis ana carmen ivan dmitri sergey natasha olga vladimir
mohammed muhammad ahmed ali hassan fatima aisha omar priya rahul krishna ganesh wang zhang chen nguyen kim
"""
_ABOUT_US = "sealwright model models machine learning artificial intelligence ledger workspace"

COMMON_PARTS = frozenset(f"{_LEAKED} {_NAMES} {_ABOUT_US}".split())
