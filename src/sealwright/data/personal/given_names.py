"""Given names that are very common, written down from general knowledge; no list or data set was copied.

Answers: is this word, capitalised, mostly a given name?
Does not answer: is it one here. Words that are at least as common as something else (May, Paris, Rose) are left out or
stand under AMBIGUOUS. Names of many regions are missing; the declared recall shows what that costs.
"""

__all__ = ["AMBIGUOUS", "GIVEN_NAMES"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH = """james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony donald
steven paul andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan
stephen larry justin scott brandon benjamin samuel gregory alexander frank patrick raymond jack dennis jerry tyler aaron jose adam
nathan henry douglas zachary peter kyle ethan walter noah jeremy christian keith roger terry austin sean gerald carl harold dylan
arthur lawrence jordan jesse bryan billy bruce gabriel joe logan alan juan albert willie elijah wayne randy vincent mason roy ralph
bobby russell bradley philip eugene simon neil graham stuart ian colin derek trevor nigel craig lee barry gareth rhys liam callum
connor oliver harry charlie oscar leo archie freddie theo alfie mary patricia jennifer linda elizabeth barbara susan jessica sarah
karen lisa nancy betty sandra margaret ashley kimberly emily donna michelle carol amanda melissa deborah stephanie dorothy rebecca
sharon laura cynthia amy kathleen angela shirley brenda emma anna pamela nicole samantha katherine christine helen debra rachel
carolyn janet maria catherine heather diane olivia julie joyce victoria ruth virginia lauren kelly christina joan evelyn judith
andrea hannah megan cheryl jacqueline martha madison teresa gloria sara janice ann kathryn abigail sophia frances jean alice judy
isabella julia grace denise amber doris marilyn danielle beverly charlotte natalie theresa diana brittany kayla alexis lori
gillian lesley hazel fiona moira eileen maureen sheila pauline lynn tracy dawn kerry joanne claire louise lucy gemma zoe chloe
ellie amelia isla poppy jasmine molly georgia tina tammy crystal erin shannon wendy tiffany vanessa courtney april monica erica
melanie kristen kristin kristina jill jamie holly robin cassandra alicia tanya veronica jeffery travis chad marcus curtis dustin
shawn derrick todd cory brett shane jared brent corey casey devin phillip edwin glenn leonard martin antonio luis carlos miguel"""
_MORE_ENGLISH = """stacey stacy priscilla kent leah johnathan breanna rhonda cathy kaylee brandi candice carla cassie christy colleen cristian
darlene darrell darren daryl deanna desiree dwayne ebony eddie elaine felicia gina glenda haley jake jaclyn jenna jerome joann
joel johnny josh kara katelyn kathy katie kelli kelsey kendra kirk kristi latoya leslie lindsay lindsey loretta lydia mackenzie
makayla mallory marissa marvin maxwell meghan melinda melvin micheal miranda misty morgan nathaniel norman paige patty peggy perry
randall rachael regina ricky rita roberta rodney ronnie sabrina sally savannah seth shaun shelby sheri sherry stanley steve sylvia
tamara tara terri theodore toni tracey traci tyrone vernon vicki vickie wanda wesley whitney yolanda yvette yvonne alec alisha alyssa
angie ariel arnold bethany bonnie brad bridget calvin cameron chelsea clifford clinton connie debbie dominic donovan ella evan
faith francis gavin geoffrey hayley jodie josephine keeley kerry lewis lily luke marian natasha nina owen reece rosie shannon
stewart toby zach arjun meera nikhil karan nisha vivek ashish abhishek rajiv swati ritu preeti shalini aditi akash ankit gaurav"""
_GERMAN = """hans klaus jürgen juergen dieter manfred wolfgang helmut gerhard günter guenter horst uwe bernd rainer heinz jörg joerg
thorsten torsten stefan andreas matthias markus sven frank ralf dirk jens holger olaf karsten carsten lars tobias florian sebastian
felix lukas jonas leon finn maximilian moritz niklas fabian dominik marcel patrick kai ingo detlef hartmut reinhard siegfried
ulrich friedrich wilhelm johannes johann josef franz ludwig georg rudolf walter werner kurt otto karl heinrich ernst ursula monika
petra sabine renate karin gisela brigitte ingrid erika christa helga gertrud hildegard elfriede ilse inge waltraud edeltraud anneliese
birgit silke heike ute martina claudia susanne cornelia anja katja nadine sandra stefanie melanie katharina franziska lena leonie
mia hannah lea johanna sophie marie luisa frieda greta mathilda annika svenja kirsten kerstin bärbel baerbel heidi rosemarie
hannelore ingeborg irmgard dagmar elke gabriele gabi marion jutta doris angelika bettina ulrike tanja sonja vera wiebke gudrun"""
_FRENCH = """jean pierre michel andré andre philippe jacques bernard alain marcel rené rene louis gérard gerard françois francois
christophe laurent nicolas frédéric frederic stéphane stephane sébastien sebastien julien pascal thierry olivier éric eric guillaume
antoine benoît benoit vincent mathieu matthieu maxime alexandre hugo lucas léo théo theo enzo gabriel raphaël raphael jules adrien
clément clement quentin romain bastien rémi remi yves didier gilles hervé herve xavier patrice serge marc luc étienne etienne
emmanuel grégoire gregoire tristan augustin édouard edouard gaston honoré marie jeanne françoise francoise monique catherine nathalie
isabelle jacqueline sylvie martine nicole christine valérie valerie sandrine véronique veronique céline celine stéphanie stephanie
aurélie aurelie émilie emilie camille léa manon chloé inès ines clara zoé louise juliette margot margaud élodie elodie caroline
hélène helene delphine virginie laetitia brigitte chantal josette denise suzanne simone geneviève genevieve thérèse odette lucie
anaïs anais élise elise agathe capucine constance corinne danielle éléonore eleonore gabrielle madeleine mathilde noémi noemi"""
_IBERIAN = """josé jose juan manuel francisco antonio javier carlos miguel ángel angel alejandro pedro pablo sergio fernando jorge
luis alberto diego raúl raul rafael álvaro alvaro adrián adrian rubén ruben iván ivan óscar oscar ramón ramon enrique vicente
andrés andres joaquín joaquin santiago eduardo víctor victor roberto jaime mario ignacio marcos ricardo salvador emilio gonzalo
hugo julián julian tomás tomas agustín agustin domingo felipe guillermo ismael jesús jesus gregorio esteban rodrigo mateo nicolás
carmen maría maria isabel dolores pilar josefa ana teresa cristina laura marta antonia elena lucía lucia raquel paula mercedes
rosario juana beatriz encarnación encarnacion julia rocío rocio silvia patricia montserrat irene andrea yolanda sofía sofia alba
natalia ángela susana nuria consuelo inmaculada esther noelia lorena sonia amparo gabriela valentina camila ximena guadalupe
alejandra fernanda daniela mariana joão joao paulo pedro tiago rui nuno luís vasco duarte gonçalo goncalo bruno gustavo thiago
leandro vinícius vinicius caio enzo henrique felipe lucas matheus murilo otávio otavio rafael renan vitor yuri ana beatriz
catarina inês leonor mariana matilde rita joana sofia larissa letícia leticia luana júlia julia bárbara barbara bianca camila
cecília cecilia clarice eduarda emanuella esther giovanna heloísa heloisa isabela isadora lavínia lavinia lívia livia manuela
milena nicole pietra rebeca stella vitória vitoria yasmin"""
_ITALIAN = """giuseppe giovanni antonio mario luigi francesco angelo vincenzo pietro salvatore carlo franco domenico bruno paolo
michele giorgio aldo sergio luciano marco andrea alessandro stefano roberto matteo lorenzo davide simone federico riccardo tommaso
gabriele filippo edoardo giacomo leonardo nicolò nicolo enrico fabio massimo claudio maurizio gianluca gianni giulio emanuele
daniele alberto umberto raffaele renato ettore dante flavio silvio mauro ivan giulia martina chiara sara alessia francesca silvia
elisa federica valentina elena alice giorgia ilaria paola roberta simona monica barbara cristina daniela laura anna rosa angela
giovanna teresa lucia carmela caterina antonella patrizia rita luisa franca beatrice ginevra aurora sofia camilla ludovica bianca
arianna serena claudia eleonora marina ornella donatella raffaella stefania loredana"""
_DUTCH_NORDIC = """jan johannes cornelis hendrik willem pieter jacob gerrit dirk klaas kees piet joost bram daan sem lucas levi finn
thijs lars ruben sander jeroen bas maarten wouter koen stijn tim tom rick niels joris jasper matthijs gijs bart jelle johanna
cornelia hendrika wilhelmina elisabeth catharina anneke ineke marijke truus sanne lotte fleur femke anouk eva noor lieke iris
roos maud esmee esmée mila saskia marloes annemiek inge lars erik anders karl per nils lennart sven gunnar olof johan mikael
henrik magnus björn bjorn göran goran stig bengt bo hans åke ake axel elias hugo gustaf gustav oskar emil viktor anna eva maria
karin kristina lena kerstin ingrid marianne birgitta elisabeth ulla inger gunilla astrid linnéa linnea ebba elsa wilma maja agnes
freja signe ida kari anne liv berit randi solveig marit silje hanne mette kirsten lone pia susanne tove jens peter søren soren
morten mads rasmus niels jørgen jorgen ole knut odd olav arne leif geir tor rolf juha jukka matti pekka timo antti mikko jari
heikki kari hannu sari päivi paivi tiina minna anneli riitta"""
_SLAVIC = """jan andrzej piotr krzysztof stanisław stanislaw tomasz paweł pawel józef jozef marcin marek michał michal grzegorz jerzy
tadeusz adam łukasz lukasz zbigniew ryszard dariusz henryk mariusz kazimierz wojciech robert mateusz jakub kacper filip szymon
anna maria katarzyna małgorzata malgorzata agnieszka krystyna barbara ewa elżbieta elzbieta zofia janina teresa magdalena joanna
jadwiga danuta irena halina helena beata aleksandra marta dorota monika jolanta grażyna grazyna iwona urszula natalia zuzanna
jiří jiri josef pavel petr jaroslav martin tomáš tomas miroslav zdeněk zdenek václav vaclav michal františek milan karel lukáš
jana eva hana lenka kateřina katerina lucie věra vera alena petra veronika jaroslava tereza martina jitka ludmila ivan dmitri
dmitry sergei sergey alexei aleksei andrei andrey mikhail nikolai vladimir igor oleg yuri pavel boris konstantin anatoly viktor
olga natalia natalya elena irina tatiana tatyana svetlana marina ekaterina anastasia ludmila galina nina oksana yulia"""
_OTHERS = """mohammed muhammad mohamed mohammad ahmed ahmad ali hassan hussein omar khaled khalid ibrahim youssef yusuf mustafa mahmoud
abdullah abdul hamza bilal tariq karim rashid salim samir nabil farid fatima aisha khadija zainab maryam amina layla leila noor
yasmin salma hana rania nadia mehmet mustafa ahmet hüseyin huseyin hasan ibrahim ismail osman murat fatma ayşe ayse emine hatice
zeynep elif meryem özlem ozlem rahul amit sanjay rajesh suresh ramesh anil sunil vijay ajay ravi arjun rohan rohit vikram aditya
arun ashok deepak manoj pradeep rakesh sandeep priya pooja neha anjali kavita sunita anita geeta lakshmi deepa divya shreya
aarav ishaan ananya diya wei fang jing ming li na xiu ying hiroshi takashi kenji yuki sakura haruto yui akira naoki yoko keiko
minjun seoyeon jiho kwame kofi ama chidi ngozi oluwaseun chinedu adaeze thabo sipho lerato tendai nguyen linh minh thi siti
budi agus dewi putri"""
AMBIGUOUS = _words("""may april june august grace rose joy hope faith dawn crystal amber jasmine poppy holly hazel iris lily ruby violet
paris london austin dallas houston madison charlotte florence victoria georgia virginia jordan israel chad lee jean
mark bill will frank grant guy rich art jack drew chase hunter mason carter cooper taylor tyler summer autumn angel
christian dean earl duke king prince major rio diego santiago salvador lourdes domingo milan roman roma sierra dakota
logan scott craig kelly parker piper sky star storm stone wade ward dale glen heath miles pat sue gene ray rob rock
roos inge odd bo per ole na li ming ama mercedes dolores consuelo pilar amparo aurora alba dante noor min wei fang
carol lori penny ginger olive alma mason jo gay randy willie an max bas sem stella eva felix leo oscar hugo victor
rosa bianca nicola laura martin thomas simon stuart lawrence vincent ralph santa vera mia""")
"""Given names that are often something else: they need a surname-like word behind them, and a reason more."""

GIVEN_NAMES = _words(
    f"{_ENGLISH} {_MORE_ENGLISH} {_GERMAN} {_FRENCH} {_IBERIAN} {_ITALIAN} {_DUTCH_NORDIC} {_SLAVIC} {_OTHERS}"
)
